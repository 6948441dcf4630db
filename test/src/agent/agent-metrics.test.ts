import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AgentMetrics } from '../../../src/agent/agent-metrics.ts';
import { AgentHealth } from '../../../src/agent/agent-health.ts';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import type { Store } from '../../../src/datastore/store.ts';
import { UnavailableError } from '../../../src/datastore/store.ts';
import { parseIpAddress } from '../../../src/model/ip.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { fakeDataplane } from '../../support/fake-dataplane.ts';
import { fakeSpeaker } from '../../support/fake-speaker.ts';
import { peerSettings } from '../../support/bgp.ts';
import { readExposition, valueOf } from '../../support/exposition.ts';
import { peerView } from '../../support/moment.ts';
import { makeTestAgent, settle } from '../../support/test-agent.ts';
import type { TestAgent } from '../../support/test-agent.ts';
import { resource } from '../../support/resources.ts';

/** A store in memory whose line can be cut. */
class CuttableStore extends MemoryStore {
  readonly #watches = new Set<AbortController>();
  isCut = false;

  cut(): void {
    this.isCut = true;
    for (const watch of this.#watches) watch.abort();
  }

  override list(prefix: string): ReturnType<Store['list']> {
    return this.isCut ? Promise.reject(new UnavailableError('etcd does not answer')) : super.list(prefix);
  }

  override get(...given: Parameters<Store['get']>): ReturnType<Store['get']> {
    return this.isCut ? Promise.reject(new UnavailableError('etcd does not answer')) : super.get(...given);
  }

  override async *watch(...[prefix, from, signal]: Parameters<Store['watch']>): ReturnType<Store['watch']> {
    const line = new AbortController();
    this.#watches.add(line);
    yield* super.watch(prefix, from, AbortSignal.any([signal, line.signal]));
    if (this.isCut) throw new UnavailableError('the stream was cut');
  }
}

const down = peerView({ state: 'Idle', settings: peerSettings({ address: '172.30.1.2' }) });
const held = peerView({
  state: 'Idle',
  settings: { ...down.settings, address: parseIpAddress('172.30.1.3'), shutdown: '' },
});

describe('what an agent tells at a scrape', () => {
  let store: CuttableStore;
  let clock: FakeClock;
  let test1: TestAgent;
  let metrics: AgentMetrics;
  const asked: string[] = [];

  const dataplane = fakeDataplane({
    routes: () => {
      throw new Error('100,000 routes must not be listed for a scrape');
    },
    tally: () =>
      Promise.resolve({
        routes: [{ class: 'ipip', state: 'failed', count: 100_000 }],
        ...{ tunnels: [], workloadInterfaces: 0, passes: { ended: 1, failed: 0, totalMs: 1, full: 1 } },
      }),
  });

  beforeEach(async () => {
    [store, clock] = [new CuttableStore(), new FakeClock()];
    asked.length = 0;
    const health = new AgentHealth({ clock, dataplane, asBirdReady: false });
    const speaker = fakeSpeaker({
      peers: () => [peerView(), down, held],
      explainPeer: ({ words }) => {
        asked.push(String(words));
        return { cause: 'nobody listens', verdict: '', evidence: [], next: [] };
      },
    });
    test1 = await makeTestAgent({ store, clock, dataplane, ports: { health, createSpeaker: () => speaker } });
    metrics = new AgentMetrics({ ...{ node: 'node-a1', version: '1.2.3', clock, dataplane, health } });
    metrics.attend(() => test1.agent.knowledge());
  });
  afterEach(() => test1.agent.close({ kind: 'restart' }));

  const scrape = async (): Promise<string> => (await metrics.scrape({ process: false, runtime: false })).text;
  const begin = async (): Promise<void> => {
    test1.agent.start();
    await clock.advance(0);
    await settle();
  };

  test('before it follows its datastore: not stale, and not in sync', async () => {
    const text = await scrape();
    expect(valueOf(text, 'calico_ts_datastore_in_sync')).toBe(0);
    expect(valueOf(text, 'calico_ts_datastore_stale')).toBe(0);
    expect(valueOf(text, 'felix_resync_state')).toBe(1);
  });

  test('the datastore goes: stale, since when; it is back: not stale', async () => {
    await begin();
    const stale = async () => {
      const text = await scrape();
      return ['stale', 'in_sync', 'losses_total'].map((name) => valueOf(text, `calico_ts_datastore_${name}`));
    };
    expect(await stale()).toEqual([0, 1, 0]);
    const since = clock.wallTime();
    store.cut();
    await clock.advance(30_000);
    await settle();
    expect(await stale()).toEqual([1, 1, 1]);
    const told = valueOf(await scrape(), 'calico_ts_datastore_stale_since_timestamp_seconds')!;
    expect(told).toBeCloseTo(since / 1000, 0);
    store.isCut = false;
    await clock.advance(30_000);
    await settle();
    expect(await stale()).toEqual([0, 1, 1]);
    expect(await scrape()).not.toContain('stale_since');
  });

  test('why a session is down, of those that should be up alone', async () => {
    await begin();
    const text = await scrape();
    expect([...readExposition(text).get('calico_ts_bgp_session_down_info')!.samples.values()]).toEqual([
      { labels: { peer: '172.30.1.2', cause: 'nobody listens' }, value: 1 },
    ]);
    expect(asked).toHaveLength(1);
    expect(valueOf(text, 'calico_ts_bgp_session_shutdown{peer="172.30.1.3"}')).toBe(1);
  });

  test('routes are counted, never listed; readiness goes by the same count', async () => {
    await begin();
    const text = await scrape();
    expect(valueOf(text, 'calico_ts_routes_failed')).toBe(100_000);
    expect(valueOf(text, 'calico_ts_ready{part="dataplane"}')).toBe(1);
  });

  test('what is known of the cluster, and endpoints on this node', async () => {
    const endpoint = (node: string, name: string) =>
      resource('WorkloadEndpoint', `${node.replace('-', '--')}-k8s-${name}-eth0`, {
        ...{ orchestrator: 'k8s', node, pod: name, endpoint: 'eth0', workload: name, interfaceName: `cali${name}` },
        ipNetworks: ['10.1.0.1/32'],
      });
    await test1.put(endpoint('node-a1', 'p'));
    await test1.put(endpoint('node-b1', 'q'));
    await begin();
    const text = await scrape();
    expect(valueOf(text, 'felix_cluster_num_hosts')).toBe(1);
    expect(valueOf(text, 'felix_cluster_num_workload_endpoints')).toBe(2);
    expect(valueOf(text, 'felix_active_local_endpoints')).toBe(1);
  });

  test('the process and the runtime, where the settings say so', async () => {
    const { text } = await metrics.scrape({ process: true, runtime: true });
    const families = readExposition(text);
    for (const name of [
      'process_resident_memory_bytes',
      'process_open_fds',
      'process_max_fds',
      'nodejs_version_info',
    ]) {
      expect([...families.get(name)!.samples.values()][0]!.value, name).toBeGreaterThan(0);
    }
    expect(valueOf(text, 'process_start_time_seconds')).toBeLessThan(Date.now() / 1000);
    const neither = await scrape();
    expect(neither).not.toMatch(/^(process|nodejs)_/m);
  });
});
