import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatIpAddress } from '../../src/model/ip.ts';
import { BfdLab, FAR, NODE } from '../support/bfd-lab.ts';
import type { BfdHandle } from '../support/bfd-lab.ts';
import type { SessionText, TimedChange } from '../support/bfd-process.ts';
import { missingForLab } from '../support/bgp-lab.ts';
import { eventually } from '../support/eventually.ts';

/** 3 × 300 ms and what a busy machine may add. */
const DETECTION_MS = 900;
const MARGIN_MS = 400;
/** What must be over within a second is tried again: somebody else's load may take longer than all of the margin. */
const TIMED = { retry: 2 };

const birdConfig = (ms: number): string => `
router id ${FAR.link};
protocol device {}
protocol bfd {
  interface "eth*" { interval ${ms} ms; multiplier 3; };
  multihop { interval ${ms} ms; multiplier 3; };
  neighbor ${NODE.link} dev "eth0";
  neighbor ${NODE.link6} dev "eth0";
  neighbor ${NODE.linkLocal} dev "eth0";
  neighbor ${NODE.routed} local ${FAR.routed} multihop;
}
`;

const FRR_CONFIG = [NODE.link, NODE.link6]
  .map(
    (peer) => ` peer ${peer} interface eth0\n  receive-interval 300\n  transmit-interval 300\n  detect-multiplier 3\n`,
  )
  .reduce((config, peer) => config + peer, 'bfd\n');

const LINK: readonly SessionText[] = [
  { address: FAR.link },
  { address: FAR.link6 },
  { address: FAR.linkLocal, interface: 'eth0' },
];
const ROUTED: SessionText = { address: FAR.routed, multihop: true };

let lab: BfdLab;

function labOf(name: string): void {
  beforeEach(() => {
    lab = new BfdLab(name);
  });
  afterEach(() => lab.close());
}

/** By address; all of them must be there. */
async function statesOf(bfd: BfdHandle): Promise<Readonly<Record<string, string>>> {
  const { sessions } = await bfd.status();
  return Object.fromEntries(sessions.map(({ address, state }) => [formatIpAddress(address), state]));
}

const allUp = (sessions: readonly SessionText[]): Readonly<Record<string, string>> =>
  Object.fromEntries(sessions.map(({ address }) => [address, 'Up']));

async function startUp(sessions: readonly SessionText[], module?: string): Promise<BfdHandle> {
  const bfd = await lab.bfd(module === undefined ? {} : { module });
  await bfd.tell({ do: 'setSessions', sessions });
  await eventually(async () => expect(await statesOf(bfd)).toEqual(allUp(sessions)));
  return bfd;
}

/** Losses only: the change to Up may carry the very millisecond in which the session was seen to be Up. */
async function lossesSince(bfd: BfdHandle, at: number): Promise<readonly TimedChange[]> {
  return (await bfd.status()).changes.filter((change) => change.wasUp && change.at >= at);
}

const pause = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));

const missingBird = missingForLab('/usr/sbin/bird', '/usr/sbin/birdc');
const missingFrr = missingForLab('/usr/lib/frr/bfdd', '/usr/lib/frr/zebra', '/usr/bin/vtysh');

describe.skipIf(missingBird !== undefined)(`with a real BIRD 2 ${missingBird ?? ''}`, () => {
  labOf('b');

  const birdSees = (...neighbors: readonly string[]): readonly (string | undefined)[] =>
    neighbors.map((neighbor) => lab.birdSession(neighbor)[1]);

  test('sessions come up on IPv4, IPv6, a link-local address, and through a router; both sides keep what both asked for', async () => {
    lab.startBird(birdConfig(200));
    const sessions = [...LINK, ROUTED];
    const bfd = await startUp(sessions);
    expect(birdSees(NODE.link, NODE.link6, NODE.linkLocal, NODE.routed)).toEqual(['Up', 'Up', 'Up', 'Up']);
    await eventually(async () => {
      for (const view of (await bfd.status()).sessions) {
        expect(view).toMatchObject({ remoteState: 'Up', transmitMs: 300, receiveMs: 300, detectionMs: 900, flaps: 0 });
        expect(view.packets.dropped).toEqual({});
      }
      expect(lab.birdSession(NODE.link).slice(-2)).toEqual(['0.300', '0.900']);
    });
    // RFC 5881 §4: a source port of its own for each session.
    const ports = execFileSync('ip', ['netns', 'exec', lab.namespace('node'), 'ss', '-Huan'], { encoding: 'utf8' })
      .split('\n')
      .flatMap((line) => [...line.matchAll(/:(\d+)\s/g)].map(([, port]) => Number(port)))
      .filter((port) => port !== 3784 && port !== 4784);
    expect(new Set(ports).size).toBe(sessions.length);
    for (const port of ports) expect(port).toBeGreaterThanOrEqual(49152);
  });

  test(
    'a link that is cut behind a switch is noticed within the Detection Time, and nothing else goes; mended, all is Up again',
    TIMED,
    async () => {
      lab.startBird(birdConfig(300));
      const bfd = await startUp([...LINK, ROUTED]);
      const cutAt = Date.now();
      lab.cut();
      await eventually(async () => expect(await lossesSince(bfd, cutAt)).toHaveLength(3));
      for (const change of await lossesSince(bfd, cutAt)) {
        expect(change).toMatchObject({ state: 'Down', wasUp: true, isPathFailure: true, multihop: false });
        expect(change.diagnostic).toBe('nothing heard for 900 ms (3 x 300 ms)');
        expect(change.at - cutAt).toBeLessThan(DETECTION_MS + MARGIN_MS);
      }
      expect((await statesOf(bfd))[FAR.routed]).toBe('Up');
      lab.mend();
      await eventually(async () => expect(await statesOf(bfd)).toEqual(allUp([...LINK, ROUTED])));
    },
  );

  test('a peer that is killed is noticed within the Detection Time', TIMED, async () => {
    const bird = lab.startBird(birdConfig(300));
    const bfd = await startUp([{ address: FAR.link }, ROUTED]);
    const killedAt = Date.now();
    bird.kill('SIGKILL');
    await eventually(async () => expect(await lossesSince(bfd, killedAt)).toHaveLength(2));
    for (const { at, isPathFailure } of await lossesSince(bfd, killedAt)) {
      expect(isPathFailure).toBe(true);
      expect(at - killedAt).toBeLessThan(DETECTION_MS + MARGIN_MS);
    }
  });

  test('timers change on a running session: the peer hears of it, nobody flaps', async () => {
    lab.startBird(birdConfig(100));
    const bfd = await startUp([{ address: FAR.link }]);
    const since = Date.now();
    for (const ms of [100, 600]) {
      await bfd.tell({ do: 'setSessions', sessions: [{ address: FAR.link, transmitMs: ms, receiveMs: ms }] });
      await eventually(async () => {
        expect(lab.birdSession(NODE.link).slice(1)).toMatchObject({
          0: 'Up',
          2: `0.${ms}`,
          3: ((3 * ms) / 1000).toFixed(3),
        });
        expect((await bfd.status()).sessions).toMatchObject([{ state: 'Up', transmitMs: ms, detectionMs: 3 * ms }]);
      });
    }
    expect(await lossesSince(bfd, since)).toEqual([]);
  });

  test('a session that is taken away tells the peer at once; the others stay', TIMED, async () => {
    lab.startBird(birdConfig(300));
    const bfd = await startUp(LINK);
    await bfd.tell({ do: 'setSessions', sessions: LINK.slice(1) });
    await eventually(() => expect(birdSees(NODE.link)).toEqual(['Down']), 500);
    expect(birdSees(NODE.link6, NODE.linkLocal)).toEqual(['Up', 'Up']);
    await bfd.tell({ do: 'setSessions', sessions: LINK });
    await eventually(() => expect(birdSees(NODE.link)).toEqual(['Up']));
  });

  test('close tells every peer at once, and leaves nothing that keeps the process', async () => {
    lab.startBird(birdConfig(300));
    const bfd = await startUp([...LINK, ROUTED]);
    await bfd.tell({ do: 'close' });
    expect(birdSees(NODE.link, NODE.link6, NODE.linkLocal, NODE.routed)).toEqual(['Down', 'Down', 'Down', 'Down']);
    expect(await bfd.exited()).toBe(0);
  });

  test(
    'a process that just exits does so at once, though the thread sleeps; the peer sees silence',
    TIMED,
    async () => {
      lab.startBird(birdConfig(1000));
      const bfd = await startUp([{ address: FAR.link, transmitMs: 1000, receiveMs: 1000 }]);
      const exitedAt = Date.now();
      bfd.exit();
      expect(await bfd.exited()).toBe(7);
      expect(Date.now() - exitedAt).toBeLessThan(500);
      expect(birdSees(NODE.link)).toEqual(['Up']);
      await eventually(() => expect(birdSees(NODE.link)).toEqual(['Down']));
    },
  );

  test('what crossed a router is not taken for a neighbor, and the view says why', async () => {
    const [near, far] = await Promise.all([lab.bfd(), lab.bfd({ place: 'far' })]);
    await near.tell({ do: 'setSessions', sessions: [{ address: FAR.routed }, { address: FAR.link }] });
    await far.tell({ do: 'setSessions', sessions: [{ address: NODE.routed }, { address: NODE.link }] });
    await eventually(async () => {
      const { sessions, changes } = await near.status();
      expect(sessions[0]).toMatchObject({ state: 'Down', packets: { received: 0 } });
      expect(sessions[0]?.packets.dropped['TTL is not 255']).toBeGreaterThan(2);
      expect(changes.map(({ address }) => formatIpAddress(address))).toEqual([FAR.link]);
    });
  });

  test('an interface that goes and comes back costs a flap and no more', async () => {
    lab.startBird(birdConfig(300));
    const sessions = LINK.filter(({ address }) => address === FAR.link || address === FAR.linkLocal);
    const bfd = await startUp(sessions);
    lab.ip('node', 'link', 'delete', 'eth0');
    await eventually(async () => {
      const views = (await bfd.status()).sessions;
      expect(views.map(({ state }) => state)).toEqual(['Down', 'Down']);
      expect(views[1]?.problem).toBe('there is no interface eth0');
    });
    lab.plugIn('node', '0');
    await eventually(async () => expect(await statesOf(bfd)).toEqual(allUp(sessions)));
    expect((await bfd.status()).sessions.map(({ flaps, problem }) => [flaps, problem])).toEqual([
      [1, undefined],
      [1, undefined],
    ]);
  });

  describe('load', () => {
    // Tried again, because BIRD is no faster than the machine lets it be: 150 ms of somebody else's load end a session.
    test.each([300, 50])(
      'a main thread that is busy for two seconds, three times: no flap at 3 x %i ms on either side',
      { retry: 2 },
      async (ms) => {
        lab.startBird(birdConfig(ms));
        const session = { address: FAR.link, transmitMs: ms, receiveMs: ms };
        const bfd = await startUp([session]);
        await eventually(() => expect(lab.birdSession(NODE.link).slice(-1)).toEqual([((3 * ms) / 1000).toFixed(3)]));
        const [, , since] = lab.birdSession(NODE.link);
        for (let round = 0; round < 3; round++) await bfd.tell({ do: 'block', ms: 2000 });
        const { sessions, changes } = await bfd.status();
        expect(changes.map(({ state }) => state)).toEqual(['Up']);
        expect(sessions).toMatchObject([{ state: 'Up', flaps: 0 }]);
        expect(lab.birdSession(NODE.link)[2]).toBe(since);
      },
    );

    test('a process that stood still for longer than the Detection Time reads first what waits, and does not flap', async () => {
      lab.startBird(birdConfig(300));
      const bfd = await startUp([{ address: FAR.link, multiplier: 20 }]);
      await eventually(() => expect(lab.birdSession(NODE.link).slice(-1)).toEqual(['6.000']));
      bfd.signal('SIGSTOP');
      await pause(2000);
      bfd.signal('SIGCONT');
      await pause(1000);
      expect((await bfd.status()).changes.map(({ state }) => state)).toEqual(['Up']);
    });
  });

  test('a port that another process has is named, and taken when it is free', async () => {
    lab.startBird(birdConfig(300));
    const first = await startUp([{ address: FAR.link }]);
    const second = await lab.bfd();
    await second.tell({ do: 'setSessions', sessions: [{ address: FAR.link }] });
    const problem = 'UDP port 3784 is in use by another process';
    await eventually(async () => {
      const { sessions, changes } = await second.status();
      expect(sessions).toMatchObject([{ state: 'Down', problem }]);
      expect(changes).toMatchObject([{ state: 'Down', wasUp: false, isPathFailure: false, diagnostic: problem }]);
    });
    await first.tell({ do: 'close' });
    await eventually(async () => expect(await statesOf(second)).toEqual(allUp([{ address: FAR.link }])));
  });

  test('the bundle of package.json starts its thread as the sources do', async () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { build: string } };
    const directory = resolve('.cache', `bfd-bundle-${process.pid}`);
    mkdirSync(directory, { recursive: true });
    try {
      const [build = ''] = scripts.build.replace('--outdir=dist', `--outdir=${directory}`).split(' && ');
      const words = [...build.matchAll(/(?:[^\s']|'[^']*')+/g)].map(([word]) => word.replaceAll("'", ''));
      const options = words.filter((word) => word.startsWith('--') && !word.startsWith('--banner'));
      // The door stands for the agent that has it inside; the thread is the entry point of the build itself.
      const thread = words.find((word) => word.startsWith('calico-ts-bfd='));
      expect(thread).toBeDefined();
      execFileSync(join('node_modules', '.bin', 'esbuild'), ['door=bird/bfd/index.ts', thread!, ...options]);
      lab.startBird(birdConfig(300));
      const bfd = await startUp([{ address: FAR.link }, ROUTED], join(directory, 'door.mjs'));
      await bfd.tell({ do: 'close' });
      expect(await bfd.exited()).toBe(0);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

describe.skipIf(missingFrr !== undefined)(`with a real FRR ${missingFrr ?? ''}`, () => {
  labOf('f');

  const BOTH = LINK.slice(0, 2);
  const frrSees = (): Readonly<Record<string, string>> =>
    Object.fromEntries(lab.frrPeers().map(({ peer, status }) => [peer, status]));

  test('sessions come up on IPv4 and IPv6, with the timers of both; close is AdminDown for it', async () => {
    await lab.startFrr(FRR_CONFIG);
    const bfd = await startUp(BOTH);
    await eventually(() => {
      expect(frrSees()).toEqual({ [NODE.link]: 'up', [NODE.link6]: 'up' });
      for (const peer of lab.frrPeers()) {
        expect(peer).toMatchObject({ 'remote-transmit-interval': 300, 'remote-receive-interval': 300 });
      }
    });
    await bfd.tell({ do: 'close' });
    for (const peer of lab.frrPeers()) {
      expect(peer).toMatchObject({ status: 'down', 'remote-diagnostic': 'administratively down' });
    }
  });

  test('a cut link and a killed daemon are noticed within the Detection Time', TIMED, async () => {
    await lab.startFrr(FRR_CONFIG);
    const bfd = await startUp(BOTH);
    const cutAt = Date.now();
    lab.cut();
    await eventually(async () => expect(await lossesSince(bfd, cutAt)).toHaveLength(2));
    for (const { at } of await lossesSince(bfd, cutAt)) expect(at - cutAt).toBeLessThan(DETECTION_MS + MARGIN_MS);
    lab.mend();
    await eventually(async () => expect(await statesOf(bfd)).toEqual(allUp(BOTH)));
    const killedAt = Date.now();
    lab.killFrr('bfdd');
    await eventually(async () => expect(await lossesSince(bfd, killedAt)).toHaveLength(2));
    for (const { at } of await lossesSince(bfd, killedAt)) expect(at - killedAt).toBeLessThan(DETECTION_MS + MARGIN_MS);
  });

  test('its operator taking the session down is no failure of the path, RFC 5882 §3.2', async () => {
    await lab.startFrr(FRR_CONFIG);
    const bfd = await startUp(BOTH);
    lab.vtysh('configure terminal', 'bfd', `peer ${NODE.link} interface eth0`, 'shutdown');
    await eventually(async () =>
      expect((await bfd.status()).changes.at(-1)).toMatchObject({
        state: 'Down',
        wasUp: true,
        isPathFailure: false,
        diagnostic: 'the peer took the session down (AdminDown)',
      }),
    );
  });
});
