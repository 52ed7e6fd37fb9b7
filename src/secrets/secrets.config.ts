import { IsArray, ValidateBy } from 'class-validator';
import { ConfigSection } from '../config/config-section';
import { Secret } from '../config/secret';
import { parseKey } from './secret-key';

const IsKey = (): PropertyDecorator =>
  ValidateBy(
    {
      name: 'isKey',
      validator: {
        validate: (value: unknown) => typeof value === 'string' && parseKey(value) !== undefined,
        defaultMessage: () => 'a list of keys of 32 bytes in base64 or hex, such as `openssl rand -base64 32` makes them',
      },
    },
    { each: true },
  );

@ConfigSection('secrets')
export class SecretsConfig {
  /** The first seals, all open. */
  @Secret()
  @IsArray()
  @IsKey()
  readonly encryptionKeys!: readonly string[];
}
