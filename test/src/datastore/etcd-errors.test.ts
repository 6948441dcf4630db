import { expect, test } from 'vitest';
import { asStoreError, unanswered } from '../../../src/datastore/etcd-errors.ts';
import { CompactedError, UnavailableError } from '../../../src/datastore/store.ts';

const AT = 'etcd at http://127.0.0.1:9';

// As gRPC and etcd say them.
test.each([
  [
    '14 UNAVAILABLE: No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:9. Resolution note: ',
    `${AT} does not answer: connect ECONNREFUSED 127.0.0.1:9`,
  ],
  [
    '14 UNAVAILABLE: No connection established. Last error: connect EHOSTUNREACH 10.0.0.1:2379. Resolution note: Name resolution failed',
    `${AT} does not answer: connect EHOSTUNREACH 10.0.0.1:2379`,
  ],
  [
    '14 UNAVAILABLE: Name resolution failed for target dns:nobody.invalid:2379',
    `${AT} does not answer: Name resolution failed for target dns:nobody.invalid:2379`,
  ],
  [
    '4 DEADLINE_EXCEEDED: Deadline exceeded after 1.501s,name resolution: 0.001s,metadata filters: 0.000s,LB pick: 0.000s',
    `${AT} does not answer: no reply within 1.5 seconds`,
  ],
  [
    '2 UNKNOWN: etcdserver: authentication failed, invalid user ID or password',
    `${AT} refuses us: etcdserver: authentication failed, invalid user ID or password`,
  ],
])('%s', (message, sentence) => {
  const error = asStoreError(new Error(message), ['http://127.0.0.1:9']);
  expect(error).toBeInstanceOf(UnavailableError);
  expect(error.message).toBe(sentence);
});

test('a revision that is compacted is told apart', () => {
  const cause = new Error('11 OUT_OF_RANGE: etcdserver: mvcc: required revision has been compacted');
  expect(asStoreError(cause, [])).toBeInstanceOf(CompactedError);
});

test('nobody answers: one sentence, each with its own reason where they differ', () => {
  const [one, two] = ['http://10.0.0.1:2379', 'http://10.0.0.2:2379'] as const;
  const silent = { endpoint: one, reason: 'no reply within 1.7 seconds' };
  expect(unanswered([silent, { ...silent, endpoint: two }]).message).toBe(
    `etcd at ${one}, ${two} does not answer: no reply within 1.7 seconds`,
  );
  expect(unanswered([silent, { endpoint: two, reason: 'etcdserver: no leader' }]).message).toBe(
    `etcd at ${one}, ${two} does not answer: ${one}: no reply within 1.7 seconds; ${two}: etcdserver: no leader`,
  );
});

test('the same failure at another time is the same sentence', () => {
  const at = (time: string): string =>
    asStoreError(new Error(`14 UNAVAILABLE: No connection established. Last error: Failed to connect (${time}). `), [])
      .message;
  expect(at('2026-11-26T08:04:28.040Z')).toBe(at('2026-11-26T09:10:11.121Z'));
});
