/** Whole agents on a real etcd that runs outside their network: each comes to it through a fault proxy of its own. */
import type { NodeStatus } from '../../src/api/contract.ts';
import { openEtcdStore } from '../../src/datastore/etcd.ts';
import { affinityKey, blockKey } from '../../src/datastore/keys.ts';
import type { Store } from '../../src/datastore/store.ts';
import { hostAffinity } from '../../src/ipam/affinity.ts';
import { blockToJson } from '../../src/ipam/block-json.ts';
import { newBlock } from '../../src/ipam/block.ts';
import { parsePrefix } from '../../src/model/ip.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { addPod, makeAgentLab, untilSettled } from './agent-lab.ts';
import type { AgentLab, LabNode } from './agent-lab.ts';
import type { EtcdServer } from './etcd-server.ts';
import { eventually } from './eventually.ts';
import { FaultProxy } from './fault-proxy.ts';
import { makeNetns } from './netns.ts';
import type { TestNetns } from './netns.ts';
import { NetnsListener } from './netns-listener.ts';
import type { Flow } from './pinger.ts';

const PORT = 2379;
/** Of the pool, and far from where either node begins to look for one. */
const EXTRA = parsePrefix('10.48.255.192/26');
/** An agent that is away from etcd waits longer each time before it asks again. */
const PATIENCE_MS = 120_000;

/** Two agents over VXLAN with a pod each. */
export class EtcdAgentLab {
  readonly lab: AgentLab;
  readonly #members: readonly EtcdServer[];
  readonly #pods: readonly TestNetns[];
  readonly #listeners: readonly NetnsListener[];
  #proxies: readonly (readonly FaultProxy[])[] = [];
  #writer: Store | undefined;
  #flows: readonly Flow[] = [];
  #marks: readonly number[] = [0, 0];

  constructor(prefix: string, members: readonly EtcdServer[]) {
    this.#members = members;
    this.lab = makeAgentLab(prefix, {
      environment: {
        DATASTORE_TYPE: 'etcdv3',
        ETCD_ENDPOINTS: members.map((_, i) => `http://127.0.0.1:${PORT + i}`).join(','),
        CALICO_IPV4POOL_VXLAN: 'Always',
        FELIX_HEALTHENABLED: 'true',
      },
    });
    this.#listeners = this.lab.nodes.map(({ netns }) => new NetnsListener(netns));
    this.#pods = ['a', 'b'].map((name) => makeNetns(`${prefix}-pod-${name}`));
  }

  /** Until both are settled, and a ping from either pod reaches the other. */
  async start(): Promise<void> {
    const { nodes } = this.lab;
    this.#proxies = await Promise.all(this.#listeners.map((listener) => proxiesOn(listener, this.#members)));
    const endpoints = this.#members.map(({ endpoint }) => endpoint);
    this.#writer = await openEtcdStore({ endpoints }, { clock: systemClock, random: Math.random });
    for (const node of nodes) node.start();
    await untilSettled(this.lab);
    const [podA, podB] = this.#pods as [TestNetns, TestNetns];
    const [a = '', b = ''] = await Promise.all(nodes.map((node, i) => addPod(node, this.#pods[i]!, `pod-${i}`)));
    this.#flows = [
      { name: 'a > b', from: podA, to: b },
      { name: 'b > a', from: podB, to: a },
    ];
    await eventually(() => {
      for (const { from, to } of this.#flows) from.run('ping', '-c', '1', '-W', '1', to);
    });
  }

  /** From either pod to the other. */
  get flows(): readonly Flow[] {
    return this.#flows;
  }

  /** By node, then by member. */
  get proxies(): readonly (readonly FaultProxy[])[] {
    return this.#proxies;
  }

  /** A client beside the proxies. */
  get writer(): Store {
    if (this.#writer === undefined) throw new Error('the lab was not started');
    return this.#writer;
  }

  get #all(): readonly FaultProxy[] {
    return this.#proxies.flat();
  }

  /** The way is open again, on new connections: what was swallowed is gone. */
  async back(): Promise<void> {
    for (const proxy of this.#all) {
      proxy.cutAll();
      proxy.pass();
      await proxy.accept();
    }
  }

  async each(fault: (proxy: FaultProxy) => void | Promise<void>): Promise<void> {
    for (const proxy of this.#all) await fault(proxy);
  }

  status({ client }: LabNode): Promise<NodeStatus> {
    return client.get<NodeStatus>('/v1/status');
  }

  readiness({ netns }: LabNode): { readonly code: string; readonly text: string } {
    const said = netns.run('curl', '-s', '-w', '\n%{http_code}', 'http://127.0.0.1:9099/readiness');
    const [code = ''] = said.split('\n').slice(-1);
    return { code, text: said.slice(0, -code.length) };
  }

  /** Both agents' own words for the datastore that is away; undefined of one that has it. */
  async stale(): Promise<readonly (string | undefined)[]> {
    const all = await Promise.all(this.lab.nodes.map((node) => this.status(node)));
    return all.map(({ datastore }) => datastore.stale);
  }

  async untilAllStale(sentence: RegExp): Promise<void> {
    await eventually(
      async () => (await this.stale()).every((said) => said !== undefined && sentence.test(said)),
      PATIENCE_MS,
    );
  }

  /** Both have read all that was written before. */
  async untilFresh(): Promise<void> {
    let revision = Infinity;
    // An etcd whose leader has just gone does not answer everybody.
    await eventually(async () => ({ revision } = await this.writer.list('/calico/')));
    await eventually(async () => {
      const all = await Promise.all(this.lab.nodes.map((node) => this.status(node)));
      return all.every(({ datastore }) => datastore.stale === undefined && datastore.revision >= revision);
    }, PATIENCE_MS);
  }

  /** Another client's doing: node-b has a block more, which node-a learns of by BGP. */
  async claimExtra(): Promise<void> {
    const block = newBlock({ prefix: EXTRA, affinity: hostAffinity('node-b'), claimedAtMs: Date.now() });
    await this.writer.create(blockKey(EXTRA), blockToJson(block));
    await this.writer.create(affinityKey('node-b', EXTRA), { state: 'confirmed', deleted: false });
  }

  async giveUpExtra(): Promise<void> {
    await this.writer.delete(affinityKey('node-b', EXTRA));
    await this.writer.delete(blockKey(EXTRA));
  }

  /** What `ip monitor route` told of our routes at each node since the last `forgetEvents`. */
  events(): readonly (readonly string[])[] {
    return this.lab.nodes.map(({ routeEvents }, i) =>
      routeEvents()
        .slice(this.#marks[i])
        .map((line) => line.trim()),
    );
  }

  forgetEvents(): void {
    this.#marks = this.lab.nodes.map(({ routeEvents }) => routeEvents().length);
  }

  logs(): string {
    return this.lab.nodes.map(({ name, log }) => `${name}:\n${log()}`).join('\n');
  }

  async remove(): Promise<void> {
    await this.lab.remove();
    for (const pod of this.#pods) pod.remove();
    await Promise.all([this.#writer?.close(), ...this.#all.map((proxy) => proxy.close())]);
    await Promise.all(this.#listeners.map((listener) => listener.close()));
  }
}

/** On loopback of the node, whose agent finds its etcd there. */
async function proxiesOn(listener: NetnsListener, members: readonly EtcdServer[]): Promise<readonly FaultProxy[]> {
  const proxies: FaultProxy[] = [];
  for (const [i, { port }] of members.entries()) {
    proxies.push(await FaultProxy.start(port, (at) => listener.listen(at), PORT + i));
  }
  return proxies;
}
