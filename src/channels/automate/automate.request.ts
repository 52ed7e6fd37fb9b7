import { IsOptional, IsString, Matches, MaxLength, ValidateBy, isISO8601 } from 'class-validator';
import { readJson, validateAs } from '../../http/validate';

const LAST_TIME_MS = 8.64e15;

const isWhole = (value: unknown, most: number): boolean => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;

/** Other systems' ids are texts to some and numbers to others. */
const IsForeignId = (): PropertyDecorator =>
  ValidateBy({
    name: 'isForeignId',
    validator: {
      validate: (value: unknown) => (typeof value === 'string' ? /^\P{Cc}{1,256}$/u.test(value) : isWhole(value, Number.MAX_SAFE_INTEGER)),
      defaultMessage: () => 'must be a text of 1 to 256 characters or a whole number',
    },
  });

const IsTime = (): PropertyDecorator =>
  ValidateBy({
    name: 'isTime',
    validator: {
      validate: (value: unknown) =>
        typeof value === 'string'
          ? value.length <= 64 && isISO8601(value, { strict: true }) && !Number.isNaN(Date.parse(value))
          : isWhole(value, LAST_TIME_MS),
      defaultMessage: () => 'must be a time, in ISO 8601 or in milliseconds since 1970',
    },
  });

/** What the thread coordinator sends: this conversation passes from the bot to a person. */
export class HandoverRequest {
  /** As in /api/v1/threads. A path of dots alone would lead elsewhere. */
  @Matches(/^(?!\.{1,2}$)[\x21-\x7e]{1,512}$/, { message: 'must be 1 to 512 printable ASCII characters without spaces' })
  threadId!: string;

  /** Where the conversation takes place, or who asks. */
  @IsOptional()
  @IsForeignId()
  source?: string | number | null;

  /** An identity of the channel automate: tells whose account the event is of. */
  @IsOptional()
  @IsForeignId()
  companyId?: string | number | null;

  @IsOptional()
  @IsForeignId()
  projectId?: string | number | null;

  @IsOptional()
  @IsString()
  @MaxLength(2_000)
  reason?: string | null;

  @IsOptional()
  @IsTime()
  requestedAt?: string | number | null;
}

/** @throws GatewayError `malformed_json`, `json_too_deep`, `validation_failed`. */
export const readHandover = (body: Buffer): HandoverRequest => validateAs(HandoverRequest, readJson(body));
