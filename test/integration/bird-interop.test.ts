import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  BgpLab,
  eventually,
  missingForLab,
  NODE_ADDRESS,
  NODE_ADDRESS6,
  SWITCH_ADDRESS,
  SWITCH_ADDRESS6,
} from '../support/bgp-lab.ts';
import type { SpeakerHandle } from '../support/bgp-lab.ts';

const BLOCKS = ['192.168.5.0/26', '192.168.6.0/26'];
const PEER = { address: SWITCH_ADDRESS, remoteAsn: 65001, localAddress: NODE_ADDRESS };

const BIRD_CONFIG = `
router id ${SWITCH_ADDRESS};
graceful restart wait 3; # its IPv6 session never comes up in most of these tests
protocol device {}
protocol static { ipv4; route 10.50.0.0/16 blackhole; route 10.51.0.0/16 blackhole; }
protocol static { ipv6; route 2001:db8:50::/48 blackhole; }
template bgp tor {
  graceful restart on; graceful restart time 30;
  connect delay time 1; connect retry time 1; error wait time 1, 2;
}
protocol bgp node from tor {
  local ${SWITCH_ADDRESS} as 65001; neighbor ${NODE_ADDRESS} as 64512;
  ipv4 { import all; export all; };
}
protocol bgp node6 from tor {
  local ${SWITCH_ADDRESS6} as 65001; neighbor ${NODE_ADDRESS6} as 64512;
  ipv6 { import all; export all; };
}
`;

const FRR_CONFIG = `
router bgp 65001
 bgp router-id ${SWITCH_ADDRESS}
 no bgp ebgp-requires-policy
 no bgp network import-check
 bgp graceful-restart
 bgp graceful-restart restart-time 30
 timers connect 1
 neighbor ${NODE_ADDRESS} remote-as 64512
 neighbor ${NODE_ADDRESS} timers connect 1
 neighbor ${NODE_ADDRESS} advertisement-interval 0
 address-family ipv4 unicast
  network 10.50.0.0/16
  network 10.51.0.0/16
 exit-address-family
`;

let lab: BgpLab;

async function configure(speaker: SpeakerHandle, blocks: readonly string[] = BLOCKS): Promise<void> {
  await speaker.tell({ do: 'setOriginated', prefixes: blocks });
  await speaker.tell({ do: 'setPeers', peers: [PEER] });
}

async function startSpeaker(blocks: readonly string[] = BLOCKS, restarting = false): Promise<SpeakerHandle> {
  const speaker = await lab.speaker({ gracefulRestart: { restarting, deferralSeconds: 20 } });
  await configure(speaker, blocks);
  return speaker;
}

async function expectLearned(speaker: SpeakerHandle): Promise<void> {
  await eventually(async () => {
    const status = await speaker.status();
    expect(status.peers[0]?.state).toBe('Established');
    expect(status.learned).toEqual([
      { prefix: '10.50.0.0/16', nextHops: [SWITCH_ADDRESS], from: `${SWITCH_ADDRESS} (global)` },
      { prefix: '10.51.0.0/16', nextHops: [SWITCH_ADDRESS], from: `${SWITCH_ADDRESS} (global)` },
    ]);
  });
}

/** Looks at both sides' routes all the way to the new session. */
async function changeHoldTime(speaker: SpeakerHandle, peerHasOurs: () => Promise<void>): Promise<void> {
  await speaker.tell({ do: 'setPeers', peers: [{ ...PEER, holdSeconds: 30 }] });
  const first = await speaker.status();
  expect(first.peers[0]).toMatchObject({ state: 'Active', lastError: 'the settings of the peer changed' });
  for (let status = first; status.peers[0]?.state !== 'Established'; status = await speaker.status()) {
    expect(status.learned).toHaveLength(2);
    await peerHasOurs();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await eventually(async () => expect((await speaker.status()).peers[0]).toMatchObject({ staleRoutes: 0 }));
  await expectLearned(speaker);
}

const missingBird = missingForLab('/usr/sbin/bird', '/usr/sbin/birdc');
const missingFrr = missingForLab('/usr/lib/frr/bgpd', '/usr/lib/frr/zebra', '/usr/bin/vtysh');

function labOf(name: string): void {
  beforeEach(() => {
    lab = new BgpLab(name);
  });
  afterEach(() => lab.close());
}

describe.skipIf(missingBird !== undefined)(`with a real BIRD 2 ${missingBird ?? ''}`, () => {
  labOf('b');

  const birdHas = (blocks: readonly string[]): Promise<void> =>
    eventually(() => {
      const routes = lab.birdc('show', 'route', 'protocol', 'node');
      expect(routes.match(/^192\.168\.\S+/gm) ?? []).toEqual(blocks);
    });

  test('the session comes up and routes go both ways, with next hop and AS_PATH as eBGP wants them', async () => {
    lab.startBird(BIRD_CONFIG);
    const speaker = await startSpeaker();
    await expectLearned(speaker);
    await eventually(() => {
      const detail = lab.birdc('show', 'route', 'all', BLOCKS[0]!);
      expect(detail).toContain('BGP.as_path: 64512');
      expect(detail).toContain(`BGP.next_hop: ${NODE_ADDRESS}`);
    });
    expect(lab.birdc('show', 'protocols', 'all', 'node')).toMatch(/BGP state:\s+Established/);
    const { paths } = await speaker.status();
    expect(paths.find(({ prefix }) => prefix === '10.50.0.0/16')).toMatchObject({
      asPath: '65001',
      reason: 'best path',
    });
  });

  test('IPv6 routes go both ways over an IPv6 session', async () => {
    lab.startBird(BIRD_CONFIG);
    const speaker = await lab.speaker();
    await speaker.tell({ do: 'setOriginated', prefixes: ['fd00:5::/122', ...BLOCKS] });
    await speaker.tell({
      do: 'setPeers',
      peers: [{ address: SWITCH_ADDRESS6, remoteAsn: 65001, localAddress: NODE_ADDRESS6, families: [6] }],
    });
    await eventually(async () => {
      const { learned } = await speaker.status();
      expect(learned).toMatchObject([{ prefix: '2001:db8:50::/48', nextHops: [SWITCH_ADDRESS6] }]);
      expect(lab.birdc('show', 'route', 'all', 'fd00:5::/122')).toContain(`BGP.next_hop: ${NODE_ADDRESS6}`);
    });
  });

  test('a changed set of routes is told at once, a removed peer hears why', async () => {
    lab.startBird(BIRD_CONFIG);
    const speaker = await startSpeaker();
    await expectLearned(speaker);
    await birdHas(BLOCKS.toReversed());
    await speaker.tell({ do: 'setOriginated', prefixes: ['192.168.6.0/26'] });
    await birdHas(['192.168.6.0/26']);
    await speaker.tell({ do: 'setPeers', peers: [] });
    await eventually(() => {
      expect(lab.birdc('show', 'protocols', 'all', 'node')).toContain('Received: Peer de-configured');
    });
  });

  test('our restart: BIRD keeps our routes, the new process resumes, and only a shutdown withdraws them', async () => {
    lab.startBird(BIRD_CONFIG);
    const first = await startSpeaker();
    await expectLearned(first);
    await birdHas(BLOCKS.toReversed());

    await first.kill();
    await eventually(() => expect(lab.birdc('show', 'protocols', 'node')).not.toContain('Established'));
    await birdHas(BLOCKS.toReversed());

    const second = await startSpeaker(['192.168.6.0/26'], true);
    await expectLearned(second);
    await birdHas(['192.168.6.0/26']);
    await eventually(async () => expect((await second.status()).converged).toBe(true));

    await second.tell({ do: 'close', how: 'shutdown' });
    await eventually(() => {
      expect(lab.birdc('show', 'protocols', 'all', 'node')).toContain('Received: Administrative shutdown');
    }, 1000);
    await birdHas([]);
  });

  test('a close for a restart hangs up without a word, and BIRD keeps the routes', async () => {
    lab.startBird(BIRD_CONFIG);
    const speaker = await startSpeaker();
    await expectLearned(speaker);
    await birdHas(BLOCKS.toReversed());
    await speaker.tell({ do: 'close', how: 'restart' });
    await eventually(() => expect(lab.birdc('show', 'protocols', 'node')).not.toContain('Established'));
    await birdHas(BLOCKS.toReversed());
  });

  test('a change of the hold time takes a new session, and neither side drops a route for it', async () => {
    lab.startBird(BIRD_CONFIG);
    const speaker = await startSpeaker();
    await expectLearned(speaker);
    await birdHas(BLOCKS.toReversed());
    await changeHoldTime(speaker, () => birdHas(BLOCKS.toReversed()));
    await birdHas(BLOCKS.toReversed());
  });

  test("BIRD's restart: its routes stay, stale, until it has told them again", async () => {
    const bird = lab.startBird(BIRD_CONFIG);
    const speaker = await startSpeaker();
    await expectLearned(speaker);

    bird.kill('SIGKILL');
    await eventually(async () => {
      const status = await speaker.status();
      expect(status.peers[0]).toMatchObject({ staleRoutes: 2 });
      expect(status.learned).toHaveLength(2);
    });
    lab.startBird(BIRD_CONFIG.replace('route 10.51.0.0/16 blackhole;', ''), '-R');
    await eventually(async () => {
      const status = await speaker.status();
      expect(status.peers[0]).toMatchObject({ state: 'Established', staleRoutes: 0 });
      expect(status.learned.map(({ prefix }) => prefix)).toEqual(['10.50.0.0/16']);
    });
  });

  test('a wrong AS is named on our side and refused', async () => {
    lab.startBird(BIRD_CONFIG);
    const speaker = await lab.speaker();
    await speaker.tell({ do: 'setPeers', peers: [{ ...PEER, remoteAsn: 65009 }] });
    await eventually(async () => {
      const { peers } = await speaker.status();
      expect(peers[0]?.lastError).toMatch(/AS mismatch: the peer says AS 65001, AS 65009 is configured|Bad Peer AS/);
    });
  });

  test('a second speaker on the same port ends in one sentence', async () => {
    await lab.speaker();
    await expect(lab.speaker()).rejects.toThrow(`port 179 on ${NODE_ADDRESS} is in use by another process`);
  });
});

describe.skipIf(missingFrr !== undefined)(`with a real FRR ${missingFrr ?? ''}`, () => {
  labOf('f');

  const frrHas = (blocks: readonly string[]): Promise<void> =>
    eventually(() => {
      const { routes } = JSON.parse(lab.vtysh('show bgp ipv4 unicast json')) as { routes: Record<string, unknown> };
      expect(Object.keys(routes).filter((prefix) => prefix.startsWith('192.168.'))).toEqual(blocks);
    });

  const frrState = (): string => {
    const all = JSON.parse(lab.vtysh('show bgp neighbors json')) as Record<string, { bgpState: string }>;
    return all[NODE_ADDRESS]?.bgpState ?? 'absent';
  };

  test('the session comes up and routes go both ways', async () => {
    await lab.startFrr(FRR_CONFIG);
    const speaker = await startSpeaker();
    await expectLearned(speaker);
    await frrHas(BLOCKS);
    expect(frrState()).toBe('Established');
    const detail = JSON.parse(lab.vtysh(`show bgp ipv4 unicast ${BLOCKS[0]} json`)) as {
      paths: { aspath: { string: string }; nexthops: { ip: string }[] }[];
    };
    expect(detail.paths[0]?.aspath.string).toBe('64512');
    expect(detail.paths[0]?.nexthops[0]?.ip).toBe(NODE_ADDRESS);
  });

  test.each([
    ['that restarts gracefully itself', FRR_CONFIG],
    ['that only helps', FRR_CONFIG.replace(/ bgp graceful-restart.*\n/g, '')],
  ])('a change of the hold time costs no route with an FRR %s', async (_, config) => {
    await lab.startFrr(config);
    const speaker = await startSpeaker();
    await expectLearned(speaker);
    await frrHas(BLOCKS);
    await changeHoldTime(speaker, () => frrHas(BLOCKS));
    await frrHas(BLOCKS);
  });

  test('our restart: FRR keeps our routes, the new process resumes, and only a shutdown withdraws them', async () => {
    await lab.startFrr(FRR_CONFIG);
    const first = await startSpeaker();
    await expectLearned(first);
    await frrHas(BLOCKS);

    await first.kill();
    await eventually(() => expect(frrState()).not.toBe('Established'));
    await frrHas(BLOCKS);

    const second = await startSpeaker(['192.168.6.0/26'], true);
    await expectLearned(second);
    await frrHas(['192.168.6.0/26']);
    await eventually(async () => expect((await second.status()).converged).toBe(true));

    await second.tell({ do: 'close', how: 'shutdown' });
    await frrHas([]);
  });
});
