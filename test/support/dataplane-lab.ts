/**
 * Three hosts and a router on the real kernel: `a` and `c` share 172.30.1.0/24, `b` is alone in 172.30.2.0/24, the
 * router stands between. A dataplane in a process of its own runs on each host, one pod lives on each.
 */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ClusterNode, DataplaneInputs, EncapMode, Pool } from '../../felix/inputs.ts';
import type { IpAddress } from '../../src/model/ip.ts';
import { parseIpAddress, parsePrefix } from '../../src/model/ip.ts';
import { learned, node, pool } from './dataplane-inputs.ts';
import type { DataplaneAnswer, DataplaneRequest } from './dataplane-process.ts';
import { eventually } from './eventually.ts';
import { Conversation } from './lab-processes.ts';
import type { TestNetns } from './netns.ts';
import { pingWhile } from './pinger.ts';
import type { Flow, PingReport } from './pinger.ts';
import { makeNetns } from './netns.ts';

/** From source, or the bundle that the VM's guest is given. */
const SCRIPT = process.env['DATAPLANE_PROCESS'] ?? fileURLToPath(new URL('dataplane-process.ts', import.meta.url));

export interface LabHost {
  readonly name: string;
  readonly address: string;
  readonly gateway: string;
  readonly block: string;
  readonly pod: string;
  readonly vxlan: string;
  readonly ipip: string;
  readonly address6: string;
  readonly gateway6: string;
  readonly block6: string;
  readonly pod6: string;
  readonly vxlan6: string;
}

export const HOSTS: readonly LabHost[] = [1, 2, 3].map((i) => ({
  name: ['a', 'b', 'c'][i - 1]!,
  address: ['172.30.1.11', '172.30.2.11', '172.30.1.13'][i - 1]!,
  gateway: ['172.30.1.1', '172.30.2.1', '172.30.1.1'][i - 1]!,
  block: `192.168.${i}.0/26`,
  pod: `192.168.${i}.5`,
  vxlan: `192.168.${i}.1`,
  ipip: `192.168.${i}.2`,
  address6: ['fd00:30:1::11', 'fd00:30:2::11', 'fd00:30:1::13'][i - 1]!,
  gateway6: ['fd00:30:1::1', 'fd00:30:2::1', 'fd00:30:1::1'][i - 1]!,
  block6: `fd10:${i}::40/122`,
  pod6: `fd10:${i}::45`,
  vxlan6: `fd10:${i}::41`,
}));
export const [a, b, c] = HOSTS as [LabHost, LabHost, LabHost];

const CLUSTER: readonly ClusterNode[] = HOSTS.map(({ name, address, vxlan, ipip, address6, vxlan6 }) =>
  node(name, `${address}/24`, { vxlan, ipip, ipv6: `${address6}/64`, vxlan6 }),
);

/** The pool of the lab's IPv6 pods, which only a lab that was asked for them has. */
export const pool6Of = (vxlan: EncapMode): Pool => pool('fd10::/16', { vxlan }, 'six');

/** The one pool of the lab, in the given modes. */
export const poolOf = (modes: { readonly ipip?: EncapMode; readonly vxlan?: EncapMode }): Pool =>
  pool('192.168.0.0/16', modes);

/** The other end of dataplane-process.ts, inside one namespace. */
class DataplaneProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #conversation: Conversation;

  constructor(netns: string, script: string) {
    this.#child = spawn('ip', ['netns', 'exec', netns, process.execPath, script]);
    this.#child.stderr.pipe(process.stderr);
    this.#conversation = new Conversation('the dataplane process', this.#child);
  }

  ask(request: DataplaneRequest): Promise<DataplaneAnswer> {
    return this.#conversation.ask(request) as Promise<DataplaneAnswer>;
  }

  /** kill -9; `ip netns exec` becomes the program that it runs, so the pid is the dataplane's own. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

export class DataplaneLab {
  readonly #prefix: string;
  readonly #usual: Partial<DataplaneInputs>;
  readonly #spaces = new Map<string, TestNetns>();
  readonly #running = new Map<string, DataplaneProcess>();
  readonly #hasIpv6Pods: boolean;
  readonly #script: string;

  /** `prefix` begins the names of the namespaces; `usual` holds wherever an update says nothing else. */
  constructor(prefix: string, usual: Partial<DataplaneInputs>, { hasIpv6Pods = false, script = SCRIPT } = {}) {
    this.#prefix = prefix;
    this.#usual = usual;
    this.#hasIpv6Pods = hasIpv6Pods;
    this.#script = script;
  }

  /** Resolves when every host has the routes to the others and its pod, and may ask for its neighbours. */
  async start(): Promise<void> {
    this.#layCables();
    await Promise.all(HOSTS.map((host) => this.#startHost(host)));
    for (const { name } of HOSTS) await eventually(() => this.routesOf(name).length >= 4);
    for (const { name } of HOSTS) await eventually(() => this.#canSolicit(name, 'eth0'));
    for (const link of ['rack', 'to-b']) await eventually(() => this.#canSolicit('r', link));
  }

  async close(): Promise<void> {
    for (const dataplane of this.#running.values()) await dataplane.kill();
    for (const each of this.#spaces.values()) each.remove();
    this.#running.clear();
    this.#spaces.clear();
  }

  /** All namespaces, by name. */
  get spaces(): ReadonlyMap<string, TestNetns> {
    return this.#spaces;
  }

  space(name: string): TestNetns {
    return this.#spaces.get(name)!;
  }

  ip(name: string, ...args: readonly string[]): string {
    return this.space(name).run('ip', ...args);
  }

  /** Our routes of one family in the kernel, as iproute2 shows them. */
  routesOf(name: string, family: 4 | 6 = 4): readonly string[] {
    return this.ip(name, `-${family}`, 'route')
      .split('\n')
      .map((line) => line.trim().replace(/\s+/g, ' '))
      .filter((line) => line.includes('proto 80'));
  }

  update({ name }: LabHost, some: Partial<DataplaneInputs> = {}): Promise<DataplaneAnswer> {
    return this.#running.get(name)!.ask({ update: this.#inputsOf(name, some) });
  }

  /** The same, and the process is killed once it has done so many writes; rejects where it was. */
  updateAndDie({ name }: LabHost, some: Partial<DataplaneInputs>, dieAfterWrites: number): Promise<DataplaneAnswer> {
    return this.#running.get(name)!.ask({ update: this.#inputsOf(name, some), dieAfterWrites });
  }

  kill({ name }: LabHost): Promise<void> {
    return this.#running.get(name)!.kill();
  }

  /** What the dataplane says of itself now. */
  ask({ name }: LabHost): Promise<DataplaneAnswer> {
    return this.#running.get(name)!.ask({ ask: 'routes' });
  }

  /** A pod more, in a namespace `NAME` of its own that close() removes; resolves when its interface is there. */
  async addPod(host: LabHost, name: string, address: string): Promise<TestNetns> {
    const space = makeNetns(this.#nameOf(name));
    this.#spaces.set(name, space);
    const pod = { netns: space.path, hostInterface: `cali${name}`, addresses: [parseIpAddress(address)] };
    await this.#running.get(host.name)!.ask({ pod });
    return space;
  }

  /** Pings between the pods of pairs of hosts, in both directions. */
  flows(...pairs: readonly (readonly [LabHost, LabHost])[]): readonly Flow[] {
    const flow = (from: LabHost, to: LabHost): Flow => ({
      ...{ name: `${from.name} > ${to.name}`, from: this.space(`pod-${from.name}`), to: to.pod },
    });
    return pairs.flatMap(([one, other]) => [flow(one, other), flow(other, one)]);
  }

  async updateAll(some: Partial<DataplaneInputs> = {}): Promise<void> {
    for (const host of HOSTS) await this.update(host, some);
  }

  /** kill -9, and a successor. */
  async restart(host: LabHost, some: Partial<DataplaneInputs> = {}): Promise<DataplaneAnswer> {
    await this.#running.get(host.name)!.kill();
    this.#running.set(host.name, new DataplaneProcess(this.#nameOf(host.name), this.#script));
    return this.update(host, some);
  }

  /** Three packets from the pod of one host; what ping prints. Throws where none comes back. */
  ping(from: LabHost, to: string, ...args: readonly string[]): string {
    return this.space(`pod-${from.name}`).run('ping', '-c', '3', '-i', '0.05', '-W', '1', ...args, to);
  }

  /** Pings from the pod of one host all the while; the sequence numbers to which no answer came. */
  async pingDuring(
    { from, to }: { readonly from: LabHost; readonly to: string },
    work: () => Promise<void>,
  ): Promise<PingReport> {
    const reports = await pingWhile([{ name: from.name, from: this.space(`pod-${from.name}`), to }], work);
    return reports.get(from.name)!;
  }

  /** Packets that the host has sent into a link of its own. */
  sentInto(link: string, { name }: LabHost): number {
    const [found] = JSON.parse(this.ip(name, '-j', '-s', 'link', 'show', link)) as [
      { stats64: { tx: { packets: number } } },
    ];
    return found.stats64.tx.packets;
  }

  /** What `ip monitor` prints in a namespace while `work` runs; link-local addresses of new links come when they like. */
  async monitored(name: string, work: () => Promise<void>): Promise<string> {
    const args = ['netns', 'exec', this.#nameOf(name), 'ip', '-o', 'monitor', 'route', 'link', 'address'];
    const child = spawn('ip', args);
    let heard = '';
    child.stdout.on('data', (data: Buffer) => (heard += data.toString()));
    try {
      // A route that is not ours, so that we know that the monitor listens.
      await eventually(() => {
        this.ip(name, 'route', 'add', 'blackhole', '198.51.100.1');
        this.ip(name, 'route', 'del', 'blackhole', '198.51.100.1');
        return heard !== '';
      });
      await sleep(100);
      heard = '';
      await work();
      await sleep(200);
    } finally {
      child.kill();
    }
    const lines = heard.split('\n').filter((line) => line !== '' && !/fe80:|ff00::|multicast/.test(line));
    return lines.join('\n');
  }

  /**
   * While an interface's link-local address is tentative, some 1.5 s after the cable's other end came up, Linux sends no
   * neighbour solicitation for a packet that it forwards: the first pings to another host would wait for the next, a second later.
   */
  #canSolicit(name: string, link: string): boolean {
    const shown = this.ip(name, '-6', 'address', 'show', 'dev', link, 'scope', 'link');
    return shown.includes('inet6 fe80:') && !shown.includes('tentative');
  }

  #nameOf(name: string): string {
    return `${this.#prefix}-${name}`;
  }

  #inputsOf(name: string, some: Partial<DataplaneInputs>): DataplaneInputs {
    const host = HOSTS.find((one) => one.name === name)!;
    const others = HOSTS.filter((other) => other !== host);
    const learned6 = others.map(({ block6, address6 }) => learned(block6, address6));
    return {
      local: CLUSTER.find((one) => one.name === name)!,
      nodes: CLUSTER.filter((one) => one.name !== name),
      pools: [],
      localBlocks: [parsePrefix(host.block), parsePrefix(host.block6)],
      endpoints: [{ name: `test/${name}`, interfaceName: `cali${name}`, addresses: this.#podAddresses(host) }],
      learned: [...others.map(({ block, address }) => learned(block, address)), ...(this.#hasIpv6Pods ? learned6 : [])],
      learnedComplete: true,
      ...this.#usual,
      ...some,
    };
  }

  #podAddresses({ pod, pod6 }: LabHost): readonly IpAddress[] {
    return [pod, ...(this.#hasIpv6Pods ? [pod6] : [])].map((text) => parseIpAddress(text));
  }

  async #startHost(host: LabHost): Promise<void> {
    this.#running.set(host.name, new DataplaneProcess(this.#nameOf(host.name), this.#script));
    await this.update(host);
    const netns = this.space(`pod-${host.name}`).path;
    const pod = { netns, hostInterface: `cali${host.name}`, addresses: this.#podAddresses(host) };
    await this.#running.get(host.name)!.ask({ pod });
  }

  #layCables(): void {
    for (const name of ['r', ...HOSTS.flatMap((host) => [host.name, `pod-${host.name}`])]) {
      this.#spaces.set(name, makeNetns(this.#nameOf(name)));
    }
    this.ip('r', 'link', 'add', 'rack', 'type', 'bridge');
    for (const { name, address, gateway, address6, gateway6 } of HOSTS) {
      const peer = ['peer', 'name', 'eth0', 'netns', this.#nameOf(name)];
      this.ip('r', 'link', 'add', `to-${name}`, 'type', 'veth', ...peer);
      if (name !== 'b') this.ip('r', 'link', 'set', `to-${name}`, 'master', 'rack');
      this.ip('r', 'link', 'set', `to-${name}`, 'up');
      this.ip(name, 'link', 'set', 'lo', 'up');
      this.ip(name, 'link', 'set', 'eth0', 'up');
      this.ip(name, 'address', 'add', `${address}/24`, 'dev', 'eth0');
      this.ip(name, 'route', 'add', 'default', 'via', gateway);
      this.ip(name, 'address', 'add', `${address6}/64`, 'dev', 'eth0', 'nodad');
      this.ip(name, '-6', 'route', 'add', 'default', 'via', gateway6);
    }
    this.ip('r', 'link', 'set', 'rack', 'up');
    this.ip('r', 'address', 'add', '172.30.1.1/24', 'dev', 'rack');
    this.ip('r', 'address', 'add', '172.30.2.1/24', 'dev', 'to-b');
    this.ip('r', 'address', 'add', 'fd00:30:1::1/64', 'dev', 'rack', 'nodad');
    this.ip('r', 'address', 'add', 'fd00:30:2::1/64', 'dev', 'to-b', 'nodad');
    this.space('r').run('sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
  }
}
