import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../core/errors';
import { newId } from '../../core/ids';
import { AccountsRepository } from '../../dispatcher/registry/accounts.repository';
import { overlapEnd } from '../../dispatcher/registry/overlap';
import { RegistryChange } from '../../dispatcher/registry/registry-change';
import { bumpRegistryVersion } from '../../storage/registry-version';
import { type SealedSource, type SourceRecord, newestSecret } from '../registry/source-record';
import { hashOf, newToken } from '../registry/url-token';
import { changesOf } from './source-patch';
import type { CreateSourceDto, RotateSourceSecretDto, RotateUrlDto, UpdateSourceDto } from './sources.dto';
import { SourcesRepository } from './sources.repository';
import { withSecret } from './verification-of';

/** Each process holds all sources in memory. */
const MAX_SOURCES_OF_ACCOUNT = 1_000;

/** Changes of sources. An account of null means any: an admin key asks. */
@Injectable()
export class SourcesService {
  constructor(
    private readonly sources: SourcesRepository,
    private readonly accounts: AccountsRepository,
    private readonly registry: RegistryChange,
  ) {}

  async create(accountId: string, input: CreateSourceDto): Promise<SealedSource> {
    const source = newSource(accountId, input);
    await this.registry.commit(async (trx) => {
      // Whoever makes another one meanwhile waits here, and counts this one.
      await bumpRegistryVersion(trx);
      if ((await this.sources.count(trx, accountId)) >= MAX_SOURCES_OF_ACCOUNT) {
        throw new GatewayError('conflict', `An account has at most ${String(MAX_SOURCES_OF_ACCOUNT)} sources`);
      }
      await this.accounts.ensure(trx, accountId);
      await this.sources.insert(trx, source);
    });
    return opened(source);
  }

  /** `hasNewSecret`: it must be shown now. */
  async update(id: string, account: string | null, patch: UpdateSourceDto): Promise<{ source: SealedSource; hasNewSecret: boolean }> {
    let secret: string | undefined;
    const source = await this.change(id, account, (present) => {
      secret = newestSecret(present);
      return changesOf(patch, present);
    });
    return { source, hasNewSecret: newestSecret(source.open()) !== secret };
  }

  /** The secrets until now count beside the new one for a while, so that the sender can change over. */
  rotateSecret(id: string, account: string | null, input: RotateSourceSecretDto): Promise<SealedSource> {
    const now = Date.now();
    const until = overlapEnd('previousSecretUntil', input.previousSecretUntil, now);
    return this.change(id, account, (source) => {
      const previous = until > now ? ((source.secrets['secrets'] ?? []) as readonly string[]) : [];
      return {
        ...withSecret(source, input.secret ?? undefined),
        previousSecrets: previous,
        previousSecretsUntil: previous.length === 0 ? null : until,
      };
    });
  }

  /** The URL until now works beside the new one for a while. */
  rotateUrl(id: string, account: string | null, input: RotateUrlDto): Promise<SealedSource> {
    const now = Date.now();
    const until = overlapEnd('previousUrlUntil', input.previousUrlUntil, now);
    return this.change(id, account, ({ tokenHash }) => ({
      ...newUrl(),
      previousTokenHash: until > now ? tokenHash : null,
      previousTokenUntil: until > now ? until : null,
    }));
  }

  async remove(id: string, account: string | null): Promise<void> {
    await this.registry.commit(async (trx) => {
      if (!(await this.sources.remove(trx, id, account))) throw noSuchSource(id);
    });
  }

  private async change(id: string, account: string | null, change: (source: SourceRecord) => Partial<SourceRecord>): Promise<SealedSource> {
    const next = await this.registry.commit(async (trx) => {
      const present = (await this.sources.lock(trx, id, account))?.open();
      if (present === undefined) throw noSuchSource(id);
      const changed = { ...present, ...change(present), updatedAt: Date.now() };
      await this.sources.replace(trx, changed);
      return changed;
    });
    return opened(next);
  }
}

export const noSuchSource = (id: string): GatewayError => new GatewayError('not_found', `There is no source ${id.slice(0, 64)}`);

const opened = (source: SourceRecord): SealedSource => ({ ...source, open: () => source });

function newUrl(): Pick<SourceRecord, 'token' | 'tokenHash'> {
  const token = newToken();
  return { token, tokenHash: hashOf(token) };
}

function newSource(accountId: string, input: CreateSourceDto): SourceRecord {
  const now = Date.now();
  return {
    id: newId(),
    accountId,
    name: input.name,
    application: input.application,
    enabled: true,
    verification: { type: '' },
    secrets: {},
    previousSecrets: [],
    previousSecretsUntil: null,
    ...newUrl(),
    previousTokenHash: null,
    previousTokenUntil: null,
    eventTypeFrom: null,
    response: null,
    createdAt: now,
    updatedAt: now,
    ...changesOf(input),
  };
}
