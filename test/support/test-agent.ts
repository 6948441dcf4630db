/** An agent over a store in memory and a speaker that does nothing; what else it stands on is the test's. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Dataplane } from '../../felix/index.ts';
import { Agent } from '../../src/agent/agent.ts';
import type { AgentPorts } from '../../src/agent/agent.ts';
import { AgentHealth } from '../../src/agent/agent-health.ts';
import type { Environment } from '../../src/config/datastore.ts';
import { loadSettings } from '../../src/config/settings.ts';
import { MemoryStore } from '../../src/datastore/memory.ts';
import type { Store } from '../../src/datastore/store.ts';
import type { AnyResource } from '../../src/resources/index.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { FakeClock } from './fake-clock.ts';
import { fakeDataplane } from './fake-dataplane.ts';
import { fakeSpeaker } from './fake-speaker.ts';
import { memoryLogger } from './memory-logger.ts';
import type { LogLine } from './memory-logger.ts';
import { entryOf, resource } from './resources.ts';

export interface TestAgent {
  readonly agent: Agent;
  readonly store: Store;
  readonly clock: FakeClock;
  readonly lines: readonly LogLine[];
  /** Creates the resource, or writes over the one that is there. */
  put(value: AnyResource): Promise<void>;
  remove(value: AnyResource): Promise<void>;
}

export interface TestAgentSetup {
  readonly env?: Environment;
  readonly clock?: FakeClock;
  readonly dataplane?: Dataplane;
  readonly store?: Store;
  readonly ports?: Partial<AgentPorts>;
}

/** Ports of node `a` on which nothing happens, but for what the test gives. An error that would end the agent is thrown. */
export function quietPorts(own: Partial<AgentPorts> & Pick<AgentPorts, 'store'>): AgentPorts {
  const { clock = new FakeClock(), dataplane = fakeDataplane(), log = silentLogger } = own;
  return {
    ...{ node: 'a', version: '1.2.3', clock, dataplane, hasIpv6: true, hasInterface: () => false, random: () => 0 },
    ...{ log, datastoreLog: log, health: new AgentHealth({ clock, dataplane, asBirdReady: false }) },
    createSpeaker: () => fakeSpeaker(),
    onBgpLogLevel: () => undefined,
    onRuntimeSettings: () => undefined,
    settingProblems: () => [],
    onFatal: (error) => {
      throw error;
    },
    onStopped: () => undefined,
    ...own,
  };
}

/** Node `node-a1` with the address 172.30.1.11/24; not started yet. */
export async function makeTestAgent(setup: TestAgentSetup = {}): Promise<TestAgent> {
  const { env = {}, clock = new FakeClock(), dataplane = fakeDataplane(), store = new MemoryStore() } = setup;
  const { log, lines } = memoryLogger();
  const ports = quietPorts({ node: 'node-a1', store, dataplane, clock, log, ...setup.ports });
  const agent = new Agent(loadSettings({ NODENAME: 'node-a1', ...env }), ports);
  const put = async (value: AnyResource): Promise<void> => {
    const { key, value: json } = entryOf(value);
    const there = await store.get(key);
    await (there === undefined ? store.create(key, json) : store.update(key, json, there.revision));
  };
  await put(resource('Node', 'node-a1', { bgp: { ipv4Address: '172.30.1.11/24' } }));
  return { agent, store, clock, lines, put, remove: (value) => store.delete(entryOf(value).key) };
}

/** Whatever was to come of the last change has come. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 30; i++) await nextTurn();
}
