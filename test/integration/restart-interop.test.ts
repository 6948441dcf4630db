/** What else costs no route with BIRD 2 and FRR, and what does: long-lived restarts, NOTIFICATIONs, drains. Kills: interop/. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BgpLab, missingForLab, NODE_ADDRESS, SWITCH_ADDRESS } from '../support/bgp-lab.ts';
import type { SpeakerHandle } from '../support/bgp-lab.ts';
import { eventually } from '../support/eventually.ts';
import type { PeerText } from '../support/bgp.ts';

const BLOCKS = ['192.168.5.0/26', '192.168.6.0/26'];
const LEARNED = ['10.50.0.0/16', '10.51.0.0/16'];
const LLGR_STALE = '65535:6';
const PEER: PeerText & { readonly localAddress: string } = {
  address: SWITCH_ADDRESS,
  remoteAsn: 65001,
  localAddress: NODE_ADDRESS,
};
const LONG: Partial<PeerText> = { gracefulRestartSeconds: 3, longLivedSeconds: 60 };

let lab: BgpLab;

function labOf(name: string): void {
  beforeEach(() => {
    lab = new BgpLab(name);
  });
  afterEach(() => lab.close());
}

async function startSpeaker(changes: Partial<PeerText> = {}, restarting = false): Promise<SpeakerHandle> {
  const speaker = await lab.speaker({ gracefulRestart: { restarting, deferralSeconds: 20 } });
  await speaker.tell({ do: 'setOriginated', prefixes: BLOCKS });
  await speaker.tell({ do: 'setPeers', peers: [{ ...PEER, ...changes }] });
  return speaker;
}

const learned = async (speaker: SpeakerHandle): Promise<readonly string[]> =>
  (await speaker.status()).learned.map(({ prefix }) => prefix);

const isUp = (speaker: SpeakerHandle): Promise<void> =>
  eventually(async () => {
    const status = await speaker.status();
    expect(status.peers[0]).toMatchObject({ state: 'Established', staleRoutes: 0 });
    expect(status.converged).toBe(true);
    expect(status.learned.map(({ prefix }) => prefix)).toEqual(LEARNED);
  });

/** Communities of what we learned, the same for all. */
const communities = async (speaker: SpeakerHandle): Promise<readonly string[]> => [
  ...new Set((await speaker.status()).paths.filter(({ asPath }) => asPath !== '').flatMap((path) => path.communities)),
];

const isLongLived = (speaker: SpeakerHandle): Promise<void> =>
  eventually(async () => expect(await communities(speaker)).toEqual([LLGR_STALE]));

/** Looks at our routes all the way to the new session. */
async function keepsWhileAway(speaker: SpeakerHandle): Promise<void> {
  for (let up = false; !up; up = (await speaker.status()).peers[0]?.state === 'Established') {
    expect(await learned(speaker)).toEqual(LEARNED);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const removals = (lines: readonly string[]): readonly string[] => lines.filter((line) => line.startsWith('Deleted'));

const missingBird = missingForLab('/usr/sbin/bird', '/usr/sbin/birdc');

describe.skipIf(missingBird !== undefined)(`with a real BIRD 2 ${missingBird ?? ''}`, () => {
  labOf('rb');

  const config = (bgp = ''): string => `
router id ${SWITCH_ADDRESS};
graceful restart wait 5;
protocol device {}
protocol kernel { ipv4 { export where source = RTS_BGP; }; persist; graceful restart on; }
protocol static { ipv4; ${LEARNED.map((prefix) => `route ${prefix} blackhole;`).join(' ')} }
protocol bgp node {
  local ${SWITCH_ADDRESS} as 65001; neighbor ${NODE_ADDRESS} as 64512;
  graceful restart on; ${bgp}
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  ipv4 { import all; export all; };
}
`;
  const LONG_BIRD = 'graceful restart time 3; long lived graceful restart on; long lived stale time 60;';

  const birdHas = (routes: string): readonly string[] => [...(routes.match(/^192\.168\.\S+/gm) ?? [])].sort();
  const isBirdUp = (): Promise<void> =>
    eventually(() => {
      expect(birdHas(lab.birdc('show', 'route', 'protocol', 'node'))).toEqual(BLOCKS);
      expect(lab.kernelRoutes(lab.switch, 'bird')).toHaveLength(BLOCKS.length);
    });

  test('we stay away: BIRD keeps our routes long-lived, and takes them back when we are there again', async () => {
    lab.startBird(config(LONG_BIRD));
    const first = await startSpeaker(LONG);
    await isUp(first);
    await isBirdUp();
    const shown = lab.birdc('show', 'protocols', 'all', 'node');
    expect(shown).toMatch(/Neighbor capabilities[\s\S]*Long-lived graceful restart[\s\S]*LL stale time: 60/);
    await first.kill();
    await eventually(() => {
      const detail = lab.birdc('show', 'route', 'all', 'protocol', 'node');
      expect(birdHas(detail)).toEqual(BLOCKS);
      expect(detail.match(/\(65535, ?6\)/g)).toHaveLength(BLOCKS.length);
    });
    expect(lab.kernelRoutes(lab.switch, 'bird')).toHaveLength(BLOCKS.length);
    await isUp(await startSpeaker(LONG, true));
    await eventually(() => {
      const detail = lab.birdc('show', 'route', 'all', 'protocol', 'node');
      expect([birdHas(detail), detail.includes('65535')]).toEqual([BLOCKS, false]);
    });
  });

  test('BIRD stays away: we keep its routes long-lived, and fresh when it is there again', async () => {
    const bird = lab.startBird(config(LONG_BIRD));
    const speaker = await startSpeaker(LONG);
    await isUp(speaker);
    bird.kill('SIGKILL');
    await isLongLived(speaker);
    expect(await learned(speaker)).toEqual(LEARNED);
    lab.startBird(config(LONG_BIRD), '-R');
    await isUp(speaker);
    expect(await communities(speaker)).toEqual([]);
  });

  /** With `bfd on` it drops them for our AdminDown too, though RFC 5882 §3.2 has that mean nothing. */
  test.each(['upgrade', 'crash'])('our %s costs no route of a BIRD that has `bfd graceful`', async (how) => {
    lab.startBird(`protocol bfd { interface "eth0" { interval 100 ms; multiplier 3; }; }${config('bfd graceful;')}`);
    const bfd = { transmitMs: 100, receiveMs: 100, multiplier: 3 } as const;
    const isPathUp = (): boolean => /\bUp\b/.test(lab.birdc('show', 'bfd', 'sessions'));
    const first = await startSpeaker({ bfd });
    await isUp(first);
    await isBirdUp();
    await eventually(() => expect(isPathUp()).toBe(true));
    const monitor = lab.monitorRoutes(lab.switch);
    if (how === 'upgrade') await first.tell({ do: 'close', how: 'restart' });
    await first.kill();
    await eventually(() => expect(isPathUp()).toBe(false));
    expect(birdHas(lab.birdc('show', 'route', 'protocol', 'node'))).toEqual(BLOCKS);
    await isUp(await startSpeaker({ bfd }, true));
    await isBirdUp();
    await eventually(() => expect(isPathUp()).toBe(true));
    expect(removals(monitor)).toEqual([]);
  });

  test('we drain: BIRD sees GRACEFUL_SHUTDOWN, then the reason', async () => {
    lab.startBird(config());
    const speaker = await startSpeaker();
    await isUp(speaker);
    await isBirdUp();
    const over = speaker.tell({ do: 'close', how: 'drain' });
    await eventually(() => {
      const detail = lab.birdc('show', 'route', 'all', 'protocol', 'node');
      expect([birdHas(detail), detail.match(/\(65535, ?0\)/g)?.length]).toEqual([BLOCKS, BLOCKS.length]);
    }, 3500);
    await over;
    await eventually(() => {
      expect(lab.birdc('show', 'protocols', 'all', 'node')).toMatch(/Received: Administrative shutdown/);
      expect(birdHas(lab.birdc('show', 'route', 'protocol', 'node'))).toEqual([]);
    });
  });
});

const missingFrr = missingForLab('/usr/lib/frr/bgpd', '/usr/lib/frr/zebra', '/usr/bin/vtysh');

describe.skipIf(missingFrr !== undefined)(`with a real FRR ${missingFrr ?? ''}`, () => {
  labOf('rf');

  const config = (...lines: readonly string[]): string => `
router bgp 65001
 bgp router-id ${SWITCH_ADDRESS}
 no bgp ebgp-requires-policy
 no bgp network import-check
 bgp graceful-restart
 bgp graceful-restart restart-time 60
 bgp graceful-restart preserve-fw-state
 ${lines.join('\n ')}
 timers connect 1
 neighbor ${NODE_ADDRESS} remote-as 64512
 neighbor ${NODE_ADDRESS} timers connect 1
 neighbor ${NODE_ADDRESS} advertisement-interval 0
 address-family ipv4 unicast
  ${LEARNED.map((prefix) => `network ${prefix}`).join('\n  ')}
 exit-address-family
`;

  interface FrrPath {
    readonly stale?: boolean;
  }
  const frrRoutes = (): ReadonlyMap<string, FrrPath> => {
    const { routes } = JSON.parse(lab.vtysh('show bgp ipv4 unicast json')) as { routes: Record<string, FrrPath[]> };
    const ours = Object.entries(routes).filter(([prefix]) => prefix.startsWith('192.168.'));
    return new Map(ours.map(([prefix, [path]]) => [prefix, path!]));
  };
  const isFrrUp = (): Promise<void> =>
    eventually(() => {
      expect([...frrRoutes()].map(([prefix, { stale = false }]) => [prefix, stale])).toEqual(
        BLOCKS.map((prefix) => [prefix, false]),
      );
      expect(lab.kernelRoutes(lab.switch, 'bgp')).toHaveLength(BLOCKS.length);
    });
  const lastReset = (): string => {
    const all = JSON.parse(lab.vtysh('show bgp neighbors json')) as Record<string, Record<string, unknown>>;
    return JSON.stringify(all[NODE_ADDRESS] ?? {});
  };

  test('an administrative reset of FRR costs us no route where both sent the N bit', async () => {
    await lab.startFrr(config('bgp graceful-restart notification', 'no bgp hard-administrative-reset'));
    const speaker = await startSpeaker();
    await isUp(speaker);
    await isFrrUp();
    // FRR 8.4 drops our routes itself: who sends the NOTIFICATION does not help there.
    lab.vtysh('clear bgp *');
    await eventually(async () => {
      const status = await speaker.status();
      expect(status.peers[0]?.lastError).toBe('NOTIFICATION received: Cease / Administrative Reset');
    });
    await keepsWhileAway(speaker);
    await isUp(speaker);
    await isFrrUp();
  });

  test('silence until the hold timer costs neither side a route where both sent the N bit', async () => {
    await lab.startFrr(config('bgp graceful-restart notification'));
    const speaker = await startSpeaker({ holdSeconds: 3 });
    await isUp(speaker);
    await isFrrUp();
    const monitor = lab.monitorRoutes(lab.switch);
    speaker.pause();
    await eventually(() => expect([...frrRoutes().values()].map(({ stale }) => stale)).toEqual([true, true]));
    speaker.resume();
    await eventually(async () => {
      const status = await speaker.status();
      expect(status.peers[0]?.lastError).toMatch(/^NOTIFICATION received: Hold Timer Expired|^hold timer expired/);
    });
    await keepsWhileAway(speaker);
    await isUp(speaker);
    await isFrrUp();
    expect(removals(monitor)).toEqual([]);
  });

  test('Hard Resets of either side are understood by the other, and take the routes', async () => {
    await lab.startFrr(config('bgp graceful-restart notification', 'bgp hard-administrative-reset'));
    const speaker = await startSpeaker();
    await isUp(speaker);
    await isFrrUp();
    lab.vtysh('clear bgp *');
    await eventually(async () => {
      const status = await speaker.status();
      expect(status.peers[0]?.lastError).toBe('NOTIFICATION received: Cease / Administrative Reset (Hard Reset)');
    });
    await isUp(speaker);
    await isFrrUp();
    await speaker.tell({ do: 'close', how: 'shutdown' });
    await eventually(() => expect([...frrRoutes()]).toEqual([]));
    expect(lastReset()).toContain('"lastNotificationHardReset":true,"lastShutdownDescription":"over and out"');
  });

  test('we stay away: FRR keeps our routes long-lived, and takes them back when we are there again', async () => {
    await lab.startFrr(config('bgp long-lived-graceful-restart stale-time 60'));
    const first = await startSpeaker(LONG);
    await isUp(first);
    await isFrrUp();
    await first.kill();
    await eventually(() => {
      const detail = lab.vtysh(`show bgp ipv4 unicast ${BLOCKS[0]} json`);
      expect(detail).toMatch(/llgr-stale/);
    });
    expect([...frrRoutes().keys()]).toEqual(BLOCKS);
    await isUp(await startSpeaker(LONG, true));
    await isFrrUp();
  });
});
