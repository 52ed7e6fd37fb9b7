import { type DeliveryFilter, type JobRow, type ReplayFilter, orderOf } from './job';
import type { JobDto } from './recovery.dto';

export const viewJob = (row: JobRow): JobDto => ({
  id: row.id,
  kind: row.kind as JobDto['kind'],
  state: row.state as JobDto['state'],
  accountId: row.account_id,
  endpointId: row.endpoint_id,
  filter: viewFilter(orderOf(row).filter),
  ratePerSecond: row.rate_per_second,
  total: row.total,
  totalIsLowerBound: row.total_is_lower_bound === 1,
  examined: row.examined,
  changed: row.changed,
  createdAt: isoOf(row.created_at),
  updatedAt: isoOf(row.updated_at),
  finishedAt: row.finished_at === null ? null : isoOf(row.finished_at),
  error: row.error,
});

const isoOf = (timeMs: number): string => new Date(timeMs).toISOString();

function viewFilter(filter: DeliveryFilter | ReplayFilter): Record<string, unknown> {
  const { sinceMs, untilMs, ...others } = filter;
  return {
    ...('events' in others ? others.events : others),
    ...(sinceMs !== undefined && { since: isoOf(sinceMs) }),
    ...(untilMs !== undefined && { until: isoOf(untilMs) }),
  };
}
