import { type EndpointNote, followed, notesOf } from './endpoint-notes';
import type { Outcome } from './outcome';

interface Attempted {
  code: string;
  at?: number;
  source?: string;
  endpointId?: string;
}

function outcome({ code, at = 5, source = 'events', endpointId = 'e' }: Attempted): Outcome {
  const verdict: Outcome['verdict'] =
    code === '204' ? { kind: 'delivered' } : code === '410' ? { kind: 'gone' } : { kind: 'waiting', delayMs: 1 };
  return {
    delivery: { deliveryId: 'd', endpointId, attemptCount: 0, fanOut: 1, eventId: 'v', source },
    result: { at, durationMs: 1, status: null, code, retryAfter: null, address: null, responseHead: null },
    verdict,
  };
}

const of = (...attempts: Attempted[]): EndpointNote | undefined => notesOf(attempts.map(outcome)).get('e');

describe('notesOf', () => {
  it('says one thing of each endpoint: gone over succeeding over failing', () => {
    expect(of({ code: '500' })).toMatchObject({ state: 'failing', code: '500', failures: 1, hasSucceeded: false });
    expect(of({ code: '500', at: 9 }, { code: '204' }, { code: 'timeout', at: 7 })).toEqual({
      state: 'succeeding',
      code: '204',
      hasSucceeded: true,
      hasRecovered: true,
      failures: 2,
      lastFailureBegunAt: 9,
    });
    expect(of({ code: '204' }, { code: '410' }, { code: '500' })).toMatchObject({ state: 'gone', code: '410', failures: 2 });
    expect([...notesOf([outcome({ code: '500' }), outcome({ code: '500', endpointId: 'f' })]).keys()]).toEqual(['e', 'f']);
  });

  it.each(['address_refused', 'invalid_request', 'dns_unavailable', 'local_error'])('does not hold %s against the receiver', (code) => {
    expect(of({ code })).toBeUndefined();
  });

  it('says nothing of what could not be attempted', () => {
    expect(notesOf([{ ...outcome({ code: '500' }), result: undefined }]).size).toBe(0);
  });

  it('takes no success of an operational event for a recovery', () => {
    expect(of({ code: '204', source: 'hookline' })).toMatchObject({ hasSucceeded: true, hasRecovered: false });
    expect(of({ code: '204', source: 'hookline' }, { code: '204' })).toMatchObject({ hasRecovered: true });
  });
});

describe('followed', () => {
  const note = (code: string): EndpointNote => of({ code }) as EndpointNote;

  it('ends with the later group, and keeps what the earlier one showed', () => {
    expect(followed(note('204'), note('500'))).toMatchObject({ state: 'failing', hasSucceeded: true, failures: 1 });
    expect(followed(note('500'), note('204'))).toMatchObject({ state: 'succeeding', failures: 1 });
    expect(followed(note('410'), note('500'))).toMatchObject({ state: 'gone', failures: 2 });
  });
});
