/** A session under what a hostile or unlucky peer, a bug of ours, or a strange clock does to it. */
import { describe, expect, test } from 'vitest';
import { encodeMessage, encodeUpdateFrame } from '../../../bird/wire.ts';
import { localSettings } from '../../support/bgp.ts';
import { context } from '../../support/bgp-bytes.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { KEEPALIVE, SessionBench } from '../../support/session-bench.ts';

const local = localSettings({ holdSeconds: 9, errorWaitSeconds: [5, 30] });

const thrower = (): never => {
  throw new Error('a bug');
};

describe('what is thrown while a session is at work ends that session, and nothing else', () => {
  test.each(['update', 'refresh', 'writable', 'up'] as const)('by %s: Cease, incident, log with stack', (where) => {
    const bench = new SessionBench(local, { handlers: { [where]: thrower } });
    bench.session.start();
    const connection = bench.establish();
    connection.sayOctets(encodeUpdateFrame({}));
    connection.say({ type: 'route-refresh', family: { afi: 1, safi: 1 }, subtype: 'request' });
    connection.handlers?.progress();
    expect([connection.sent.at(-1), connection.isOpen, bench.session.state]).toEqual(['6/8', false, 'Idle']);
    expect(bench.told.at(-1)).toBe('down: notification');
    expect(bench.session.incidents.at(-1)).toMatchObject({ text: 'internal error: a bug', isFlap: true });
    const [line] = bench.lines.filter(({ level }) => level === 'error');
    expect(line).toMatchObject({ fields: { peer: '10.0.0.2', error: { message: 'a bug' } } });
    expect(String((line?.fields['error'] as Error).stack)).toContain('session-robustness.test.ts');
  });

  test('and the session comes back after the wait for errors', async () => {
    let isBroken = true;
    const update = (): undefined => (isBroken ? thrower() : undefined);
    const bench = new SessionBench(local, { handlers: { update } });
    bench.session.start();
    bench.establish().sayOctets(encodeUpdateFrame({}));
    isBroken = false;
    await bench.clock.advance(5000);
    bench.establish().sayOctets(encodeUpdateFrame({}));
    expect(bench.session.state).toBe('Established');
  });

  test('by down itself: TCP is closed and no timer but the wait is left', async () => {
    const bench = new SessionBench(local, { handlers: { down: thrower } });
    bench.session.start();
    const connection = bench.establish();
    connection.notify(3, 1);
    expect([connection.isOpen, bench.session.state, bench.clock.pending]).toEqual([false, 'Idle', 1]);
    await bench.session.stop();
    expect(bench.clock.pending).toBe(0);
  });

  test('by the connection that is to take the farewell: it is closed, and the session comes back', async () => {
    const bench = new SessionBench(local);
    bench.session.start();
    const connection = bench.establish();
    connection.write = thrower;
    connection.sayOctets(new Uint8Array(19));
    expect([connection.isOpen, bench.session.state, bench.told.at(-1)]).toEqual([false, 'Idle', 'down: notification']);
    await bench.clock.advance(5000);
    expect(bench.session.state).toBe('Connect');
  });

  test('while dialling: waits and tries again', async () => {
    const bench = new SessionBench(local);
    bench.dialled.push = thrower;
    bench.session.start();
    expect([bench.session.state, bench.lastError]).toEqual(['Idle', 'internal error: a bug']);
    await bench.clock.advance(5000);
    expect(bench.session.reach.dialled).toBe(2);
  });

  test('by what the session does at another time', () => {
    const bench = new SessionBench(local);
    bench.session.start();
    const connection = bench.establish();
    bench.session.guard(thrower);
    expect([connection.sent.at(-1), bench.session.state]).toEqual(['6/8', 'Idle']);
  });

  test('by a connection that cannot even be refused', async () => {
    const bench = new SessionBench(local);
    const connection = new SessionBench(local).incoming();
    connection.write = thrower;
    bench.session.accept(connection);
    await bench.clock.advance(1);
    expect(bench.said('error')).toHaveLength(1);
    expect(bench.session.state).toBe('Idle');
  });
});

test('a whole session arrives octet by octet, NOTIFICATION included', () => {
  const bench = new SessionBench(local);
  bench.session.start();
  const connection = bench.last.open();
  const messages = [
    encodeMessage(bench.open, context()),
    encodeMessage(KEEPALIVE, context()),
    encodeUpdateFrame({}),
    encodeMessage(KEEPALIVE, context()),
    encodeUpdateFrame({}),
    encodeMessage({ type: 'notification', code: 6, subcode: 3, data: new Uint8Array() }, context()),
    encodeUpdateFrame({}),
  ];
  for (const message of messages) for (const octet of message) connection.sayOctets(Uint8Array.of(octet));
  expect(bench.told).toEqual(['up', 'update', 'update', 'down: notification']);
  expect(bench.session.messages.received).toEqual({
    open: 1,
    update: 2,
    notification: 1,
    keepalive: 2,
    routeRefresh: 0,
  });
});

test('a clock on the wall that jumps hours and years changes nothing', async () => {
  class JumpyClock extends FakeClock {
    #reads = 0;
    override wallTime(): number {
      return [0, 1e13, -5, 1e6][this.#reads++ % 4]!;
    }
  }
  const bench = new SessionBench(local, { clock: new JumpyClock() });
  bench.session.start();
  const connection = bench.establish();
  for (let i = 0; i < 100; i++) {
    await bench.clock.advance(3000);
    connection.say(KEEPALIVE);
    connection.handlers?.progress();
  }
  expect(bench.session).toMatchObject({ state: 'Established', flaps: 0 });
  await bench.clock.advance(9001);
  expect(bench.lastError).toBe('hold timer expired: nothing heard for 9 s');
});

test('a message longer than 4096 octets is refused by its length where extended messages were not agreed on', () => {
  const long = new Uint8Array(5000).fill(0xff, 0, 16);
  long.set([5000 >> 8, 5000 & 255, 2], 16);
  const bench = new SessionBench(local);
  bench.session.start();
  bench.establish().sayOctets(long);
  expect([bench.told, bench.last.sent.at(-1)]).toEqual([['up', 'down: notification'], '1/2']);
});
