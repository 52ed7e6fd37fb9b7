import { Injectable } from '@nestjs/common';
import { ServerConfig } from '../../config/app.config';
import { GatewayError } from '../../core/errors';
import type { Form } from '../../presets/request/form';
import { TwilioVerifier } from '../../presets/signing/twilio-signature';
import { publicUrlOf } from '../../presets/signing/twilio-urls';
import { TwilioConfig } from './twilio.config';

/** The channel, its doors, its application and the ledger's source. */
export const TWILIO = 'twilio';

/** Checks X-Twilio-Signature, as `TwilioVerifier` does, with the settings of the channel. */
@Injectable()
export class TwilioSignature {
  private readonly verifier: TwilioVerifier;

  constructor(
    private readonly config: TwilioConfig,
    private readonly server: ServerConfig,
  ) {
    this.verifier = new TwilioVerifier((target) => publicUrlOf(server.publicUrl ?? '', target), config.authToken);
  }

  assertForm(target: string, form: Form, header: string | undefined): string | undefined {
    return this.configured().assertForm(target, form, header);
  }

  assertQuery(target: string, form: Form, header: string | undefined): string | undefined {
    return this.configured().assertQuery(target, form, header);
  }

  assertJson(target: string, body: Buffer, header: string | undefined): string | undefined {
    return this.configured().assertJson(target, body, header);
  }

  private configured(): TwilioVerifier {
    if (this.server.publicUrl === null) throw new GatewayError('channel_not_configured', 'hookServer.publicUrl is not set');
    if (this.config.authToken.length === 0) throw new GatewayError('channel_not_configured', 'hookServer.twilio.authToken is not set');
    return this.verifier;
  }
}
