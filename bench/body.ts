import { createHmac, randomBytes } from 'node:crypto';

export const BODY_BYTES = 1_024;

/** A batch with one message of its own id, padded to BODY_BYTES. */
export function newBody(): Buffer {
  const around = (text: string): string =>
    JSON.stringify({
      object: 'page',
      entry: [
        {
          id: '111111',
          time: 1_458_692_752_478,
          messaging: [
            {
              sender: { id: 'USER_1' },
              recipient: { id: '111111' },
              timestamp: 1_458_692_752_001,
              message: { mid: `m_${randomId}`, text },
            },
          ],
        },
      ],
    });
  const randomId = randomBytes(16).toString('hex');
  return Buffer.from(around('x'.repeat(BODY_BYTES - around('').length)));
}

/** The whole HTTP request as it goes over the wire, so that sending costs next to nothing. */
export function rawRequest(host: string, path: string, secret: string): Buffer {
  const body = newBody();
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  const head =
    `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n` +
    `X-Hub-Signature-256: sha256=${signature}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}
