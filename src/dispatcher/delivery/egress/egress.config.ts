import { Transform } from 'class-transformer';
import { IsArray, IsOptional, ValidateBy } from 'class-validator';
import { ConfigSection } from '../../../config/config-section';
import { parseRange } from './ip-address';

const IsRange = (): PropertyDecorator =>
  ValidateBy(
    {
      name: 'isRange',
      validator: {
        validate: (value: unknown) => typeof value === 'string' && parseRange(value) !== undefined,
        defaultMessage: () => 'a list of ranges such as 10.0.0.0/8 or fd00::/8 and of addresses, or the one word none',
      },
    },
    { each: true },
  );

/** `none` is the empty list: a variable cannot be set and empty. */
const toList = (value: unknown): unknown => {
  if (typeof value !== 'string') return value;
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '' && part !== 'none');
};

@ConfigSection('egress')
export class EgressConfig {
  /** Null when it was not set at all. */
  @IsOptional()
  @Transform(({ value }) => toList(value))
  @IsArray()
  @IsRange()
  readonly allow!: string[] | null;
}
