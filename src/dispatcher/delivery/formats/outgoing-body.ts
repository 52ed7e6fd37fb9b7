/** What is sent to an endpoint. */
export interface OutgoingBody {
  body: Buffer;
  contentType: string;
}
