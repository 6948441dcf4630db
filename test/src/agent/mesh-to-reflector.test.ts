/** What an operator does to turn a mesh into clients of a reflector, from the resources down to the sessions. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Speaker } from '../../../bird/index.ts';
import { CALICO_PEER_DEFAULTS, computePeers } from '../../../src/agent/peers.ts';
import type { AnyResource } from '../../../src/resources/index.ts';
import { parseIpAddress } from '../../../src/model/ip.ts';
import { resource, view } from '../../support/resources.ts';
import { learned, SpeakerBench } from '../../support/speakers.ts';

let bench: SpeakerBench;
beforeEach(() => {
  bench = new SpeakerBench();
});
afterEach(() => bench.close());

const ADDRESSES = { rr: '10.0.0.1', x: '10.0.0.2', y: '10.0.0.3', z: '10.0.0.10' } as const;
type Name = keyof typeof ADDRESSES;
const NAMES = Object.keys(ADDRESSES) as readonly Name[];
const CLUSTER = '224.0.0.1';

const node = (name: Name, isReflector: boolean, cluster?: string): AnyResource =>
  resource(
    'Node',
    { name, labels: isReflector ? { reflector: 'yes' } : {} },
    {
      bgp: { ipv4Address: `${ADDRESSES[name]}/24`, ...(cluster !== undefined && { routeReflectorClusterID: cluster }) },
    },
  );
const others = [node('x', false), node('y', false), node('z', false)];
const mesh = resource('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: true });
const noMesh = resource('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false });
const toReflectors = resource('BGPPeer', 'to-reflectors', {
  nodeSelector: 'all()',
  peerSelector: "reflector == 'yes'",
});

const STEPS: readonly (readonly AnyResource[])[] = [
  [mesh, node('rr', false), ...others],
  [mesh, node('rr', true), ...others, toReflectors],
  [mesh, node('rr', true, CLUSTER), ...others, toReflectors],
  [noMesh, node('rr', true, CLUSTER), ...others, toReflectors],
];

/** As the agent does on every change. */
function apply(speaker: Speaker, name: Name, resources: readonly AnyResource[]): void {
  const known = view(...resources);
  const cluster = known.Node.get(name)?.spec.bgp?.routeReflectorClusterID;
  speaker.setClusterId(cluster === undefined ? undefined : parseIpAddress(cluster).words[0]);
  speaker.setPeers(computePeers(known, name, CALICO_PEER_DEFAULTS).peers);
}

const sessionsOf = (speaker: Speaker) =>
  new Map(speaker.peers().map(({ settings, since, state }) => [settings.address.words[0], `${state} ${since}`]));

test('the sessions with the reflector stand from the first step to the last, and nobody loses a route', async () => {
  const speakers = new Map<Name, Speaker>();
  for (const name of NAMES) {
    const speaker = await bench.start({
      address: ADDRESSES[name],
      peers: [],
      originates: [`192.168.${ADDRESSES[name].split('.')[3]}.0/26`],
    });
    apply(speaker, name, STEPS[0]!);
    speakers.set(name, speaker);
  }
  await bench.clock.advance(20_000);
  const reflector = speakers.get('rr')!;
  const before = sessionsOf(reflector);
  const counts = new Set<number>();
  for (const speaker of speakers.values()) {
    counts.add(learned(speaker).length);
    speaker.onRoutesChange(() => counts.add(learned(speaker).length));
  }
  for (const step of STEPS.slice(1)) {
    for (const [name, speaker] of speakers) {
      apply(speaker, name, step);
      await bench.clock.advance(200);
    }
    await bench.clock.advance(2000);
  }
  expect(sessionsOf(reflector)).toEqual(before);
  expect([...before.values()].every((session) => session.startsWith('Established'))).toBe(true);
  expect([...counts]).toEqual([3]);
  expect(speakers.get('x')!.peers()).toHaveLength(1);
});
