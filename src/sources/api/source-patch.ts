import { isDeepStrictEqual } from 'node:util';
import { type FieldProblem, GatewayError } from '../../core/errors';
import { GATEWAY_APPLICATION } from '../../dispatcher/registry/match-index';
import { locatorProblemOf } from '../../presets/locator';
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
  // A secret that is replaced without a rotation ends the one under way, and so does another type.
  const isKept =
    checked.verification.type === present?.verification.type && isDeepStrictEqual(checked.secrets['secrets'], present.secrets['secrets']);
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
  const misplaced = typeof eventTypeFrom === 'string' ? locatorProblemOf(eventTypeFrom) : undefined;
  if (misplaced !== undefined) problems.push({ path: 'eventTypeFrom', message: misplaced });
  if (response && EMPTY.has(response.status) && response.body !== '') {
    problems.push({ path: 'response.body', message: `must be empty: an answer of ${String(response.status)} has none` });
  }
  if (problems.length > 0) throw new GatewayError('validation_failed', undefined, { problems });
}
