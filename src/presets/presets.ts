import { none } from './credentials/none';
import { mtlsHeader } from './credentials/mtls-header';
import { ip } from './credentials/ip';
import { hmac } from './hmac';
import { cloudevents } from './cloudevents/cloudevents';
import { bearer } from './credentials/bearer';
import { basic } from './credentials/basic';
import { apiKey } from './credentials/api-key';
import { github } from './github';
import type { Preset } from './preset';

/** Every type that `verification.type` may have. */
export const PRESETS: readonly Preset[] = [github, cloudevents, hmac, basic, bearer, apiKey, ip, mtlsHeader, none];

const byType: ReadonlyMap<string, Preset> = new Map(PRESETS.map((preset) => [preset.type, preset]));

export const findPreset = (type: string): Preset | undefined => byType.get(type);
