/** The whole agent, asked through its API as calicoctl-ts asks it, over a speaker that does nothing. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RouteClass, RouteStatus, RouteTarget } from '../../../felix/index.ts';
import { Agent } from '../../../src/agent/agent.ts';
import { AgentHealth } from '../../../src/agent/agent-health.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import { affinityKey } from '../../../src/datastore/keys.ts';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import { parseIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import type { AnyResource } from '../../../src/resources/index.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { fakeSpeaker } from '../../support/fake-speaker.ts';
import { fakeDataplane } from '../../support/fake-dataplane.ts';
import { entryOf, resource } from '../../support/resources.ts';

const TOR = '172.30.1.1';
const node = resource('Node', { name: 'a', labels: { rack: 'b' } }, { bgp: { ipv4Address: '172.30.1.11/24' } });
const tor = (nodeSelector: string): AnyResource =>
  resource('BGPPeer', 'tor-a', { nodeSelector, peerIP: TOR, asNumber: 65001 });

const route = (cidr: string, routeClass: RouteClass, target: RouteTarget): RouteStatus => ({
  route: { prefix: parsePrefix(cidr), class: routeClass, target, reason: 'of this node' },
  state: 'programmed',
});

let store: MemoryStore;
let agent: Agent;
const put = (value: AnyResource): Promise<unknown> => store.create(entryOf(value).key, entryOf(value).value);

beforeEach(() => {
  store = new MemoryStore();
  const clock = new FakeClock();
  const dataplane = fakeDataplane({
    routes: () => [
      route('10.48.0.0/26', 'local-block', { kind: 'blackhole' }),
      route('10.48.0.5/32', 'local-workload', { kind: 'link', interfaceName: 'cali1' }),
    ],
  });
  agent = new Agent(loadSettings({ NODENAME: 'a' }), {
    node: 'a',
    hasIpv6: true,
    hasInterface: () => false,
    settingProblem: () => undefined,
    version: '1.2.3',
    store,
    dataplane,
    health: new AgentHealth({ clock, dataplane, asBirdReady: false }),
    createSpeaker: () =>
      fakeSpeaker({
        refusedCallers: () => [{ address: parseIpAddress(TOR), count: 3, lastAt: 0, why: 'no peer has this address' }],
      }),
    clock,
    random: () => 0,
    log: silentLogger,
    datastoreLog: silentLogger,
    onBgpLogLevel: () => undefined,
    onRuntimeSettings: () => undefined,
    onFatal: (error) => {
      throw error;
    },
    onStopped: () => undefined,
  });
});
afterEach(() => agent.close({ kind: 'restart' }));

test('a peer whose selector leaves this node out: which, which label is another, and that the peer calls', async () => {
  expect(agent.bgp.explainPeer(TOR).verdict).toBe('the datastore has not been read yet, so there are no peers yet');
  await put(node);
  await put(tor("rack == 'a'"));
  agent.start();
  await eventually(() =>
    expect(agent.bgp.explainPeer(TOR)).toMatchObject({
      isConfigured: false,
      cause: 'not configured here',
      verdict: `BGPPeer(tor-a) names ${TOR}, but its nodeSelector "rack == 'a'" does not match Node(a): label rack is 'b'`,
      evidence: [
        'it tried to connect to us 3 times, last at 1970-01-01T00:00:00.000Z, and was refused: no peer has this address',
        'this node has no peers at all',
      ],
    }),
  );
  expect(() => agent.bgp.resetPeer(TOR, 'x')).toThrow(
    `peer = '${TOR}': is no peer here: BGPPeer(tor-a) names ${TOR}, but its nodeSelector "rack == 'a'" does not match`,
  );
});

test('a prefix that this node does not tell: its own reason, and what the kernel has', async () => {
  await put(node);
  await put(resource('IPPool', 'quiet', { cidr: '10.48.0.0/16', disableBGPExport: true }));
  await store.create(affinityKey('a', parsePrefix('10.48.0.0/26')), { state: 'confirmed', deleted: false });
  agent.start();
  await eventually(() =>
    expect(agent.bgp.explainRoute('10.48.0.9')).toMatchObject({
      prefix: '10.48.0.9/32',
      own: 'does not tell 10.48.0.0/26: ippool quiet has disableBGPExport',
      kernel: { prefix: '10.48.0.0/26', target: 'blackhole', state: 'programmed' },
    }),
  );
  expect(agent.bgp.explainRoute('10.48.0.5').kernel).toMatchObject({ target: 'dev cali1 scope link' });
  expect(agent.bgp.explainRoute('10.49.0.0/16')).not.toHaveProperty('kernel');
});
