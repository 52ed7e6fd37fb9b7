import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../core/errors';
import { Backlog } from '../delivery/backlog';
import { EgressGuard } from '../delivery/egress/egress-guard';
import { switchFacts } from '../operational/facts';
import { AccountsRepository } from './accounts.repository';
import { type EndpointRecord, newEndpoint, readable } from './endpoint-record';
import { changesOf, secretOf, switched } from './endpoint-patch';
import type { CreateEndpointDto, RotateSecretDto, UpdateEndpointDto } from './endpoints.dto';
import { EndpointsRepository } from './endpoints.repository';
import { assertNotManaged } from './managed-endpoint';
import { overlapEnd } from './overlap';
import { RegistryChange } from './registry-change';

/** Changes of endpoints. An account of null means any: an admin key asks. */
@Injectable()
export class EndpointsService {
  constructor(
    private readonly endpoints: EndpointsRepository,
    private readonly accounts: AccountsRepository,
    private readonly registry: RegistryChange,
    private readonly egress: EgressGuard,
    private readonly backlog: Backlog,
  ) {}

  async create(account: string, input: CreateEndpointDto): Promise<EndpointRecord> {
    await this.egress.assertUrlAllowed(input.url);
    const secret = secretOf(input.secret);
    const now = Date.now();
    const empty = newEndpoint(account, input.url, secret, now);
    const endpoint = { ...empty, ...changesOf(empty, input) };
    await this.registry.commit(async (trx) => {
      await this.accounts.ensure(trx, account);
      await this.endpoints.insert(trx, endpoint);
    });
    return endpoint;
  }

  async update(id: string, account: string | null, patch: UpdateEndpointDto): Promise<EndpointRecord> {
    if (patch.url !== undefined) await this.egress.assertUrlAllowed(patch.url);
    return this.change(id, account, (endpoint) => changesOf(endpoint, patch));
  }

  setEnabled(id: string, account: string | null, enabled: boolean): Promise<EndpointRecord> {
    return this.change(id, account, (endpoint) => switched(endpoint, enabled));
  }

  /** The secret until now signs beside the new one for a while, so that the receiver can change over. */
  rotateSecret(id: string, account: string | null, input: RotateSecretDto): Promise<EndpointRecord> {
    const secret = secretOf(input.secret);
    const now = Date.now();
    const until = overlapEnd('previousSecretUntil', input.previousSecretUntil, now);
    return this.change(id, account, (endpoint) => {
      // One that no key opens signs no more.
      const previousSecret = until > now ? (readable(() => endpoint.secret) ?? null) : null;
      return { secret, previousSecret, previousSecretUntil: previousSecret === null ? null : until };
    });
  }

  /** The puller finds that its open deliveries lead nowhere and cancels them, some at a time. */
  async remove(id: string, account: string | null): Promise<void> {
    await this.registry.commit(async (trx) => {
      const present = await this.endpoints.lock(trx, id, account);
      if (!present) throw noSuchEndpoint(id);
      assertNotManaged(present);
      await this.endpoints.remove(trx, id);
    });
    this.backlog.dueAt(Date.now());
  }

  private async change(
    id: string,
    account: string | null,
    change: (endpoint: EndpointRecord) => Partial<EndpointRecord>,
  ): Promise<EndpointRecord> {
    const changed = await this.registry.commit(async (trx) => {
      const present = await this.endpoints.lock(trx, id, account);
      if (!present) throw noSuchEndpoint(id);
      assertNotManaged(present);
      const next = await this.endpoints.update(trx, id, { ...change(present), updatedAt: Date.now() });
      await this.registry.tell(trx, switchFacts(present, next));
      return next;
    });
    // What waited for it to be enabled is due.
    if (changed.enabled) this.backlog.dueAt(Date.now());
    return changed;
  }
}

export const noSuchEndpoint = (id: string): GatewayError => new GatewayError('not_found', `There is no endpoint ${id.slice(0, 64)}`);
