import { createHmac, randomBytes } from 'node:crypto';

export const BODY_BYTES = 1_024;

export const PAGE_ID = '111111';

export const newMid = (): string => `m_${randomBytes(16).toString('hex')}`;

/** The `mid` inside of a request's or a delivery's body; undefined if there is none. */
export const midOf = (body: string): string | undefined => /"mid":"(m_[0-9a-f]{32})"/.exec(body)?.[1];

/** A batch with one message of its own id, padded to BODY_BYTES. */
export function newBody(mid: string = newMid(), pageId: string = PAGE_ID): Buffer {
  const around = (text: string): string =>
    JSON.stringify({
      object: 'page',
      entry: [
        {
          id: pageId,
          time: 1_458_692_752_478,
          messaging: [
            {
              sender: { id: 'USER_1' },
              recipient: { id: pageId },
              timestamp: 1_458_692_752_001,
              message: { mid, text },
            },
          ],
        },
      ],
    });
  return Buffer.from(around('x'.repeat(BODY_BYTES - around('').length)));
}

/** A webhook of Webex that a person caused, padded to BODY_BYTES. */
export function webexBody(actorId: string): Buffer {
  const around = (text: string): string =>
    JSON.stringify({
      id: 'webhook',
      resource: 'messages',
      event: 'created',
      orgId: text,
      actorId,
      data: { id: 'message', personId: actorId },
    });
  return Buffer.from(around('x'.repeat(BODY_BYTES - around('').length)));
}

export const signatureOf = (secret: string, body: Buffer): string => `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

/** The whole HTTP request as it goes over the wire, so that sending costs next to nothing. */
export function rawRequest(host: string, path: string, secret: string, body: Buffer = newBody(), moreHeaders = ''): Buffer {
  const head =
    `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n` +
    `X-Hub-Signature-256: ${signatureOf(secret, body)}\r\nContent-Length: ${body.length}\r\n${moreHeaders}\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}
