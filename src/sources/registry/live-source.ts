import type { IncomingHttpHeaders } from 'node:http';
import { GatewayError } from '../../core/errors';
import { readable } from '../../dispatcher/registry/endpoint-record';
import type { SourceCheck } from '../../http/door';
import { readLocator } from '../../presets/locator';
import type { Preset, PresetAnswer, PresetContext, PresetSettings, Verifier } from '../../presets/preset';
import { findPreset } from '../../presets/presets';
import { HEADERS_ATTRIBUTE, type SourceTag, TAG_ATTRIBUTE, ledgerSourceOf } from '../reading/source-tag';
import { KeptHeaders } from './kept-headers';
import type { SealedSource, SourceRecord } from './source-record';

const EMPTY_ANSWER: PresetAnswer = { status: 200, contentType: 'text/plain; charset=utf-8', body: '' };

/** What was made of a source's secrets, as long as the same ones count. */
interface Ready {
  settings: PresetSettings;
  verifier: Verifier;
  /** Milliseconds since 1970. */
  until: number;
}

/** A source as its door uses it; made at each change of it, its verifier when the first request comes. */
export class LiveSource {
  readonly ledgerSource: string;
  readonly answer: PresetAnswer;
  private readonly tag: string;
  private readonly headers: KeptHeaders;
  private ready: Ready | undefined;

  constructor(
    readonly record: SealedSource,
    private readonly context: PresetContext,
  ) {
    const { id, accountId, application, verification, eventTypeFrom, response } = record;
    this.ledgerSource = ledgerSourceOf(id);
    const { type, dedupeFrom } = verification;
    const preset = findPreset(type);
    this.answer = response ?? preset?.answer ?? EMPTY_ANSWER;
    const tag: SourceTag = {
      ...{ id, accountId, application, type },
      ...(eventTypeFrom !== null && { eventTypeFrom }),
      ...(typeof dedupeFrom === 'string' && { dedupeFrom }),
    };
    this.tag = JSON.stringify(tag);
    this.headers = new KeptHeaders([...(preset?.reading.headers ?? []), ...headerOf(tag.eventTypeFrom), ...headerOf(tag.dedupeFrom)]);
  }

  /** @throws GatewayError `channel_not_configured` for a type that this version does not know. */
  get preset(): Preset {
    const { type } = this.record.verification;
    const preset = findPreset(type);
    if (preset === undefined) throw new GatewayError('channel_not_configured', `This version has no preset ${type}`);
    return preset;
  }

  /** Whether the token with that hash, which was its own at some time, still counts. */
  isOpenTo(tokenHash: string, nowMs: number): boolean {
    const { enabled, tokenHash: present, previousTokenUntil } = this.record;
    return enabled && (tokenHash === present || (previousTokenUntil ?? 0) > nowMs);
  }

  /** @throws GatewayError `channel_not_configured`, `secret_unreadable`. */
  readyAt(nowMs: number): Ready {
    if (this.ready === undefined || this.ready.until <= nowMs) this.ready = this.prepare(nowMs);
    return this.ready;
  }

  /** What reading a request of it needs. */
  attributesOf(headers: IncomingHttpHeaders): Record<string, string> {
    const kept = this.headers.of(headers);
    return kept === undefined ? { [TAG_ATTRIBUTE]: this.tag } : { [TAG_ATTRIBUTE]: this.tag, [HEADERS_ATTRIBUTE]: JSON.stringify(kept) };
  }

  /** How it is checked now; undefined where no key opens its secrets, or its type is not known here. */
  get check(): SourceCheck | undefined {
    const preset = findPreset(this.record.verification.type);
    const record = readable(() => this.record.open());
    if (preset === undefined || record === undefined) return undefined;
    return {
      source: this.ledgerSource,
      title: `the source "${record.name}"`,
      preset,
      settings: settingsOf(record),
      context: this.context,
      secretSetting: 'verification.secrets',
      oldSecrets: record.previousSecrets,
    };
  }

  private prepare(nowMs: number): Ready {
    const { preset } = this;
    const record = this.record.open();
    const { previousSecrets, previousSecretsUntil } = record;
    const isOverlap = previousSecretsUntil !== null && previousSecretsUntil > nowMs;
    const settings = settingsOf(record, isOverlap ? previousSecrets : []);
    return { settings, verifier: preset.verifier(settings, this.context), until: isOverlap ? previousSecretsUntil : Infinity };
  }
}

/** Its header, of a place that is one. */
function headerOf(place: string | undefined): string[] {
  const locator = place === undefined ? undefined : readLocator(place);
  return locator !== undefined && 'header' in locator ? [locator.header] : [];
}

function settingsOf({ verification, secrets }: SourceRecord, previous: readonly string[] = []): PresetSettings {
  const { type: _, ...fields } = verification;
  return { ...fields, ...secrets, secrets: [...((secrets['secrets'] ?? []) as readonly string[]), ...previous] };
}
