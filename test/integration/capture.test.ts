import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { Message, Update } from '../../bird/bgp-ts/index.ts';
import { decodeMessage, encodeUpdate, negotiatedContexts } from '../../bird/bgp-ts/index.ts';
import { capture, openSession } from '../capture/capture.ts';
import type { CaptureSession, Daemon } from '../capture/daemon.ts';
import { daemons } from '../capture/daemons/index.ts';
import type { CapturedSession } from '../capture/fixture.ts';
import { contextOf, readFixture } from '../capture/fixture.ts';
import { expectedMeaning, meaning } from '../capture/meaning.ts';
import { openMessage } from '../capture/our-side.ts';
import { missingForLab } from '../support/bgp-lab.ts';
import { eventually } from '../support/eventually.ts';

const sessionOf = (daemon: Daemon, name: string): CaptureSession => daemon.sessions.find((each) => each.name === name)!;

const fixtureOf = (daemon: string, name: string): CapturedSession =>
  readFixture(daemon).sessions.find((each) => each.name === name)!;

const decoded = ({ messages, context }: CapturedSession): readonly Message[] =>
  messages.map((message) => {
    const result = decodeMessage(Buffer.from(message, 'hex'), contextOf(context));
    if (result.kind === 'fault') throw new Error(result.fault.text);
    return result.message;
  });

/** What a daemon shows of the routes that we sent it: its own words for the same attributes. */
interface Shown {
  readonly lines: readonly string[];
  readonly words: readonly (string | RegExp)[];
}

const shown: Readonly<Record<string, Shown>> = {
  bird: {
    lines: ['show route all protocol recorder'],
    words: [
      'BGP.as_path: 4200000001 64513 {4200000003 7}',
      'BGP.aggregator: 192.0.2.1 AS4200000005',
      'BGP.community: (65010,1) (65535,65284)',
      'BGP.cluster_list: 192.0.2.7 192.0.2.8',
      'BGP.ext_community: (rt, 65010, 100) (ro, 65010, 7) (rt, 4200000001, 9)',
      'BGP.large_community: (4200000001, 1, 2) (65010, 3, 4294967295)',
      'BGP.aigp: 77',
      'BGP.63 [t]: 01 02 03 04 05',
      /^2001:db8:10::\/48 [^]*BGP.next_hop: 2001:db8:99::1/m,
    ],
  },
  frr: {
    lines: ['show bgp ipv4 unicast 10.10.0.0/16', 'show bgp ipv6 unicast neighbors 10.99.0.1 routes'],
    words: [
      '4200000001 64513 {7,4200000003}, (aggregated by 4200000005 192.0.2.1)',
      'Origin EGP, metric 50, localpref 250, valid, internal, atomic-aggregate',
      'Extended Community: RT:65010:100 SoO:65010:7 RT:4200000001:9',
      'Originator: 192.0.2.9, Cluster list: 192.0.2.7 192.0.2.8',
      '2001:db8:11::1/128',
    ],
  },
  gobgp: {
    lines: ['neighbor 10.99.0.1 adj-in', 'neighbor 10.99.0.1 adj-in -a ipv6'],
    words: [
      /10\.10\.0\.0\/16 +10\.99\.0\.1 +4200000001 64513 \{4200000003,7\}/,
      '{Med: 50} {LocalPref: 250} {AtomicAggregate} {Aggregate: {AS: 4200000005, Address: 192.0.2.1}}',
      '{LargeCommunity: [ 4200000001:1:2, 65010:3:4294967295]}',
      '{Aigp: [{Metric: 77}]}',
      'Type: BGPAttrType(99), Value: [1 2 3 4 5]',
      /2001:db8:11::1\/128 +2001:db8:99::1/,
    ],
  },
  openbgpd: {
    lines: ['show rib detail neighbor 10.99.0.1'],
    words: [
      '4200000001 64513 { 4200000003 7 }',
      'Origin EGP, metric 50, localpref 250',
      'Ext. Communities: soo 65010:7 rt 65010:100 rt 4200000001:9',
      'Aggregator: 4200000005 [192.0.2.1]',
      'Unknown Attribute #99 flags [OT]:  len 5: 01 02 03 04 05',
      'Nexthop 2001:db8:99::1',
    ],
  },
};

/** The next hop of the daemon's host becomes that of the recorder's: a daemon takes no route to itself. */
function fromUs(update: Update): Update {
  const { nextHop } = update.attributes;
  if (nextHop === undefined) return update;
  return { ...update, attributes: { ...update.attributes, nextHop: Uint8Array.from([...nextHop.subarray(0, -1), 1]) } };
}

const mine = `calico-ts-capture-${process.pid}-`;
const namespaces = (): string => execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' });

/** Namespaces of a run by the beginning of their names. */
const ownSpaces = (start: string): readonly string[] =>
  namespaces()
    .split('\n')
    .map((line) => line.split(' ')[0]!)
    .filter((name) => name.startsWith(start));

/** Processes whose command line names `text`. */
const processes = (text: string): readonly string[] =>
  readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid)
    .map((pid) => commandLine(pid))
    .filter((line) => line.includes(text));

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // It has ended meanwhile.
  }
}

describe.each(daemons.map((daemon) => [daemon.name, daemon] as const))('%s, live', (name, daemon) => {
  const missing = missingForLab(...daemon.programs, '/usr/bin/unshare');

  test.skipIf(missing !== undefined)(`says what the fixture says, and takes it back ${missing ?? ''}`, async () => {
    const session = sessionOf(daemon, 'withdraw');
    const live = await capture(daemon, session);
    const fixture = fixtureOf(name, 'withdraw');
    expect(live.messages[0]).toBe(fixture.messages[0]);
    expect({ ...live, messages: [] }).toEqual({ ...fixture, messages: [] });
    expect(meaning(decoded(live), session)).toEqual(expectedMeaning(session));
    expect(namespaces()).not.toContain(mine);
  });

  const view = shown[name];
  if (view === undefined) return; // ExaBGP has no table to show.
  test.skipIf(missing !== undefined)(
    `understands what we encode, and nothing is left when it ends ${missing ?? ''}`,
    async () => {
      const session = sessionOf(daemon, 'ibgp');
      const live = await openSession(daemon, session);
      try {
        const theirs = decodeMessage(Buffer.from(live.messages[0]!, 'hex'), contextOf(live.context));
        if (theirs.kind === 'fault' || theirs.message.type !== 'open') throw new Error('no OPEN');
        const { send } = negotiatedContexts(openMessage(session.ours), theirs.message);
        for (const message of decoded(fixtureOf('exabgp', 'ibgp'))) {
          if (message.type === 'update') live.send(encodeUpdate(fromUs(message), send));
        }
        await eventually(() => {
          const text = view.lines.map((line) => live.control(line)).join('\n');
          for (const word of view.words) expect(text).toMatch(word);
        }, 5000);
      } finally {
        await live.close();
      }
      expect(processes(live.lab.directory)).toEqual([]);
      expect(existsSync(live.lab.directory)).toBe(false);
      expect(namespaces()).not.toContain(mine);
    },
  );
});

describe('the command', () => {
  const children: ChildProcess[] = [];
  const directory = mkdtempSync(join(tmpdir(), 'calico-ts-captured-'));
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });
  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  const start = (...args: readonly string[]): Promise<readonly [status: number | null, stderr: string]> =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, ['test/capture/main.ts', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
      children.push(child);
      let stderr = '';
      child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      child.once('exit', (status) => resolve([status, stderr]));
    });

  test('refuses what it does not know, in one sentence', async () => {
    expect(await start('quagga')).toEqual([
      1,
      expect.stringMatching(/^no such daemon: quagga; there are bird, [^\n]*\n$/),
    ]);
    expect(await start('--session', 'none')).toEqual([1, 'no such session: none\n']);
  });

  const missing = missingForLab('/usr/sbin/bird', '/usr/sbin/birdc', '/usr/bin/unshare');
  test.skipIf(missing !== undefined)(`leaves nothing behind after Ctrl-C ${missing ?? ''}`, async () => {
    const ended = start('bird', '--out', directory);
    const own = `calico-ts-capture-${children[0]!.pid!}-`;
    const started = (): readonly string[] =>
      ownSpaces(own).flatMap((name) =>
        execFileSync('ip', ['netns', 'pids', name], { encoding: 'utf8' }).split('\n').filter(Boolean),
      );
    await eventually(() => expect(started().map(commandLine).join()).toContain('recorder-process.ts'));
    const pids = started();
    children[0]!.kill('SIGINT');
    expect(await ended).toEqual([130, '']);
    expect(ownSpaces(own)).toEqual([]);
    expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    expect(readdirSync(directory)).toEqual([]);
  });
});
