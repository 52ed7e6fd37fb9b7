import { Type } from 'class-transformer';
import { IsArray, IsBoolean, Matches, Validate, ValidateNested } from 'class-validator';
import { ConfigSection } from '../../config/config-section';
import { Secret } from '../../config/secret';
import { AUTH_TOKEN } from '../../presets/signing/twilio-signature';
import { ReplyRules } from './twilio.reply-rules';

/** What to answer, by our number (as Twilio writes it) or `default`: text, or TwiML. */
export type Replies = Readonly<Record<string, string>>;

export class TwilioReplies {
  @Validate(ReplyRules)
  readonly message!: Replies;

  @Validate(ReplyRules)
  readonly voice!: Replies;
}

@ConfigSection('hookServer.twilio')
export class TwilioConfig {
  @IsBoolean()
  readonly enabled!: boolean;

  @IsBoolean()
  readonly processEnabled!: boolean;

  /** Several of one account while its token is being changed. */
  @Secret()
  @IsArray()
  @Matches(AUTH_TOKEN, { each: true, message: 'auth tokens, each for all accounts or as AccountSid:token for one' })
  readonly authToken!: readonly string[];

  @ValidateNested()
  @Type(() => TwilioReplies)
  readonly replies!: TwilioReplies;
}
