/** What interop/ does not try: changes of the settings of a peer, and what goes wrong, with BIRD 2 and FRR. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BgpLab, missingForLab, NODE_ADDRESS, SWITCH_ADDRESS } from '../support/bgp-lab.ts';
import type { SpeakerHandle } from '../support/bgp-lab.ts';
import { eventually } from '../support/eventually.ts';

const BLOCKS = ['192.168.5.0/26', '192.168.6.0/26'];
const PEER = { address: SWITCH_ADDRESS, remoteAsn: 65001, localAddress: NODE_ADDRESS };

const BIRD_CONFIG = `
router id ${SWITCH_ADDRESS};
protocol device {}
protocol static { ipv4; route 10.50.0.0/16 blackhole; route 10.51.0.0/16 blackhole; }
protocol bgp node {
  graceful restart on; graceful restart time 30;
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  local ${SWITCH_ADDRESS} as 65001; neighbor ${NODE_ADDRESS} as 64512;
  ipv4 { import all; export all; };
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

async function startSpeaker(): Promise<SpeakerHandle> {
  const speaker = await lab.speaker({ gracefulRestart: { restarting: false, deferralSeconds: 20 } });
  await speaker.tell({ do: 'setOriginated', prefixes: BLOCKS });
  await speaker.tell({ do: 'setPeers', peers: [PEER] });
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
});
