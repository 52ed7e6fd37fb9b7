import { IsOptional, IsString, MinLength } from 'class-validator';
import { ConfigSection } from '../config/config-section';
import { Secret } from '../config/secret';

@ConfigSection('auth')
export class AuthConfig {
  @Secret()
  @IsOptional()
  @IsString()
  @MinLength(32)
  readonly adminKey!: string | null;
}
