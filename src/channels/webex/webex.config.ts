import { IsArray, IsBoolean, IsInt, IsNotEmpty, IsString, Matches, Max, Min } from 'class-validator';
import { ConfigSection } from '../../config/config-section';
import { Secret } from '../../config/secret';

@ConfigSection('hookServer.webex')
export class WebexConfig {
  @IsBoolean()
  readonly enabled!: boolean;

  @IsBoolean()
  readonly processEnabled!: boolean;

  /** Several while it is being changed: a signature by any of them counts. */
  @Secret()
  @IsArray()
  @IsString({ each: true })
  @IsNotEmpty({ each: true })
  readonly secret!: readonly string[];

  /** In any of the forms of `webexId`. */
  @IsArray()
  @Matches(/^[\w+/=:.-]+$/, { each: true, message: 'ids of bots as the API shows them, no names and no addresses' })
  readonly botPersonId!: readonly string[];

  @IsInt()
  @Min(1)
  @Max(64)
  readonly workerCount!: number;
}
