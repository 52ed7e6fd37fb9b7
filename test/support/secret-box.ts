import { SecretBox } from '../../src/secrets/secret-box';
import { secretKey } from '../../src/secrets/secret-key';

const bytes = Buffer.alloc(32, 7);

/** As SECRETS_ENCRYPTION_KEYS. */
export const TEST_KEY = bytes.toString('base64');

export const testBox = new SecretBox([secretKey(bytes)]);
