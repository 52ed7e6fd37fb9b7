import { Injectable } from '@nestjs/common';
import { type Principal } from '../../auth/principal';
import { GatewayError } from '../../core/errors';
import { newId } from '../../core/ids';
import { RegistryVersion } from '../../storage/registry-version';
import { listScope } from '../registry/account-scope';
import type { EndpointRecord } from '../registry/endpoint-record';
import { EndpointsRepository } from '../registry/endpoints.repository';
import { noSuchEndpoint } from '../registry/endpoints.service';
import type { DeliveryFilter, JobKind, JobOrder, JobRow, ReplayFilter } from './job';
import { JobRunner } from './job-runner';
import { JobWork, type Preview } from './job-work';
import { JobsRepository, MAX_OPEN } from './jobs.repository';
import type { CancelDto, RedriveDto, ReplayDto } from './recovery.dto';

const DEFAULT_RATE: Record<JobKind, number> = { redrive: 500, replay: 500, cancel: 5_000 };

/** The preview that was asked for, or the job that was begun. */
export type Answered = { preview: Preview } | { job: JobRow };

interface Wish {
  ratePerSecond?: number;
  dryRun?: boolean;
}

/** Begins, shows and stops jobs. */
@Injectable()
export class JobsService {
  constructor(
    private readonly jobs: JobsRepository,
    private readonly work: JobWork,
    private readonly endpoints: EndpointsRepository,
    private readonly version: RegistryVersion,
    private readonly runner: JobRunner,
  ) {}

  /** @throws GatewayError `not_found` for an account or an endpoint that is not the key's, `conflict` for too many jobs. */
  async bulk(kind: 'redrive' | 'cancel', input: RedriveDto | CancelDto, principal: Principal): Promise<Answered> {
    const { accountId, since, until, ...others } = input.filter;
    const scope = listScope(principal, accountId);
    const account = others.endpointId === undefined ? scope : (await this.endpoint(others.endpointId, scope)).accountId;
    const filter: DeliveryFilter = {
      ...others,
      ...(since !== undefined && { sinceMs: Date.parse(since) }),
      ...(until !== undefined && { untilMs: Date.parse(until) }),
    };
    return this.begin({ kind, accountId: account, createdAt: Date.now(), filter }, others.endpointId ?? null, input);
  }

  /** @throws GatewayError `not_found`, `conflict` for a disabled endpoint or too many jobs. */
  async replay(endpointId: string, input: ReplayDto, principal: Principal): Promise<Answered> {
    const endpoint = await this.endpoint(endpointId, principal.accountId);
    if (!endpoint.enabled) throw new GatewayError('conflict', 'The endpoint is disabled; enable it first');
    const createdAt = Date.now();
    const { applications = [], eventTypes = [], levels = [] } = input.filter ?? {};
    const filter: ReplayFilter = {
      sinceMs: Date.parse(input.since),
      untilMs: input.until === undefined ? createdAt + 1 : Date.parse(input.until),
      ...(input.filter !== undefined && { events: { applications, eventTypes, levels } }),
    };
    return this.begin({ kind: 'replay', accountId: endpoint.accountId, endpointId, createdAt, filter }, endpointId, input);
  }

  /** @throws GatewayError `not_found`. */
  async find(id: string, account: string | null): Promise<JobRow> {
    const job = await this.jobs.find(id, account);
    if (!job) throw new GatewayError('not_found', `There is no job ${id.slice(0, 64)}`);
    return job;
  }

  /** One that has ended stays as it is. @throws GatewayError `not_found`. */
  async stop(id: string, account: string | null): Promise<JobRow> {
    await this.find(id, account);
    await this.jobs.askToStop(id);
    return this.find(id, account);
  }

  private async begin(order: JobOrder, endpointId: string | null, { ratePerSecond, dryRun }: Wish): Promise<Answered> {
    // What counts is the registry as it is now, whichever process has changed it.
    await this.version.changed();
    if (dryRun === true) return { preview: await this.work.preview(order) };
    await this.assertRoom(order.accountId);
    const { count, isLowerBound } = await this.work.preview(order);
    const { kind, accountId, createdAt, filter } = order;
    const job: JobRow = {
      id: newId(),
      kind,
      state: 'running',
      account_id: accountId,
      endpoint_id: endpointId,
      filter: JSON.stringify(filter),
      rate_per_second: ratePerSecond ?? DEFAULT_RATE[kind],
      total: count,
      total_is_lower_bound: isLowerBound ? 1 : 0,
      examined: 0,
      changed: 0,
      cursor: null,
      created_at: createdAt,
      updated_at: createdAt,
      finished_at: null,
      error: null,
    };
    await this.jobs.insert(job);
    this.runner.wake();
    return { job };
  }

  private async endpoint(id: string, account: string | null): Promise<EndpointRecord> {
    const endpoint = await this.endpoints.find(id, account);
    if (!endpoint) throw noSuchEndpoint(id);
    return endpoint;
  }

  private async assertRoom(account: string | null): Promise<void> {
    const open = await this.jobs.open();
    const own = open.filter((job) => job.account_id === account);
    if (open.length >= MAX_OPEN.all || own.length >= MAX_OPEN.account) {
      throw new GatewayError('conflict', 'Too many jobs are running; wait for one to end, or stop one');
    }
  }
}
