import { beforeEach, describe, expect, test } from 'vitest';
import { fault } from '../../../bird/peer/fault.ts';
import { encodeUpdateFrame } from '../../../bird/wire.ts';
import { localSettings, withoutRestart } from '../../support/bgp.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { KEEPALIVE, SessionBench } from '../../support/session-bench.ts';

const local = localSettings({ holdSeconds: 9 });

let bench: SessionBench;
let told: string[];

beforeEach(() => {
  bench = new SessionBench(local);
  ({ told } = bench);
  bench.session.start();
});

test('dials, greets, confirms, and is up', () => {
  const connection = bench.establish();
  expect(connection.sent).toEqual(['open', 'keepalive']);
  expect([bench.session.state, told]).toEqual(['Established', ['up']]);
});

test('sends a keepalive every third of the hold time', async () => {
  const connection = bench.establish();
  for (let i = 0; i < 4; i++) {
    await bench.clock.advance(3000);
    connection.say(KEEPALIVE);
  }
  expect(connection.sent.filter((type) => type === 'keepalive')).toHaveLength(5);
});

test('a process that slept past the hold time reads what waits before it believes the timer', async () => {
  const connection = bench.establish();
  // The timer fires, and in the same turn of the loop the KEEPALIVE that had long arrived is read.
  bench.clock.after(9000, () => connection.say(KEEPALIVE));
  await bench.clock.advance(9001);
  expect(bench.session.state).toBe('Established');
  await bench.clock.advance(9000);
  expect(bench.lastError).toBe('hold timer expired: nothing heard for 9 s');
  expect(connection.sent.at(-1)).toBe('4/0');
});

describe('stray messages', () => {
  const { open } = new SessionBench(local);
  test.each([
    ['KEEPALIVE in OpenSent', [KEEPALIVE], '5/1'],
    ['OPEN in Established', [open, KEEPALIVE, open], '5/3'],
  ] as const)('%s', (_name, messages, code) => {
    const connection = bench.last.open();
    connection.say(...messages);
    expect(connection.sent.at(-1)).toBe(code);
    expect([bench.session.state, connection.isOpen]).toEqual(['Idle', false]);
  });

  test('UPDATE in OpenConfirm', () => {
    const connection = bench.last.open();
    connection.say(open);
    connection.sayOctets(encodeUpdateFrame({}));
    expect(connection.sent.at(-1)).toBe('5/2');
  });

  test('an OPEN that is said twice is no error', () => {
    const connection = bench.last.open();
    connection.say(open, open, KEEPALIVE);
    expect(bench.session.state).toBe('Established');
  });

  test('octets that are no BGP', () => {
    const connection = bench.establish();
    connection.sayOctets(new Uint8Array(19));
    expect(connection.sent.at(-1)).toBe('1/1');
  });
});

test('an UPDATE and the NOTIFICATION behind it are both read when the peer hangs up', () => {
  const connection = bench.establish();
  connection.sayOctets(encodeUpdateFrame({}));
  connection.notify(6, 4);
  connection.hangUp();
  expect(told).toEqual(['up', 'update', 'down: notification']);
  expect(bench.lastError).toBe('NOTIFICATION received: Cease / Administrative Reset');
});

test('what comes behind a NOTIFICATION is read no more', () => {
  const connection = bench.establish();
  connection.notify(6, 2);
  connection.sayOctets(encodeUpdateFrame({}));
  expect(told).toEqual(['up', 'down: notification']);
  expect(connection.sent).toEqual(['open', 'keepalive']);
});

describe('a peer that takes nothing', () => {
  const starve = async (seconds: number): Promise<void> => {
    for (let i = 0; i < seconds; i += 3) {
      bench.last.say(KEEPALIVE);
      await bench.clock.advance(3000);
    }
  };
  test('for two minutes ends the session, and TCP is dropped without waiting for it', async () => {
    const connection = bench.establish();
    await starve(123);
    expect(bench.lastError).toBe('the peer reads nothing: send hold timer expired');
    expect([connection.sent.at(-1), connection.ended]).toEqual(['8/0', 'destroy']);
  });
  test('but for a little now and then lives', async () => {
    const connection = bench.establish();
    await starve(90);
    connection.handlers?.progress();
    await starve(90);
    expect(bench.session.state).toBe('Established');
  });
  test('for as long as was set', async () => {
    bench.local = { ...local, sendHoldSeconds: 30 };
    bench.establish();
    await starve(33);
    expect(bench.session.state).toBe('Idle');
  });
});

test('there is no room to write while much is queued', () => {
  const connection = bench.establish();
  connection.queuedOctets = 65_536;
  expect(bench.session.room).toBe(0);
  connection.queuedOctets = 0;
  expect(bench.session.room).toBeGreaterThan(60_000);
});

test('after stop nothing is left: no timer, no connection', async () => {
  const connection = bench.establish();
  await bench.session.stop();
  expect([connection.isOpen, bench.clock.pending, told.at(-1)]).toEqual([false, 0, 'down: stop']);
});

describe('the operator', () => {
  test('holds a peer down: Cease with the text, Idle, and its connections are refused by name', async () => {
    const connection = bench.establish();
    bench.local = { ...local, shutdown: 'new fibre' };
    bench.session.settingsChanged();
    expect([connection.sent.at(-1), bench.session.state, told.at(-1)]).toEqual(['6/2', 'Idle', 'down: stop']);
    expect(bench.lastError).toBe('administratively shut down: new fibre');
    const theirs = bench.incoming();
    expect([theirs.sent, theirs.ended]).toEqual([['6/5'], 'end']);
    await bench.clock.advance(600_000);
    expect([bench.session.state, bench.dialled.length]).toEqual(['Idle', 1]);
  });

  test('lets it go, and it starts at once', () => {
    bench.establish();
    bench.local = { ...local, shutdown: '', connectDelaySeconds: 60 };
    bench.session.settingsChanged();
    expect(bench.lastError).toBe('administratively shut down');
    bench.local = local;
    bench.session.settingsChanged();
    bench.establish();
    expect([bench.session.state, bench.session.flaps]).toEqual(['Established', 1]);
  });

  test('changes the text of a peer that is down, and nothing happens', () => {
    bench.local = { ...local, shutdown: 'one' };
    bench.session.settingsChanged();
    bench.local = { ...local, shutdown: 'two' };
    bench.session.settingsChanged();
    expect(bench.session.incidents.map(({ text }) => text)).toEqual(['administratively shut down: one']);
  });

  test('configured it as down: it never starts, and says so', async () => {
    const other = new SessionBench({ ...local, shutdown: 'spare' });
    other.session.start();
    await other.clock.advance(60_000);
    expect([other.session.state, other.dialled.length]).toEqual(['Idle', 0]);
    expect(other.session.incidents).toMatchObject([
      { kind: 'administrative', text: 'administratively shut down: spare' },
    ]);
  });

  test('resets it: Cease, and a new attempt in the same turn', () => {
    const connection = bench.establish();
    bench.session.reset(fault('administrativeReset', 'cleared'));
    expect([connection.sent.at(-1), bench.session.state, bench.dialled.length]).toEqual(['6/4', 'Connect', 2]);
  });
});

describe('a limit', () => {
  const tooMany = fault('maximumPrefixes', 'more than 100 prefixes');
  test('ends the session for as long as it says, and the peer is refused meanwhile', async () => {
    const connection = bench.establish();
    bench.session.reset(tooMany, 60);
    expect([connection.sent.at(-1), bench.session.state]).toEqual(['6/1', 'Idle']);
    expect(bench.incoming().sent).toEqual(['6/5']);
    await bench.clock.advance(59_999);
    expect(bench.session.state).toBe('Idle');
    await bench.clock.advance(1);
    expect(bench.session.state).toBe('Connect');
  });
  test('without an end waits for the operator', async () => {
    bench.establish();
    bench.session.reset(tooMany, Infinity);
    await bench.clock.advance(1e9);
    bench.session.start();
    expect(bench.session.state).toBe('Idle');
    bench.session.reset(fault('administrativeReset', 'cleared'));
    expect(bench.session.state).toBe('Connect');
  });
  test('of weeks is more than a timer of the runtime can count, and holds all the same', async () => {
    /** As setTimeout: what does not fit fires at once. */
    class RuntimeClock extends FakeClock {
      override after(ms: number, callback: () => void): () => void {
        return super.after(ms > 0x7fff_ffff ? 1 : ms, callback);
      }
    }
    bench = new SessionBench(local, { clock: new RuntimeClock() });
    bench.session.start();
    bench.establish();
    bench.session.reset(tooMany, 3_000_000);
    await bench.clock.advance(2_999_999_000);
    expect(bench.session.state).toBe('Idle');
    await bench.clock.advance(1000);
    expect(bench.session.state).toBe('Connect');
  });
});

describe('BFD', () => {
  test('ends a session that is up, and the peer is tried again', async () => {
    const connection = bench.establish();
    bench.session.bfdDown('BFD: control detection time expired');
    expect([connection.sent.at(-1), bench.session.state, told.at(-1)]).toEqual(['6/10', 'Active', 'down: bfd']);
    expect(bench.session.incidents).toMatchObject([
      {
        kind: 'bfd',
        isFlap: true,
        text: 'BFD: control detection time expired',
        notification: { name: 'Cease / BFD Down' },
      },
    ]);
    await bench.clock.advance(5000);
    expect(bench.session.state).toBe('Connect');
  });
  test('has nothing to say before', () => {
    bench.last.open();
    bench.session.bfdDown();
    expect([bench.session.state, bench.session.incidents]).toEqual(['OpenSent', []]);
  });
});

describe('connect delay', () => {
  test('waits before the first dial, and takes the peer’s connection meanwhile', async () => {
    const other = new SessionBench({ ...local, connectDelaySeconds: 2 });
    other.session.start();
    expect([other.session.state, other.dialled.length]).toEqual(['Active', 0]);
    const theirs = other.incoming();
    theirs.say(other.open, KEEPALIVE);
    expect(other.session.state).toBe('Established');
    await other.clock.advance(2000);
    expect(other.dialled).toHaveLength(0);
  });
  test('is over: dials', async () => {
    const other = new SessionBench({ ...local, connectDelaySeconds: 2 });
    other.session.start();
    await other.clock.advance(2000);
    expect([other.session.state, other.dialled.length]).toEqual(['Connect', 1]);
  });
});

describe('DelayOpen', () => {
  beforeEach(() => {
    bench.local = withoutRestart({ ...local, delayOpenSeconds: 4 });
  });
  test('the peer speaks first, and our OPEN comes with the KEEPALIVE', () => {
    const connection = bench.last.open();
    expect(connection.sent).toEqual([]);
    connection.say(bench.open);
    expect([connection.sent, bench.session.state]).toEqual([['open', 'keepalive'], 'OpenConfirm']);
  });
  test('nobody speaks: we do, when it is over', async () => {
    const connection = bench.last.open();
    await bench.clock.advance(4000);
    expect([connection.sent, bench.session.state]).toEqual([['open'], 'OpenSent']);
    connection.say(bench.open, KEEPALIVE);
    expect(bench.session.state).toBe('Established');
  });
  test('a NOTIFICATION instead of an OPEN is understood', () => {
    const connection = bench.last.open();
    connection.notify(6, 5);
    expect([connection.sent, bench.session.state, bench.lastError]).toEqual([
      [],
      'Active',
      'NOTIFICATION received: Cease / Connection Rejected',
    ]);
  });
  test('garbage instead of an OPEN is hung up on without a word', () => {
    const connection = bench.last.open();
    connection.sayOctets(new Uint8Array(19));
    expect([connection.sent, connection.isOpen, bench.session.state]).toEqual([[], false, 'Idle']);
  });
});
