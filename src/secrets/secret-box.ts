import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { GatewayError } from '../core/errors';
import type { SecretKey } from './secret-key';

/** What every sealed text begins with; no secret, no JSON text begins so. */
export const SEALED = 'enc:v1:';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals texts for the database with AES-256-GCM, as `enc:v1:<key id>:<base64 of nonce, tag and ciphertext>`. The first key seals,
 * all open. A sealed text is bound to its context (column and row): moved elsewhere it does not open.
 */
export class SecretBox {
  private readonly first: SecretKey;
  private readonly keys: ReadonlyMap<string, SecretKey>;

  /** @param keys At least one; of the same key twice the first counts. */
  constructor(keys: readonly SecretKey[]) {
    const [first] = keys;
    if (first === undefined) throw new RangeError('There is no key');
    this.first = first;
    this.keys = new Map(keys.map((key) => [key.id, key]));
  }

  /** Of the key that seals. */
  get keyId(): string {
    return this.first.id;
  }

  get keyIds(): string[] {
    return [...this.keys.keys()];
  }

  seal(text: string, context: string): string {
    const head = SEALED + this.first.id;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.first.key, nonce).setAAD(boundTo(head, context));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return `${head}:${Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64')}`;
  }

  /**
   * A text that is not sealed comes back as it is: it is of a version that did not seal.
   * @throws GatewayError `secret_unreadable`.
   */
  open(text: string, context: string): string {
    if (!text.startsWith(SEALED)) return text;
    const end = text.indexOf(':', SEALED.length);
    const keyId = text.slice(SEALED.length, end);
    const key = this.keys.get(keyId);
    if (end < 0 || key === undefined) throw unreadable(context, 'it was sealed with a key that is not among secrets.encryptionKeys');
    const bytes = Buffer.from(text.slice(end + 1), 'base64');
    try {
      const decipher = createDecipheriv(CIPHER, key.key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
        .setAAD(boundTo(SEALED + keyId, context))
        .setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      return decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    } catch {
      throw unreadable(context, 'it was changed, or moved from another row');
    }
  }
}

const boundTo = (head: string, context: string): Buffer => Buffer.from(`${head}\0${context}`);

const unreadable = (context: string, why: string): GatewayError =>
  new GatewayError('secret_unreadable', `The sealed ${context} cannot be opened: ${why}`);
