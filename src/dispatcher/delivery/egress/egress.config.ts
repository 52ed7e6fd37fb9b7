import { Transform } from 'class-transformer';
import { IsArray, IsOptional } from 'class-validator';
import { ConfigSection } from '../../../config/config-section';
import { IsRange } from '../../../config/is-range';

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
  @IsRange('a list of ranges such as 10.0.0.0/8 or fd00::/8 and of addresses, or the one word none')
  readonly allow!: string[] | null;
}
