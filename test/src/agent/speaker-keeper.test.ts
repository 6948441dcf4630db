import { expect, test } from 'vitest';
import type { Speaker, SpeakerSettings } from '../../../bird/index.ts';
import { SpeakerKeeper } from '../../../src/agent/speaker-keeper.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';

const settings = (asn: number, restarting = false): SpeakerSettings => ({
  asn,
  bgpIdentifier: 1,
  listen: [],
  transit: false,
  gracefulRestart: { restarting, deferralSeconds: 5 },
});

const wish = (speaker: SpeakerSettings, peers = 0): Parameters<SpeakerKeeper['update']>[0] => ({
  settings: speaker,
  peers: Array.from({ length: peers }, () => ({}) as never),
  originated: [],
});

function keeper(start: () => Promise<void> = () => Promise.resolve()): {
  keeper: SpeakerKeeper;
  calls: string[];
  settled: () => Promise<void>;
} {
  const calls: string[] = [];
  const createSpeaker = ({ asn, gracefulRestart }: SpeakerSettings): Speaker => ({
    start: () => {
      calls.push(`start ${asn}${gracefulRestart.restarting ? ' restarting' : ''}`);
      return start();
    },
    setPeers: (peers) => void calls.push(`peers ${peers.length}`),
    setOriginated: () => undefined,
    learnedRoutes: () => [],
    isConverged: () => true,
    peers: () => [],
    routes: () => [],
    onRoutesChange: () => () => void calls.push('unsubscribed'),
    close: (how) => Promise.resolve(void calls.push(`close ${how.kind}`)),
  });
  const made = new SpeakerKeeper({
    createSpeaker,
    log: silentLogger,
    onRoutesChange: () => void calls.push('changed'),
    onFatal: (error) => void calls.push(`fatal: ${error.message}`),
  });
  return { keeper: made, calls, settled: () => new Promise((resolve) => void setImmediate(resolve)) };
}

test('peers change under a running speaker', async () => {
  const { keeper: one, calls, settled } = keeper();
  one.update(wish(settings(64512)));
  await settled();
  one.update(wish(settings(64512), 2));
  expect(calls).toEqual(['start 64512', 'peers 0', 'changed', 'peers 2']);
});

test('wishes that come while it starts are not lost: the last one wins', async () => {
  const { keeper: one, calls, settled } = keeper();
  one.update(wish(settings(64512), 1));
  one.update(wish(settings(64512), 3));
  await settled();
  expect(calls).toEqual(['start 64512', 'peers 3', 'changed']);
});

test('another AS number makes a new speaker, which is not a restart', async () => {
  const { keeper: one, calls, settled } = keeper();
  one.update(wish(settings(64512, true)));
  await settled();
  one.update(wish(settings(64999, true)));
  await settled();
  expect(calls).toEqual([
    'start 64512 restarting',
    'peers 0',
    'changed',
    'unsubscribed',
    'close shutdown',
    'start 64999',
    'peers 0',
    'changed',
  ]);
});

test('a listener that cannot be had is told once', async () => {
  const { keeper: one, calls, settled } = keeper(() => Promise.reject(new Error('port 179 is in use')));
  one.update(wish(settings(64512)));
  await settled();
  expect(calls).toEqual(['start 64512', 'fatal: port 179 is in use']);
  expect(one.speaker).toBeUndefined();
});

test('closing hands on how, and stops listening', async () => {
  const { keeper: one, calls, settled } = keeper();
  one.update(wish(settings(64512)));
  await settled();
  await one.close({ kind: 'restart' });
  expect(calls.slice(-2)).toEqual(['unsubscribed', 'close restart']);
});
