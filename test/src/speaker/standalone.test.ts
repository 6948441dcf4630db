import { describe, expect, test } from 'vitest';
import type { Speaker } from '../../../bird/index.ts';
import { formatIpAddress, formatPrefix } from '../../../src/model/ip.ts';
import type { Logger, LogLevel } from '../../../src/runtime/logger.ts';
import { configurationOf } from '../../../src/speaker/convert.ts';
import type { SpeakerFile } from '../../../src/speaker/schema.ts';
import { StandaloneSpeaker } from '../../../src/speaker/standalone.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { fakeSpeaker } from '../../support/fake-speaker.ts';

const FILE: SpeakerFile = {
  asn: 64512,
  bgpIdentifier: '10.0.0.1',
  originate: ['10.1.0.0/16'],
  peers: [{ address: '10.0.0.2', asn: 65001 }],
  dynamicPeers: [{ prefix: '10.9.0.0/16', asn: 65009 }],
};

interface Bench {
  readonly standalone: StandaloneSpeaker;
  /** What the speakers were told since the last look. */
  readonly calls: () => readonly string[];
  readonly logged: string[];
  readonly levels: LogLevel[];
  readonly clock: FakeClock;
  /** What the file says from now on. */
  readonly write: (file: unknown) => void;
  readonly settled: () => Promise<void>;
}

function bench(file: SpeakerFile = FILE, isRestart = false): Bench {
  const calls: string[] = [];
  const logged: string[] = [];
  const levels: LogLevel[] = [];
  const clock = new FakeClock();
  let written: unknown = file;
  const load = () => configurationOf(written, () => '');
  const say = (fields: object, message: string): void => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const log: Logger = { debug: say, info: say, warn: say, error: say, child: () => log };
  const createSpeaker = ({
    asn,
    gracefulRestart,
  }: {
    asn: number;
    gracefulRestart: { restarting: boolean };
  }): Speaker =>
    fakeSpeaker({
      start: () => Promise.resolve(void calls.push(`start ${asn}${gracefulRestart.restarting ? ' restarting' : ''}`)),
      setPeers: (peers) => void calls.push(`peers ${peers.map(({ address }) => formatIpAddress(address)).join(' ')}`),
      setDynamicPeers: (ranges) =>
        void calls.push(`ranges ${ranges.map(({ prefix }) => formatPrefix(prefix)).join(' ')}`),
      setOriginated: (routes) =>
        void calls.push(`routes ${routes.map(({ prefix }) => formatPrefix(prefix)).join(' ')}`),
      close: (how) => Promise.resolve(void calls.push(`close ${asn} ${how.kind}`)),
    });
  const standalone = new StandaloneSpeaker(load(), isRestart, {
    ...{ file: '/etc/speaker.yaml', host: 'here', version: '1', load, createSpeaker, clock, log },
    onLogLevel: (level) => void levels.push(level),
    onListening: () => void calls.push('listening'),
    onFatal: (error) => void calls.push(`fatal ${error.message}`),
    onStopped: () => void calls.push('stopped'),
  });
  return {
    ...{ standalone, logged, levels, clock },
    calls: () => calls.splice(0),
    write: (next) => (written = next),
    settled: () => new Promise((resolve) => void setImmediate(resolve)),
  };
}

async function started(file: SpeakerFile = FILE): Promise<Bench> {
  const made = bench(file);
  made.standalone.start();
  await made.settled();
  made.calls();
  return made;
}

test('at the start the speaker is told all: routes first, so that End-of-RIB comes after them', async () => {
  const { standalone, calls, settled } = bench();
  standalone.start();
  await settled();
  expect(calls()).toEqual(['start 64512', 'routes 10.1.0.0/16', 'ranges 10.9.0.0/16', 'peers 10.0.0.2', 'listening']);
});

test('after one that left without a farewell it starts as restarting', async () => {
  const { standalone, calls, settled } = bench(FILE, true);
  standalone.start();
  await settled();
  expect(calls()[0]).toBe('start 64512 restarting');
});

describe('reading the file again', () => {
  test.each<[string, Partial<SpeakerFile>, readonly string[]]>([
    ['nothing else', {}, []],
    ['another route', { originate: ['10.1.0.0/16', '10.2.0.0/16'] }, ['routes 10.1.0.0/16 10.2.0.0/16']],
    ['no route', { originate: [] }, ['routes ']],
    ['another peer', { peers: [{ address: '10.0.0.3', asn: 65001 }] }, ['peers 10.0.0.3']],
    ['another default', { defaults: { description: 'x' } }, ['ranges 10.9.0.0/16', 'peers 10.0.0.2']],
    ['no range', { dynamicPeers: [] }, ['ranges ']],
    ['another level', { log: { level: 'debug' } }, []],
    ['another deferral, which is over', { gracefulRestart: { deferralSeconds: 1 } }, []],
  ])('%s: only what differs is told', async (_what, more, told) => {
    const { standalone, calls, write, settled } = await started();
    write({ ...FILE, ...more });
    standalone.reload();
    await settled();
    expect(calls()).toEqual(told);
  });

  test.each<[string, Partial<SpeakerFile>]>([
    ['asn', { asn: 64513 }],
    ['bgpIdentifier', { bgpIdentifier: '10.0.0.9' }],
    ['transit', { transit: false }],
    ['decision', { decision: { alwaysCompareMed: true } }],
  ])('%s: another speaker takes over as after a restart, and is told all', async (_what, more) => {
    const { standalone, calls, write, settled } = await started();
    write({ ...FILE, ...more });
    standalone.reload();
    await settled();
    const { asn = FILE.asn } = more;
    expect(calls().slice(-6)).toEqual([
      ...['close 64512 restart', `start ${asn} restarting`, 'routes 10.1.0.0/16', 'ranges 10.9.0.0/16'],
      ...['peers 10.0.0.2', 'listening'],
    ]);
  });

  test('a wrong file changes nothing, and says why until it is right', async () => {
    const { standalone, calls, logged, write, settled, clock } = await started();
    await clock.advance(60_000);
    write({ ...FILE, originate: [], asn: 'abc', holdSeconds: 9 });
    standalone.reload();
    await settled();
    expect(calls()).toEqual([]);
    const refused = ["asn = 'abc': is not an AS number between 1 and 4294967295", 'holdSeconds: is not known here'];
    expect(standalone.status()).toMatchObject({
      bgp: { asn: 64512 },
      configuration: { file: '/etc/speaker.yaml', readAt: '1970-01-01T00:00:00.000Z', refused },
    });
    expect(logged.filter((line) => line.startsWith('the configuration is wrong'))).toHaveLength(2);
    write(FILE);
    standalone.reload();
    expect(calls()).toEqual([]);
    expect(standalone.status().configuration).toEqual({
      file: '/etc/speaker.yaml',
      readAt: '1970-01-01T00:01:00.000Z',
    });
  });

  test('what cannot change under way is said', async () => {
    const { standalone, logged, levels, write } = await started();
    write({ ...FILE, socket: '/run/other.sock', log: { level: 'warn' } });
    standalone.reload();
    expect(levels.at(-1)).toBe('warn');
    expect(logged.join('\n')).toContain('the socket changes with the next start {"changed":["socketPath"]}');
  });

  test('is over when it is closed', async () => {
    const { standalone, calls, write } = await started();
    await standalone.close({ kind: 'restart' });
    write({ ...FILE, originate: [] });
    standalone.reload();
    await standalone.close({ kind: 'shutdown', message: '' });
    // The first call says how: that is for the speaker to hold to.
    expect(calls()).toEqual(['close 64512 restart', 'close 64512 shutdown']);
  });
});

test('told to stop it takes leave of its peers, then says so', async () => {
  const { standalone, calls } = await started();
  await standalone.stop('gone');
  expect(calls()).toEqual(['close 64512 shutdown', 'stopped']);
});

test.each<[boolean, Partial<SpeakerFile>]>([
  [true, {}],
  [false, { defaults: { gracefulRestartSeconds: 0 } }],
  [
    true,
    { defaults: { gracefulRestartSeconds: 0 }, dynamicPeers: [{ prefix: '::/0', asn: 1, gracefulRestartSeconds: 1 }] },
  ],
  [false, { peers: [], dynamicPeers: [] }],
])('peers keep our routes over a restart: %s with %j', (expected, more) => {
  expect(bench({ ...FILE, ...more }).standalone.isRestartable).toBe(expected);
});
