import { cloudevents } from './cloudevents/cloudevents';
import { apiKey } from './credentials/api-key';
import { basic } from './credentials/basic';
import { bearer } from './credentials/bearer';
import { ip } from './credentials/ip';
import { mtlsHeader } from './credentials/mtls-header';
import { none } from './credentials/none';
import { github } from './github';
import { gitlab } from './gitlab';
import { hmac } from './hmac';
import { meta } from './meta';
import type { Preset } from './preset';
import { shopify } from './shopify';
import { slack } from './slack';
import { standardWebhooks } from './standard-webhooks';
import { stripe } from './stripe';
import { svix } from './svix';
import { twilio } from './twilio';
import { twitter } from './twitter';
import { webex } from './webex';

/** Every type that `verification.type` may have. */
export const PRESETS: readonly Preset[] = [
  meta,
  twitter,
  twilio,
  webex,
  standardWebhooks,
  svix,
  github,
  gitlab,
  stripe,
  shopify,
  slack,
  cloudevents,
  hmac,
  basic,
  bearer,
  apiKey,
  ip,
  mtlsHeader,
  none,
];

const byType: ReadonlyMap<string, Preset> = new Map(PRESETS.map((preset) => [preset.type, preset]));

export const findPreset = (type: string): Preset | undefined => byType.get(type);
