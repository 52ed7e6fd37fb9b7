import type { Readable } from 'node:stream';

/**
 * Reads a body that is no larger than `maxBytes`.
 * @returns undefined when it is larger: then nothing of it is lost, and it can be read from its beginning.
 * @throws Error when it ends before its end.
 */
export function peekBody(body: Readable, maxBytes: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const settle = (): void => {
      body.off('readable', onReadable).off('end', onEnd).off('close', onClose).off('error', onClose);
    };
    const onReadable = (): void => {
      for (let chunk = body.read() as Buffer | null; chunk !== null; chunk = body.read() as Buffer | null) {
        chunks.push(chunk);
        length += chunk.length;
        if (length <= maxBytes) continue;
        settle();
        body.unshift(Buffer.concat(chunks));
        resolve(undefined);
        return;
      }
    };
    const onEnd = (): void => {
      settle();
      resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
    };
    const onClose = (error?: Error): void => {
      settle();
      reject(error ?? new Error('The body ended too early'));
    };
    body.on('readable', onReadable).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}
