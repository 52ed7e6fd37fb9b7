import { type FieldProblem, GatewayError } from '../../core/errors';
import { GATEWAY_APPLICATION } from '../../dispatcher/registry/match-index';
import { readEventTypeFrom } from '../reading/event-type-from';
import type { SourceRecord, SourceResponse } from '../registry/source-record';
import type { CreateSourceDto, SourceResponseDto, UpdateSourceDto } from './sources.dto';
import { verificationOf } from './verification-of';

/** Statuses that have no body. */
const EMPTY: ReadonlySet<number> = new Set([204, 205]);

/**
 * The fields that are given; undefined leaves one as it is, null sets it back to its default.
 * @param present Absent: it is made anew.
 * @throws GatewayError `validation_failed`.
 */
export function changesOf(input: UpdateSourceDto | CreateSourceDto, present?: SourceRecord): Partial<SourceRecord> {
  const { name, application, enabled, eventTypeFrom, response, verification } = input;
  const changes: Partial<SourceRecord> = {
    ...(name !== undefined && { name }),
    ...(application !== undefined && { application }),
    ...(enabled !== undefined && { enabled: enabled ?? true }),
    ...(eventTypeFrom !== undefined && { eventTypeFrom }),
    ...(response !== undefined && { response: response && responseOf(response) }),
  };
  assertValid(changes);
  if (verification === undefined) return changes;
  const checked = verificationOf(verification, present);
  // A secret that is replaced without a rotation counts no more, and those of another type never do.
  const isKept = present !== undefined && checked.verification.type === present.verification.type;
  return { ...changes, ...checked, ...(!isKept && { previousSecrets: [], previousSecretsUntil: null }) };
}

const responseOf = ({ status, contentType, body }: SourceResponseDto): SourceResponse => ({
  status: status ?? 200,
  contentType: contentType ?? 'text/plain; charset=utf-8',
  body: body ?? '',
});

function assertValid({ application, eventTypeFrom, response }: Partial<SourceRecord>): void {
  const problems: FieldProblem[] = [];
  if (application === GATEWAY_APPLICATION) {
    problems.push({ path: 'application', message: `must not be ${GATEWAY_APPLICATION}: such events are the gateway's own` });
  }
  if (typeof eventTypeFrom === 'string' && readEventTypeFrom(eventTypeFrom) === undefined) {
    problems.push({ path: 'eventTypeFrom', message: 'must be header:<name>, or body:<path> with a path such as event.type' });
  }
  if (response && EMPTY.has(response.status) && response.body !== '') {
    problems.push({ path: 'response.body', message: `must be empty: an answer of ${String(response.status)} has none` });
  }
  if (problems.length > 0) throw new GatewayError('validation_failed', undefined, { problems });
}
