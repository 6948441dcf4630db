/** Two connections of one peer, as octets see them. RFC 4271 §6.8; our own BGP Identifier is the lower one here. */
import { beforeEach, describe, expect, test } from 'vitest';
import { openOf, localSettings, withoutRestart } from '../../support/bgp.ts';
import { KEEPALIVE, SessionBench } from '../../support/session-bench.ts';
import type { Script } from '../../support/session-bench.ts';

const local = localSettings({ holdSeconds: 9 });
const DOMINANT = 0x0a00_0000;

let bench: SessionBench;

beforeEach(() => {
  bench = new SessionBench(local);
  bench.session.start();
});

/** Both connections stand, no OPEN of the peer is there. */
function collide(): readonly [Script, Script] {
  const ours = bench.last.open();
  return [ours, bench.incoming()];
}

describe('both in OpenSent, OPENs on both: the side with the higher identifier keeps the connection that it made', () => {
  test.each(['ours first', 'theirs first'])('the peer is higher, %s: theirs lives, ours hears 6/7', (order) => {
    const [ours, theirs] = collide();
    for (const each of order === 'ours first' ? [ours, theirs] : [theirs, ours]) each.say(bench.open);
    expect([ours.sent.at(-1), ours.isOpen, theirs.isOpen]).toEqual(['6/7', false, true]);
    theirs.say(KEEPALIVE);
    expect([bench.session.state, bench.told]).toEqual(['Established', ['up']]);
  });

  test.each(['ours first', 'theirs first'])('we are higher, %s: ours lives, theirs hears 6/7', (order) => {
    const [ours, theirs] = collide();
    const open = openOf(local, DOMINANT);
    for (const each of order === 'ours first' ? [ours, theirs] : [theirs, ours]) each.say(open);
    expect([theirs.sent.at(-1), theirs.isOpen, ours.isOpen]).toEqual(['6/7', false, true]);
    ours.say(KEEPALIVE);
    expect([bench.session.state, bench.told]).toEqual(['Established', ['up']]);
  });

  test('it is no failure: no error is shown, but the incident is there', () => {
    const [ours, theirs] = collide();
    ours.say(bench.open);
    theirs.say(bench.open, KEEPALIVE);
    expect(bench.lastError).toBeUndefined();
    expect(bench.session.incidents).toMatchObject([{ kind: 'notification sent', isFlap: false }]);
    expect(bench.said('info')).toEqual(['%BGP-5-ADJCHANGE: neighbor 10.0.0.2 Up']);
  });
});

test('equal identifiers: the higher AS keeps the connection that it made, RFC 6286', () => {
  const external = localSettings({ holdSeconds: 9, remoteAsn: 64000 });
  bench = new SessionBench(external);
  bench.session.start();
  const [ours, theirs] = collide();
  for (const each of [ours, theirs]) each.say(openOf(external, external.bgpIdentifier));
  expect([ours.isOpen, theirs.isOpen, theirs.sent.at(-1)]).toEqual([true, false, '6/7']);
});

test('the peer judges first: its 6/7 on ours leaves theirs to go on', () => {
  const [ours, theirs] = collide();
  theirs.say(bench.open);
  ours.notify(6, 7);
  theirs.say(KEEPALIVE);
  expect([bench.session.state, bench.lastError]).toEqual(['Established', undefined]);
});

describe('the peer speaks over one of the two alone', () => {
  test('the one that is to survive: it comes up at once, and the other hears 6/7', () => {
    const [ours, theirs] = collide();
    theirs.say(bench.open, KEEPALIVE);
    expect([bench.session.state, ours.sent.at(-1), ours.isOpen]).toEqual(['Established', '6/7', false]);
  });

  test('the other one: it waits for a second, read no further, and then comes up', async () => {
    const [ours, theirs] = collide();
    ours.say(bench.open, KEEPALIVE);
    expect([ours.sent, ours.isPaused, bench.session.state]).toEqual([['open'], true, 'OpenSent']);
    await bench.clock.advance(999);
    expect(bench.session.state).toBe('OpenSent');
    await bench.clock.advance(1);
    expect([bench.session.state, ours.isPaused, theirs.sent.at(-1)]).toEqual(['Established', false, '6/7']);
  });

  test('the other one: it goes on at once where the one that is to survive ends', () => {
    const [ours, theirs] = collide();
    ours.say(bench.open, KEEPALIVE);
    theirs.hangUp();
    expect([bench.session.state, ours.isPaused]).toEqual(['Established', false]);
  });

  test('the other one, and hangs up: the one that is to survive is still waited for', async () => {
    const [ours, theirs] = collide();
    ours.say(bench.open);
    ours.hangUp();
    theirs.say(bench.open, KEEPALIVE);
    expect(bench.session.state).toBe('Established');
    await bench.clock.advance(2000);
    expect([bench.session.state, bench.told]).toEqual(['Established', ['up']]);
  });

  test('the other one, and we are stopped: nothing is left to happen', async () => {
    const [ours] = collide();
    ours.say(bench.open, KEEPALIVE);
    await bench.session.stop();
    expect([bench.clock.pending, bench.told]).toEqual([0, []]);
  });
});

test('the session is not up for a moment on a connection that gives way', () => {
  const [ours, theirs] = collide();
  ours.say(bench.open, KEEPALIVE);
  theirs.say(bench.open);
  expect([bench.told, ours.sent]).toEqual([[], ['open', '6/7']]);
  theirs.say(KEEPALIVE);
  expect(bench.told).toEqual(['up']);
});

test('ours has not connected yet: theirs comes up and ours is given up', async () => {
  const theirs = bench.incoming();
  theirs.say(bench.open, KEEPALIVE);
  expect([bench.session.state, bench.dialled[0]!.isOpen]).toEqual(['Established', false]);
  await bench.clock.advance(1000);
  expect(bench.dialled).toHaveLength(1);
});

test('one of the two fails: the other carries on', () => {
  const [ours, theirs] = collide();
  theirs.hangUp();
  ours.say(bench.open);
  expect(bench.session.state).toBe('OpenConfirm');
  const again = bench.incoming();
  ours.hangUp();
  again.say(bench.open, KEEPALIVE);
  expect(bench.session.state).toBe('Established');
});

test('a third one is refused, and told so', () => {
  collide();
  const third = bench.incoming();
  expect([third.sent, third.ended]).toEqual([['6/5'], 'end']);
});

test('a flood of connections is dropped without a word for each', () => {
  collide();
  const flood = Array.from({ length: 1000 }, () => bench.incoming());
  expect(flood.filter(({ isOpen }) => isOpen)).toEqual([]);
  expect(flood.filter(({ sent }) => sent.length > 0)).toHaveLength(4);
  expect(bench.session.reach.incoming).toBe(1001);
  expect(bench.session.incidents).toMatchObject([{ kind: 'connection refused by us', count: 1000 }]);
});

describe('an Established session', () => {
  test('without graceful restart is never disturbed', () => {
    bench = new SessionBench(withoutRestart(local));
    bench.session.start();
    bench.establish();
    const fresh = bench.incoming();
    fresh.say(bench.open, KEEPALIVE);
    expect([fresh.sent, bench.told, bench.session.state]).toEqual([['6/7'], ['up'], 'Established']);
  });

  test('with graceful restart ends when the peer connects anew and says OPEN and KEEPALIVE: it has restarted', () => {
    bench.establish();
    const fresh = bench.incoming();
    fresh.say(bench.open);
    expect(bench.told).toEqual(['up']);
    fresh.say(KEEPALIVE);
    expect(bench.told).toEqual(['up', 'down: connection', 'up']);
    expect(bench.dialled[0]!.sent).toEqual(['open', 'keepalive']);
  });

  test('with graceful restart survives a connection that the peer made at the same moment, and gives up', () => {
    bench.establish();
    const late = bench.incoming();
    late.say(bench.open);
    late.notify(6, 7);
    expect([bench.told, bench.session.state]).toEqual([['up'], 'Established']);
  });

  test('with graceful restart survives a connection that says nothing', async () => {
    const up = bench.establish();
    const silent = bench.incoming();
    for (let i = 0; i < 100; i++) {
      await bench.clock.advance(3000);
      up.say(KEEPALIVE);
      up.handlers?.progress();
    }
    expect([bench.told.filter((word) => word !== 'writable'), silent.sent.at(-1)]).toEqual([['up'], '4/0']);
  });
});

describe('with DelayOpen', () => {
  beforeEach(() => {
    bench.local = { ...local, delayOpenSeconds: 4 };
  });

  test('both wait for the peer: its OPENs on both are judged by the identifiers', () => {
    const [ours, theirs] = collide();
    expect([ours.sent, theirs.sent]).toEqual([[], []]);
    ours.say(bench.open);
    theirs.say(bench.open);
    expect([ours.sent, ours.isOpen, theirs.sent]).toEqual([[], false, ['open', 'keepalive']]);
    theirs.say(KEEPALIVE);
    expect([bench.session.state, bench.told]).toEqual(['Established', ['up']]);
  });

  test('one waits still when the other is Established: it is given up', () => {
    const [ours, theirs] = collide();
    theirs.say(bench.open, KEEPALIVE);
    expect([bench.session.state, ours.isOpen, ours.sent]).toEqual(['Established', false, []]);
  });

  test('the connection of the peer ends while it waits beside ours: ours carries on, and nobody dials twice', async () => {
    const [ours, theirs] = collide();
    theirs.hangUp();
    await bench.clock.advance(3999);
    expect([ours.sent, bench.dialled.length]).toEqual([[], 1]);
    const again = bench.incoming();
    ours.say(bench.open, KEEPALIVE);
    await bench.clock.advance(1000);
    expect([bench.session.state, again.isOpen]).toEqual(['Established', false]);
  });
});
