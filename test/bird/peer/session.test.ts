import { beforeEach, describe, expect, test } from 'vitest';
import { Session } from '../../../bird/peer/session.ts';
import type { Connection, ConnectionHandlers } from '../../../bird/peer/transport.ts';
import { decodeMessage, encodeMessage, encodeUpdateFrame } from '../../../bird/wire.ts';
import type { Message } from '../../../bird/wire.ts';
import { parseIpAddress } from '../../../src/model/ip.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { localSettings, openOf } from '../../support/bgp.ts';
import { context } from '../../support/bgp-bytes.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** A connection whose other end is the test: it says what arrives, and reads what was sent. */
class Script implements Connection {
  readonly remoteAddress = parseIpAddress('10.0.0.2');
  readonly localAddress = parseIpAddress('10.0.0.1');
  readonly remotePort = 34567;
  readonly localPort = 179;
  readonly interface = undefined;
  queuedOctets = 0;
  isOpen = true;
  isPaused = false;
  readonly sent: string[] = [];
  handlers: ConnectionHandlers | undefined;

  attach(handlers: ConnectionHandlers): void {
    this.handlers = handlers;
  }
  secure(): void {
    // a script is next door
  }
  write(octets: Uint8Array): void {
    const result = decodeMessage(octets, context());
    const message = result.kind === 'ok' ? result.message : undefined;
    this.sent.push(
      message?.type === 'notification' ? `${message.code}/${message.subcode}` : (message?.type ?? 'garbage'),
    );
  }
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
  end(): Promise<void> {
    this.isOpen = false;
    return Promise.resolve();
  }
  destroy(): void {
    this.isOpen = false;
  }
  say(...messages: readonly Exclude<Message, { type: 'update' }>[]): void {
    for (const message of messages) this.handlers?.data(encodeMessage(message, context()));
  }
}

const local = localSettings({ holdSeconds: 9 });
const open = openOf(local);
const KEEPALIVE = { type: 'keepalive' } as const;

let clock: FakeClock;
let dialled: Script[];
let log: string[];
let session: Session;

beforeEach(() => {
  clock = new FakeClock();
  dialled = [];
  log = [];
  const dial = (): Connection => {
    const connection = new Script();
    dialled.push(connection);
    return connection;
  };
  const transport = { connect: dial, listen: () => Promise.reject(new Error('no listener here')) };
  session = new Session(
    {
      ports: { clock, random: () => 1, log: silentLogger, transport },
      target: () => ({ address: parseIpAddress('10.0.0.2'), port: 179 }),
      local: () => local,
    },
    {
      up: () => log.push('up'),
      down: ({ cause }) => log.push(`down: ${cause}`),
      update: () => void log.push('update'),
      refresh: () => log.push('refresh'),
      writable: () => log.push('writable'),
    },
  );
  session.start();
});

function establish(): Script {
  const connection = dialled.at(-1)!;
  connection.handlers?.opened();
  connection.say(open, KEEPALIVE);
  return connection;
}

test('dials, greets, confirms, and is up', () => {
  const connection = establish();
  expect(connection.sent).toEqual(['open', 'keepalive']);
  expect([session.state, log]).toEqual(['Established', ['up']]);
});

test('sends a keepalive every third of the hold time', async () => {
  const connection = establish();
  for (let i = 0; i < 4; i++) {
    await clock.advance(3000);
    connection.say(KEEPALIVE);
  }
  expect(connection.sent.filter((type) => type === 'keepalive')).toHaveLength(5);
});

test('a process that slept past the hold time reads what waits before it believes the timer', async () => {
  const connection = establish();
  // The timer fires, and in the same turn of the loop the KEEPALIVE that had long arrived is read.
  clock.after(9000, () => connection.say(KEEPALIVE));
  await clock.advance(9001);
  expect(session.state).toBe('Established');
  await clock.advance(9000);
  expect(session.lastError).toBe('hold timer expired: nothing heard for 9 s');
  expect(connection.sent.at(-1)).toBe('4/0');
});

describe('stray messages', () => {
  test.each([
    ['KEEPALIVE in OpenSent', [KEEPALIVE], '5/1'],
    ['OPEN in OpenConfirm', [open, open], '5/2'],
    ['OPEN in Established', [open, KEEPALIVE, open], '5/3'],
  ] as const)('%s', (_name, messages, code) => {
    const connection = dialled[0]!;
    connection.handlers?.opened();
    connection.say(...messages);
    expect(connection.sent.at(-1)).toBe(code);
    expect([session.state, connection.isOpen]).toEqual(['Idle', false]);
  });

  test('octets that are no BGP', () => {
    const connection = establish();
    connection.handlers?.data(new Uint8Array(19));
    expect(connection.sent.at(-1)).toBe('1/1');
  });
});

test('an UPDATE and the NOTIFICATION behind it are both read when the peer hangs up', () => {
  const connection = establish();
  connection.handlers?.data(encodeUpdateFrame({}));
  connection.say({ type: 'notification', code: 6, subcode: 4, data: new Uint8Array() });
  connection.handlers?.closed({ text: 'the peer closed the connection' });
  expect(log).toEqual(['up', 'update', 'down: notification']);
  expect(session.lastError).toBe('NOTIFICATION received: Cease / Administrative Reset');
});

describe('two connections at once', () => {
  test('ours is in OpenConfirm and the peer has the higher identifier: theirs wins, ours hears 6/7', () => {
    const ours = dialled[0]!;
    ours.handlers?.opened();
    const theirs = new Script();
    session.accept(theirs);
    ours.say(open);
    theirs.say(open);
    expect(ours.sent.at(-1)).toBe('6/7');
    theirs.say(KEEPALIVE);
    expect([session.state, ours.isOpen, theirs.isOpen]).toEqual(['Established', false, true]);
    expect(log).toEqual(['up']);
  });

  test('ours has not connected yet: theirs comes up and ours is given up', async () => {
    const theirs = new Script();
    session.accept(theirs);
    theirs.say(open, KEEPALIVE);
    expect([session.state, dialled[0]!.isOpen]).toEqual(['Established', false]);
    await clock.advance(1000);
    expect(dialled).toHaveLength(1);
  });

  test('a third one is hung up on', () => {
    dialled[0]!.handlers?.opened();
    session.accept(new Script());
    const third = new Script();
    session.accept(third);
    expect(third.isOpen).toBe(false);
  });

  test('an Established peer with graceful restart that connects anew has restarted', () => {
    establish();
    const fresh = new Script();
    session.accept(fresh);
    expect(log).toEqual(['up']);
    fresh.say(open, KEEPALIVE);
    expect(log).toEqual(['up', 'down: connection', 'up']);
    expect(dialled[0]!.sent).toEqual(['open', 'keepalive']);
  });
});

test('a peer that takes nothing for two minutes ends the session', async () => {
  const connection = establish();
  for (let i = 0; i < 41; i++) {
    connection.say(KEEPALIVE);
    await clock.advance(3000);
  }
  expect(session.lastError).toBe('the peer reads nothing: send hold timer expired');
});

test('there is no room to write while much is queued', () => {
  const connection = establish();
  connection.queuedOctets = 65_536;
  expect(session.room).toBe(0);
  connection.queuedOctets = 0;
  expect(session.room).toBeGreaterThan(60_000);
});

test('after stop nothing is left: no timer, no connection', async () => {
  const connection = establish();
  await session.stop();
  expect([connection.isOpen, clock.pending, log.at(-1)]).toEqual([false, 0, 'down: stop']);
});
