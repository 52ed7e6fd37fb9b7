import { Injectable } from '@nestjs/common';
import type { Transaction } from 'kysely';
import { parseCondition } from '../../core/conditions/parse-condition';
import { type FieldProblem, GatewayError } from '../../core/errors';
import { newId } from '../../core/ids';
import type { Schema } from '../../storage/schema';
import { AccountsRepository } from './accounts.repository';
import { EndpointsRepository } from './endpoints.repository';
import type { CreateFilterDto, UpdateFilterDto } from './filters.dto';
import { type FilterRecord, FiltersRepository } from './filters.repository';
import { RegistryChange } from './registry-change';

/** The matcher indexes a filter under each combination of its names. */
const MAX_COMBINATIONS = 10_000;

/** Changes of filters. An account of null means any: an admin key asks. */
@Injectable()
export class FiltersService {
  constructor(
    private readonly filters: FiltersRepository,
    private readonly endpoints: EndpointsRepository,
    private readonly accounts: AccountsRepository,
    private readonly registry: RegistryChange,
  ) {}

  create(accountId: string, input: CreateFilterDto): Promise<FilterRecord> {
    const now = Date.now();
    const filter = patchedFilter(newFilter(accountId, now), input);
    return this.registry.commit(async (trx) => {
      await this.accounts.ensure(trx, accountId);
      await this.assertEndpoints(trx, input, accountId);
      await this.filters.insert(trx, filter);
      return filter;
    });
  }

  update(id: string, account: string | null, patch: UpdateFilterDto): Promise<FilterRecord> {
    return this.registry.commit(async (trx) => {
      const present = await this.filters.lock(trx, id, account);
      if (!present) throw noSuchFilter(id);
      await this.assertEndpoints(trx, patch, present.accountId);
      const next = { ...patchedFilter(present, patch), updatedAt: Date.now() };
      await this.filters.replace(trx, next);
      return next;
    });
  }

  async remove(id: string, account: string | null): Promise<void> {
    await this.registry.commit(async (trx) => {
      if (!(await this.filters.remove(trx, id, account))) throw noSuchFilter(id);
    });
  }

  private async assertEndpoints(trx: Transaction<Schema>, { endpointIds }: UpdateFilterDto, account: string): Promise<void> {
    if (!endpointIds || endpointIds.length === 0) return;
    const unknown = await this.endpoints.unknownIds(trx, endpointIds, account);
    const problems = endpointIds.flatMap((id, index) =>
      unknown.has(id) ? [{ path: `endpointIds[${String(index)}]`, message: `${id.slice(0, 64)} is no endpoint of the account` }] : [],
    );
    if (problems.length > 0) throw new GatewayError('validation_failed', undefined, { problems });
  }
}

export const noSuchFilter = (id: string): GatewayError => new GatewayError('not_found', `There is no filter ${id.slice(0, 64)}`);

/** One that wants everything, and sends it nowhere. */
export const newFilter = (accountId: string, nowMs: number): FilterRecord => ({
  id: newId(),
  accountId,
  name: '',
  enabled: true,
  applications: [],
  eventTypes: [],
  levels: [],
  where: null,
  endpointIds: [],
  createdAt: nowMs,
  updatedAt: nowMs,
});

/** The filter with the fields that the patch gives. @throws GatewayError `validation_failed`. */
export function patchedFilter(filter: FilterRecord, patch: UpdateFilterDto): FilterRecord {
  const next: FilterRecord = {
    ...filter,
    ...(patch.name !== undefined && { name: patch.name ?? '' }),
    ...(patch.enabled !== undefined && { enabled: patch.enabled ?? true }),
    ...(patch.where !== undefined && { where: readWhere(patch.where) }),
  };
  for (const list of ['applications', 'eventTypes', 'levels', 'endpointIds'] as const) {
    if (patch[list] !== undefined) next[list] = [...new Set(patch[list])];
  }
  const combinations = [next.applications, next.eventTypes, next.levels].reduce((product, list) => product * Math.max(1, list.length), 1);
  if (combinations > MAX_COMBINATIONS) {
    const message = `must not make more than ${String(MAX_COMBINATIONS)} combinations with eventTypes and levels; use several filters`;
    throw new GatewayError('validation_failed', undefined, { problems: [{ path: 'applications', message }] });
  }
  return next;
}

/** Null where it asks for nothing. @throws GatewayError `validation_failed` naming every clause that is wrong. */
function readWhere(where: Record<string, unknown> | null): Record<string, unknown> | null {
  const problems: FieldProblem[] = [];
  const condition = where && parseCondition(where, problems);
  if (problems.length > 0) throw new GatewayError('validation_failed', undefined, { problems });
  return condition ? where : null;
}
