import { IsArray, IsBoolean, IsOptional, IsUrl, Matches, ValidateBy } from 'class-validator';
import { readSecret } from '../../auth/one-time-password';
import { ConfigSection } from '../../config/config-section';
import { Secret } from '../../config/secret';

const IsOtpSecrets = (): PropertyDecorator =>
  ValidateBy(
    {
      name: 'isOtpSecret',
      validator: {
        validate: (value: unknown) => typeof value === 'string' && readSecret(value) !== undefined,
        defaultMessage: () => 'secrets of 10 to 64 bytes in base32 (A to Z, 2 to 7), separated by commas',
      },
    },
    { each: true },
  );

const IsThreadPath = (): PropertyDecorator =>
  Matches(/^\/[^\s#]*\{threadId\}[^\s#]*$/, { message: 'a path that begins with / and holds {threadId}' });

@ConfigSection('hookServer.automate')
export class AutomateConfig {
  @IsBoolean()
  readonly enabled!: boolean;

  @IsBoolean()
  readonly processEnabled!: boolean;

  /** Codes of any of them count; those that are sent to the agents' application are of the first. */
  @Secret()
  @IsArray()
  @IsOtpSecrets()
  readonly otpSecret!: readonly string[];

  @IsThreadPath()
  readonly handoverPath!: string;
}

@ConfigSection('threadCoordinator')
export class ThreadCoordinatorConfig {
  @IsOptional()
  @IsUrl({ require_tld: false, protocols: ['http', 'https'], require_protocol: true, disallow_auth: true })
  readonly url!: string | null;

  /** Codes that are sent are of the first. */
  @Secret()
  @IsArray()
  @IsOtpSecrets()
  readonly otpSecret!: readonly string[];

  @IsThreadPath()
  readonly ownerPath!: string;
}
