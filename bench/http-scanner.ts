const HEAD_END = Buffer.from('\r\n\r\n');

/** Finds whole HTTP/1.1 messages with a Content-Length in a stream; far cheaper than a real parser, and enough here. */
export class HttpScanner {
  private pending: Buffer = Buffer.alloc(0);

  constructor(private readonly onMessage: (head: string) => void) {}

  push(chunk: Buffer): void {
    let rest = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
    for (;;) {
      const headEnd = rest.indexOf(HEAD_END);
      if (headEnd < 0) break;
      const head = rest.toString('latin1', 0, headEnd);
      const end = headEnd + HEAD_END.length + contentLength(head);
      if (rest.length < end) break;
      rest = rest.subarray(end);
      this.onMessage(head);
    }
    this.pending = rest;
  }
}

function contentLength(head: string): number {
  const found = /\r\ncontent-length: *(\d+)/i.exec(head);
  if (!found && /\r\ntransfer-encoding:/i.test(head)) throw new Error('The bench reads no chunked messages.');
  return Number(found?.[1] ?? 0);
}
