import { expect, test } from 'vitest';
import type { Speaker, SpeakerSettings } from '../../../bird/index.ts';
import { SpeakerKeeper } from '../../../src/speaker/speaker-keeper.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { fakeSpeaker } from '../../support/fake-speaker.ts';

const settings = (asn: number, port = 179): SpeakerSettings => ({
  asn,
  bgpIdentifier: 1,
  listen: [{ address: '0.0.0.0', port }],
  transit: false,
  gracefulRestart: { restarting: false, deferralSeconds: 5 },
});

const wish = (speaker: SpeakerSettings, peers = 0): Parameters<SpeakerKeeper['update']>[0] => ({
  settings: speaker,
  peers: Array.from({ length: peers }, () => ({}) as never),
  originated: [],
});

interface Bench {
  readonly keeper: SpeakerKeeper;
  readonly clock: FakeClock;
  readonly calls: string[];
  readonly settled: () => Promise<void>;
  /** Ends a drain under way. */
  readonly drained: PromiseWithResolvers<undefined>;
}

/** `start` is what a speaker's start() does: it may fail or take its time. */
function keeper(start: (settings: SpeakerSettings) => Promise<void> = () => Promise.resolve()): Bench {
  const calls: string[] = [];
  const clock = new FakeClock();
  const drained = Promise.withResolvers<undefined>();
  const createSpeaker = (given: SpeakerSettings): Speaker => {
    const name = `${given.asn}:${given.listen[0]?.port ?? ''}`;
    return fakeSpeaker({
      start: () => {
        calls.push(`start ${name}${given.gracefulRestart.restarting ? ' restarting' : ''}`);
        return start(given);
      },
      setPeers: (peers) => void calls.push(`peers ${peers.length} on ${name}`),
      setClusterId: (clusterId) => {
        if (clusterId !== undefined) calls.push(`cluster ${clusterId} on ${name}`);
      },
      onRoutesChange: () => () => void calls.push('unsubscribed'),
      close: (how) => {
        calls.push(`close ${name} ${how.kind}`);
        return how.kind === 'drain' ? drained.promise : Promise.resolve();
      },
    });
  };
  const made = new SpeakerKeeper({
    createSpeaker,
    clock,
    log: silentLogger,
    onRoutesChange: () => void calls.push('changed'),
    onFatal: (error) => void calls.push(`fatal: ${error.message}`),
  });
  const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
  return { keeper: made, clock, calls, settled, drained };
}

test('peers change under a running speaker', async () => {
  const { keeper: one, calls, settled } = keeper();
  one.update(wish(settings(64512)));
  await settled();
  one.update(wish(settings(64512), 2));
  expect(calls).toEqual(['start 64512:179', 'peers 0 on 64512:179', 'changed', 'peers 2 on 64512:179']);
});

test('wishes that come while it starts are not lost: the last one wins', async () => {
  const { keeper: one, calls, settled } = keeper();
  one.update(wish(settings(64512), 1));
  one.update(wish(settings(64512), 3));
  await settled();
  expect(calls).toEqual(['start 64512:179', 'peers 3 on 64512:179', 'changed']);
});

test('another AS number makes a new speaker that takes over as after a restart: nobody is told to withdraw', async () => {
  const { keeper: one, calls, settled } = keeper();
  one.update(wish(settings(64512)));
  await settled();
  calls.splice(0);
  one.update(wish(settings(64999)));
  await settled();
  expect(calls).toEqual([
    'peers 0 on 64512:179',
    'unsubscribed',
    'close 64512:179 restart',
    'start 64999:179 restarting',
    'peers 0 on 64999:179',
    'changed',
  ]);
});

test('a node becomes a route reflector under the running speaker', async () => {
  const { keeper: one, calls, settled } = keeper();
  one.update(wish(settings(64512)));
  await settled();
  calls.splice(0);
  one.update(wish({ ...settings(64512), clusterId: 7 }));
  await settled();
  expect(calls).toEqual(['cluster 7 on 64512:179', 'peers 0 on 64512:179']);
});

test('a speaker that drains still gets wishes, is not replaced, and a second close reaches it', async () => {
  const { keeper: one, calls, settled, drained } = keeper();
  one.update(wish(settings(64512)));
  await settled();
  calls.splice(0);
  const over = one.close({ kind: 'drain', message: 'bye', waitSeconds: 60 });
  await settled();
  one.update(wish(settings(64512), 2));
  one.update(wish(settings(64999), 3));
  await settled();
  const second = one.close({ kind: 'restart' });
  await settled();
  drained.resolve(undefined);
  await Promise.all([over, second]);
  one.update(wish(settings(64512), 4));
  expect(calls).toEqual([
    'close 64512:179 drain',
    'peers 2 on 64512:179',
    'peers 3 on 64512:179',
    'unsubscribed',
    'close 64512:179 restart',
    'unsubscribed',
  ]);
});

test('another port is listened on before the old speaker ends', async () => {
  const { keeper: one, calls, settled } = keeper();
  one.update(wish(settings(64512)));
  await settled();
  calls.splice(0);
  one.update(wish(settings(64512, 1790)));
  await settled();
  expect(calls.slice(1, 4)).toEqual(['start 64512:1790 restarting', 'unsubscribed', 'close 64512:179 restart']);
});

test('a port that is taken leaves the old speaker at work, with the new peers, and is tried again', async () => {
  const taken = new Set([1790]);
  const {
    keeper: one,
    clock,
    calls,
    settled,
  } = keeper(({ listen }) =>
    taken.has(listen[0]!.port) ? Promise.reject(new Error('port 1790 is in use')) : Promise.resolve(),
  );
  one.update(wish(settings(64512)));
  await settled();
  one.update(wish(settings(64512, 1790)));
  await settled();
  calls.splice(0);
  one.update(wish(settings(64512, 1790), 5));
  await settled();
  expect(calls).toEqual(['peers 5 on 64512:179']);
  taken.clear();
  await clock.advance(10_000);
  await settled();
  expect(calls.slice(-4)).toEqual(['unsubscribed', 'close 64512:179 restart', 'peers 5 on 64512:1790', 'changed']);
});

test('another address on the same port is free only when the old speaker has ended; where it cannot be had, that one comes back and stays', async () => {
  const at = (address: string): SpeakerSettings => ({ ...settings(64512), listen: [{ address, port: 179 }] });
  const {
    keeper: one,
    clock,
    calls,
    settled,
  } = keeper(({ listen }) =>
    listen[0]!.address === '10.0.0.9' ? Promise.reject(new Error('nobody here has 10.0.0.9')) : Promise.resolve(),
  );
  const news = async (): Promise<readonly string[]> => {
    await settled();
    return calls.splice(0);
  };
  one.update(wish(at('0.0.0.0')));
  await news();
  one.update(wish(at('10.0.0.1')));
  const replaced = ['unsubscribed', 'close 64512:179 restart', 'start 64512:179 restarting'];
  expect((await news()).slice(1, 4)).toEqual(replaced);
  one.update(wish(at('10.0.0.9'), 1));
  expect(await news()).toEqual([
    'peers 1 on 64512:179',
    ...replaced,
    'start 64512:179 restarting',
    'peers 1 on 64512:179',
    'changed',
  ]);
  await clock.advance(60_000);
  one.update(wish(at('10.0.0.9'), 2));
  expect(await news()).toEqual(['peers 2 on 64512:179']);
});

test('a first listener that cannot be had is told once', async () => {
  const { keeper: one, calls, settled } = keeper(() => Promise.reject(new Error('port 179 is in use')));
  one.update(wish(settings(64512)));
  await settled();
  expect(calls).toEqual(['start 64512:179', 'fatal: port 179 is in use']);
  expect(one.speaker).toBeUndefined();
});

test('closing hands on how, and stops listening', async () => {
  const { keeper: one, calls, settled } = keeper();
  one.update(wish(settings(64512)));
  await settled();
  await one.close({ kind: 'shutdown', message: 'bye' });
  expect(calls.slice(-2)).toEqual(['unsubscribed', 'close 64512:179 shutdown']);
});

test.each(['while the first one starts', 'while one takes over from another'])(
  'closing %s leaves no speaker behind',
  async (when) => {
    const { keeper: one, calls, settled } = keeper(() => new Promise((resolve) => void setImmediate(resolve)));
    if (when.includes('takes over')) {
      one.update(wish(settings(64000)));
      await settled();
      await settled();
    }
    one.update(wish(settings(64512)));
    await one.close({ kind: 'restart' });
    const count = (verb: string): number => calls.filter((call) => call.startsWith(verb)).length;
    expect(count('close')).toBe(count('start'));
    one.update(wish(settings(64513)));
    await settled();
    expect(count('close')).toBe(count('start'));
  },
);
