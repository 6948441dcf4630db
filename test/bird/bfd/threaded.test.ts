import { beforeEach, describe, expect, test } from 'vitest';
import type { BfdChange, BfdSessionSettings, BfdSessionView } from '../../../bird/bfd/index.ts';
import type { FromThread, ThreadSession, ToThread } from '../../../bird/bfd/messages.ts';
import { nameOf, sessionKey } from '../../../bird/bfd/name.ts';
import type { ThreadHandlers } from '../../../bird/bfd/thread.ts';
import { ThreadedBfd } from '../../../bird/bfd/threaded.ts';
import { parseIpAddress } from '../../../src/model/ip.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const PEER: BfdSessionSettings = {
  address: parseIpAddress('10.0.0.2'),
  transmitMs: 300,
  receiveMs: 300,
  multiplier: 3,
};
const OTHER: BfdSessionSettings = { ...PEER, address: parseIpAddress('fe80::2'), interface: 'eth0' };

class FakeThread {
  readonly told: ToThread[] = [];
  readonly handlers: ThreadHandlers;
  closed = Promise.withResolvers<undefined>();
  isClosing = false;

  constructor(handlers: ThreadHandlers) {
    this.handlers = handlers;
  }

  tell(message: ToThread): void {
    this.told.push(message);
  }

  async close(): Promise<void> {
    this.isClosing = true;
    await this.closed.promise;
  }

  get wanted(): readonly ThreadSession[] {
    const last = this.told.at(-1);
    return last?.do === 'setSessions' ? last.sessions : [];
  }

  says(settings: BfdSessionSettings, state: 'Up' | 'Down', life = this.#lifeOf(settings)): void {
    const view: BfdSessionView = {
      ...nameOf(settings),
      state,
      localDiscriminator: 5,
      transmitMs: 300,
      flaps: 0,
      packets: { received: 1, sent: 1, dropped: {} },
    };
    const wasUp = state === 'Down';
    const change = {
      ...nameOf(settings),
      state,
      diagnostic: 'why',
      wasUp,
      isPathFailure: wasUp,
      isPeerIndependent: false,
    };
    this.#say({ type: 'change', change, session: { key: sessionKey(settings), life, view } });
  }

  publishes(settings: BfdSessionSettings, received: number): void {
    const key = sessionKey(settings);
    const life = this.#lifeOf(settings);
    const packets = { received, sent: 0, dropped: {} };
    const view = {
      ...nameOf(settings),
      state: 'Init',
      localDiscriminator: 5,
      transmitMs: 300,
      flaps: 0,
      packets,
    } as const;
    this.#say({ type: 'views', sessions: [{ key, life, view }], strangers: { 'unknown peer': 3 } });
  }

  #say(message: FromThread): void {
    this.handlers.said(message);
  }

  #lifeOf(settings: BfdSessionSettings): number {
    return this.wanted.find((one) => sessionKey(one.settings) === sessionKey(settings))?.life ?? 0;
  }
}

let clock: FakeClock;
let threads: FakeThread[];
let bfd: ThreadedBfd;
let changes: BfdChange[];

beforeEach(() => {
  clock = new FakeClock();
  threads = [];
  changes = [];
  bfd = new ThreadedBfd({
    log: silentLogger,
    clock,
    start: (handlers) => {
      const thread = new FakeThread(handlers);
      threads.push(thread);
      return thread;
    },
  });
  bfd.onChange((change) => changes.push(change));
});

describe('the thread', () => {
  test('is not started while no session is wanted, and once for all that are', () => {
    bfd.setSessions([]);
    expect(threads).toHaveLength(0);
    bfd.setSessions([PEER]);
    bfd.setSessions([PEER, OTHER]);
    expect(threads).toHaveLength(1);
    expect(threads[0]!.wanted.map(({ settings }) => settings)).toEqual([PEER, OTHER]);
  });

  test('without sessions says goodbye to their peers, ends fifteen seconds later, and not if it is needed again', async () => {
    bfd.setSessions([PEER]);
    bfd.setSessions([]);
    expect(threads[0]!.told.at(-1)).toEqual({ do: 'setSessions', sessions: [] });
    await clock.advance(14_000);
    bfd.setSessions([PEER]);
    await clock.advance(60_000);
    expect(threads[0]!.isClosing).toBe(false);
    bfd.setSessions([]);
    await clock.advance(15_000);
    expect(threads[0]!.isClosing).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test('is not started beside one that still has the ports', async () => {
    bfd.setSessions([PEER]);
    bfd.setSessions([]);
    await clock.advance(15_000);
    bfd.setSessions([PEER]);
    await clock.advance(1000);
    expect(threads).toHaveLength(1);
    threads[0]!.closed.resolve(undefined);
    await clock.advance(0);
    expect(threads).toHaveLength(2);
    expect(threads[1]!.wanted).toHaveLength(1);
  });

  test('that dies by a fault is started again a second later; what was Up is told, and as no failure of the path', async () => {
    bfd.setSessions([PEER, OTHER]);
    threads[0]!.says(PEER, 'Up');
    threads[0]!.handlers.ended('out of luck');
    expect(changes.slice(1)).toEqual([
      {
        address: PEER.address,
        multihop: false,
        state: 'Down',
        diagnostic: 'the BFD thread ended: out of luck',
        wasUp: true,
        isPathFailure: false,
        isPeerIndependent: false,
      },
    ]);
    expect(bfd.sessions().map(({ state, problem }) => [state, problem])).toEqual([
      ['Down', 'the BFD thread ended: out of luck'],
      ['Down', 'the BFD thread ended: out of luck'],
    ]);
    bfd.setSessions([PEER]);
    expect(threads).toHaveLength(1);
    await clock.advance(1000);
    expect(threads[1]!.wanted.map(({ settings }) => settings)).toEqual([PEER]);
  });

  test('that dies when nothing is wanted any more stays dead', async () => {
    bfd.setSessions([PEER]);
    bfd.setSessions([]);
    threads[0]!.handlers.ended('out of luck');
    await clock.advance(60_000);
    expect(threads).toHaveLength(1);
  });

  test('is closed with all', async () => {
    bfd.setSessions([PEER]);
    const closed = bfd.close();
    expect(threads[0]!.isClosing).toBe(true);
    threads[0]!.closed.resolve(undefined);
    await closed;
    bfd.setSessions([PEER]);
    await clock.advance(60_000);
    expect(threads).toHaveLength(1);
    expect(bfd.sessions()).toEqual([]);
  });
});

describe('what the thread says', () => {
  test('is seen and heard', () => {
    bfd.setSessions([PEER]);
    expect(bfd.sessions()).toMatchObject([{ state: 'Down', transmitMs: 300 }]);
    threads[0]!.says(PEER, 'Up');
    expect(bfd.sessions()).toMatchObject([{ state: 'Up', localDiscriminator: 5 }]);
    expect(changes).toMatchObject([{ address: PEER.address, state: 'Up' }]);
  });

  test('of counters is seen, and no change', () => {
    bfd.setSessions([PEER]);
    threads[0]!.publishes(PEER, 17);
    threads[0]!.publishes(OTHER, 18);
    expect(bfd.sessions()).toMatchObject([{ state: 'Init', packets: { received: 17 } }]);
    expect(bfd.strangers()).toEqual({ 'unknown peer': 3 });
    expect(changes).toEqual([]);
  });

  test('of a session that is not wanted any more, or was taken away and came again, is not believed', () => {
    bfd.setSessions([PEER]);
    const [{ life } = { life: 0 }] = threads[0]!.wanted;
    bfd.setSessions([]);
    threads[0]!.says(PEER, 'Down', life);
    bfd.setSessions([PEER]);
    threads[0]!.says(PEER, 'Down', life);
    expect(changes).toEqual([]);
    threads[0]!.says(PEER, 'Up');
    expect(changes).toHaveLength(1);
  });

  test('of a session that stays through a change of settings is believed', () => {
    bfd.setSessions([PEER]);
    const [{ life } = { life: 0 }] = threads[0]!.wanted;
    bfd.setSessions([{ ...PEER, transmitMs: 100 }]);
    threads[0]!.says(PEER, 'Up', life);
    expect(changes).toHaveLength(1);
  });

  test('is no longer told to who unsubscribed', () => {
    const heard: BfdChange[] = [];
    const stop = bfd.onChange((change) => heard.push(change));
    bfd.setSessions([PEER]);
    threads[0]!.says(PEER, 'Up');
    stop();
    threads[0]!.says(PEER, 'Down');
    expect(heard).toHaveLength(1);
  });
});

describe('settings', () => {
  test('of two with one name the one that detects faster counts; interface and multihop make another name', () => {
    bfd.setSessions([{ ...PEER, receiveMs: 1000 }, PEER, { ...PEER, multiplier: 50 }, { ...PEER, multihop: true }]);
    expect(threads[0]!.wanted.map(({ settings }) => settings)).toEqual([PEER, { ...PEER, multihop: true }]);
  });

  test.each<[string, Partial<BfdSessionSettings>]>([
    ["bfd.transmitMs of peer 10.0.0.2 = '9': is not between 10 and 60000", { transmitMs: 9 }],
    ["bfd.receiveMs of peer 10.0.0.2 = 'null': is not between 10 and 60000", { receiveMs: NaN }],
    ["bfd.multiplier of peer 10.0.0.2 = '0': is no whole number between 1 and 255", { multiplier: 0 }],
    ["bfd.multiplier of peer 10.0.0.2 = '2.5': is no whole number between 1 and 255", { multiplier: 2.5 }],
    ["bfd.interface of peer febf::1 = '': is needed for a link-local address", { address: parseIpAddress('febf::1') }],
    ["bfd.localAddress of peer 10.0.0.2 = '6': is not of the peer's family", { localAddress: parseIpAddress('::1') }],
  ])('%s', (message, wrong) => {
    bfd.setSessions([OTHER]);
    expect(() => bfd.setSessions([{ ...PEER, ...wrong }])).toThrow(message);
    expect(threads[0]!.wanted.map(({ settings }) => settings)).toEqual([OTHER]);
  });
});
