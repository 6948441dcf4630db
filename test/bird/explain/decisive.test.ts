import { describe, expect, test } from 'vitest';
import { decisiveIncident } from '../../../bird/explain/decisive.ts';
import type { PeerIncident } from '../../../bird/view.ts';
import { explained, incident, NOW, notified } from '../../support/explanations.ts';

const at = (secondsAgo: number, one: PeerIncident): PeerIncident => ({ ...one, at: NOW - secondsAgo * 1000 });
const refused = incident('connection failed', 'connection refused', { errno: 'ECONNREFUSED' });
const hungUp = incident('connection lost', 'the peer closed the connection');
const rejected = notified('received', '6/5');
const wrongAs = notified('sent', '2/2');

test('the newest incident decides', () => {
  const unreachable = at(1, incident('connection failed', 'x', { errno: 'EHOSTUNREACH' }));
  expect(decisiveIncident([at(9, wrongAs), unreachable])).toBe(unreachable);
  expect(decisiveIncident([])).toBeUndefined();
});

test.each([
  ['a connection that we refuse while we wait', incident('connection refused by us', 'we wait')],
  ['a collision of connections', notified('sent', '6/7')],
])('%s explains nothing: what was before it does', (_, noise) => {
  expect(decisiveIncident([wrongAs, noise])).toBe(wrongAs);
  expect(decisiveIncident([noise])).toBeUndefined();
});

test('a collision that cost the session is news', () => {
  const lost = { ...notified('received', '6/7'), isFlap: true };
  expect(decisiveIncident([wrongAs, lost])).toBe(lost);
});

describe.each([
  ['is rejected', rejected],
  ['is hung up on', hungUp],
  ['is refused', refused],
])('an attempt that %s', (_, aftermath) => {
  test('a minute after an error: the error explains both', () =>
    expect(decisiveIncident([at(60, wrongAs), at(1, aftermath)])).toEqual(at(60, wrongAs)));
  test('ten minutes after it: nobody waits so long, so it stands for itself', () =>
    expect(decisiveIncident([at(600, wrongAs), at(1, aftermath)])).toEqual(at(1, aftermath)));
  test.each([
    ['a shutdown', notified('received', '6/2')],
    ['a shutdown as Hard Reset', notified('received', '6/9', '0602')],
    ['a prefix limit', notified('received', '6/1')],
    ['a removal', notified('received', '6/3')],
  ])('ten hours after %s: an operator has to undo that', (...[, ended]) =>
    expect(decisiveIncident([at(36_000, ended), at(1, aftermath)])).toEqual(at(36_000, ended)),
  );
  test.each([
    ['a reset', notified('received', '6/4')],
    ['a crash', incident('connection lost', 'reset', { isFlap: true })],
    ['a change of our settings', incident('administrative', 'the settings changed')],
  ])('after %s stands for itself', (...[, before]) =>
    expect(decisiveIncident([at(9, before), at(1, aftermath)])).toEqual(at(1, aftermath)),
  );
  test('after a crash: a shutdown before it is long undone', () => {
    const crash = at(9, incident('connection lost', 'reset', { isFlap: true }));
    const incidents = [at(36_000, { ...notified('received', '6/2'), isFlap: true }), crash, at(1, aftermath)];
    expect(decisiveIncident(incidents)).toEqual(at(1, aftermath));
  });
  test('after a change of our settings: what was wrong before it does not explain it', () => {
    const changed = at(5, incident('administrative', 'the settings changed'));
    expect(decisiveIncident([at(9, wrongAs), changed, at(1, aftermath)])).toEqual(at(1, aftermath));
  });
});

test('a silence between two times that the host cannot be reached is a part of it', () => {
  const unreachable = incident('connection failed', 'x', { errno: 'EHOSTUNREACH' });
  const silence = at(1, incident('silence', 'no answer within 3 s'));
  expect(decisiveIncident([at(5, unreachable), silence])).toEqual(at(5, unreachable));
  expect(decisiveIncident([at(90, unreachable), silence])).toEqual(silence);
  expect(decisiveIncident([at(5, refused), silence])).toEqual(silence);
});

test('a crash is news also after an error', () => {
  const crash = at(1, incident('connection lost', 'reset', { isFlap: true }));
  expect(decisiveIncident([at(9, wrongAs), crash])).toBe(crash);
});

test('the verdict follows', () => {
  expect(explained({ incidents: [at(60, wrongAs), at(1, rejected)] }).cause).toBe('wrong AS');
  expect(explained({ incidents: [at(600, wrongAs), at(1, rejected)] }).cause).toBe('not configured at the peer');
});
