import { formatIpAddress } from '../../src/model/ip.ts';
import type { IpAddress } from '../../src/model/ip.ts';
import { formatRule } from '../../felix/kernel.ts';
import { MAIN_TABLE, formatRoute } from '../../felix/routes/kernel-route.ts';
import { formatRouteId, routeId } from '../../felix/routes/route-id.ts';
import { RouteList } from '../../felix/routes/route-list.ts';
import type {
  Kernel,
  KernelAddress,
  KernelError,
  KernelEvent,
  KernelLink,
  KernelNeighbour,
  KernelRule,
  LinkChange,
  NewLink,
  Resolution,
  SysctlChange,
} from '../../felix/kernel.ts';
import type { KernelRoute, RouteChange } from '../../felix/routes/kernel-route.ts';
import { connectionText } from './conntrack-entries.ts';
import type { Connection } from './conntrack-entries.ts';
import { addAddress, addressWords, removeAddress } from './fake-kernel/addresses.ts';
import { Calls } from './fake-kernel/calls.ts';
import type { FailNext } from './fake-kernel/calls.ts';
import { changeLink, createLink, deleteLink } from './fake-kernel/links.ts';
import { FakeNamespace } from './fake-kernel/namespace.ts';
import { neighbourKey, removeNeighbour, replaceNeighbour } from './fake-kernel/neighbours.ts';
import { resolve, setRoute, writeRoute } from './fake-kernel/routes.ts';
import { sysctlRefusal, tellSysctl } from './fake-kernel/sysctls.ts';
import type { KernelCall } from './kernel-calls.ts';

/**
 * The kernel in memory: one network namespace, with `lo`. Held to the same suite as the real one. Here is what can be asked
 * for and in which words; what then happens is in `fake-kernel/`.
 */
export class FakeKernel implements Kernel {
  readonly #namespace = new FakeNamespace();
  readonly #calls = new Calls();
  readonly #namespaces: ReadonlyMap<string, FakeKernel>;
  readonly #rules = new Map<string, KernelRule>();
  readonly #sysctls = new Map<string, string>();
  readonly #processes = new Map<number, string>();
  #connections: readonly Connection[] = [];
  /** Every change that was asked for, in words, in order; reads are not in it. */
  readonly journal: string[] = this.#calls.journal;

  /** `namespaces`: those that a veth's peer can be born in, by path. */
  constructor(namespaces: ReadonlyMap<string, FakeKernel> = new Map()) {
    this.#namespaces = namespaces;
  }

  /** The next of these calls fail; in writeRoutes the changes that match, each by itself. */
  failNext(call: KernelCall, failure: FailNext): void {
    this.#calls.failNext(call, failure);
  }

  /** What was to fail and was not asked for yet fails no more. */
  heal(): void {
    this.#calls.heal();
  }

  /** Tells all listeners, as the kernel does when somebody else changed something or we were too slow. */
  emit(event: KernelEvent): void {
    this.#namespace.emit(event);
  }

  /** A route of somebody else, or one that was there before we came. */
  givenRoute(route: KernelRoute): void {
    const event = setRoute(this.#namespace, route);
    if (event !== undefined) this.emit(event);
  }

  /** Hardware, which nobody creates. Returns its index. */
  givenLink(link: Omit<KernelLink, 'index'>): number {
    const index = this.#namespace.newIndex();
    this.#namespace.setLink({ ...link, index });
    return index;
  }

  /** Packets come out of a tunnel; nobody is told of that. */
  receiveOver(name: string, packets: number): void {
    const { links } = this.#namespace;
    const link = this.#namespace.linkNamed(name);
    if (link !== undefined) links.set(link.index, { ...link, received: (link.received ?? 0) + packets });
  }

  /** Somebody deletes a route by key; the listeners hear of it. `by`: the port of whoever did it. */
  loseRoute(route: KernelRoute, by?: number): void {
    const { routes } = this.#namespace;
    const key = routeId(route);
    const lost = routes.get(key);
    const author = by === undefined ? {} : { by };
    if (routes.delete(key) && lost) this.emit({ kind: 'route', change: 'removed', route: lost, ...author });
  }

  /** Somebody gives a link another name; its index, routes and addresses stay. */
  renameLink(name: string, to: string): void {
    const link = this.#namespace.linkNamed(name);
    if (link !== undefined) this.#namespace.setLink({ ...link, name: to });
  }

  /** A process that may stand behind events. */
  givenProcess(pid: number, name: string): void {
    this.#processes.set(pid, name);
  }

  givenConnection(connection: Connection): void {
    this.#connections = [...this.#connections, connection];
  }

  /** In the words of connectionText, sorted. */
  connections(): readonly string[] {
    return this.#connections.map(connectionText).sort();
  }

  /** Another process's port to the same kernel: what it writes, our listeners hear of. */
  somebodyElse(): Pick<Kernel, 'writeRoutes'> {
    const write = (change: RouteChange): KernelError | undefined => {
      const [error, event] = writeRoute(this.#namespace, change);
      if (event !== undefined) this.emit(event);
      return error;
    };
    return { writeRoutes: (changes) => Promise.resolve([...changes].map(write)) };
  }

  async flushConntrack(addresses: readonly IpAddress[]): Promise<number> {
    const moved = addresses.map(formatIpAddress);
    await this.#calls.change('flushConntrack', `flush conntrack ${moved.join(' ')}`);
    const before = this.#connections.length;
    this.#connections = this.#connections.filter(
      ({ from, answersFrom }) => !moved.includes(from) && !moved.includes(answersFrom),
    );
    return before - this.#connections.length;
  }

  async processOfPort(port: number): ReturnType<Kernel['processOfPort']> {
    await this.#calls.begin('processOfPort', `look up netlink port ${port}`);
    const name = this.#processes.get(port);
    return name === undefined ? undefined : { pid: port, name };
  }

  async listRoutes(wanted = MAIN_TABLE): Promise<RouteList> {
    await this.#calls.begin('listRoutes', 'list routes');
    return RouteList.of([...this.#namespace.routes.values()].filter(({ table }) => table === wanted));
  }

  async writeRoutes(changes: Iterable<RouteChange>): Promise<readonly (KernelError | undefined)[]> {
    await this.#calls.turn();
    return [...changes].map((change) => {
      const words = `${change.op} route ${change.op === 'replace' ? formatRoute(change.route) : formatRouteId(routeId(change.route))}`;
      this.journal.push(words);
      return this.#calls.refusal('writeRoutes', words) ?? writeRoute(this.#namespace, change)[0];
    });
  }

  async resolve(target: IpAddress): Promise<Resolution | undefined> {
    await this.#calls.begin('resolve', 'resolve');
    return resolve(this.#namespace, target);
  }

  async listLinks(): Promise<readonly KernelLink[]> {
    await this.#calls.begin('listLinks', 'list links');
    return [...this.#namespace.links.values()];
  }

  async getLink(name: string): Promise<KernelLink | undefined> {
    await this.#calls.begin('getLink', `look up link ${name}`);
    return this.#namespace.linkNamed(name);
  }

  async createLink(link: NewLink): Promise<void> {
    await this.#calls.change('createLink', `create ${link.kind} link ${link.name}`);
    createLink(this.#namespace, link, (path) => {
      const home = this.#namespaces.get(path);
      return home === undefined ? undefined : home.#namespace;
    });
  }

  async setLink(ifindex: number, change: LinkChange): Promise<void> {
    await this.#calls.change('setLink', `set link ${ifindex} ${JSON.stringify(change)}`);
    changeLink(this.#namespace, ifindex, change);
  }

  async deleteLink(name: string): Promise<void> {
    await this.#calls.change('deleteLink', `delete link ${name}`);
    deleteLink(this.#namespace, name);
  }

  async listRules(): Promise<readonly KernelRule[]> {
    await this.#calls.begin('listRules', 'list rules');
    return [...this.#rules.values()];
  }

  async addRule(rule: KernelRule): Promise<void> {
    await this.#calls.change('addRule', `add ${formatRule(rule)}`);
    this.#rules.set(formatRule(rule), rule);
  }

  async removeRule(rule: KernelRule): Promise<void> {
    await this.#calls.change('removeRule', `remove ${formatRule(rule)}`);
    this.#rules.delete(formatRule(rule));
  }

  async listAddresses(): Promise<readonly KernelAddress[]> {
    await this.#calls.begin('listAddresses', 'list addresses');
    return this.#namespace.addresses;
  }

  async addAddress(address: KernelAddress): Promise<void> {
    await this.#calls.change('addAddress', `add address ${addressWords(address)}`);
    addAddress(this.#namespace, address);
  }

  async removeAddress(address: KernelAddress): Promise<void> {
    await this.#calls.change('removeAddress', `remove address ${addressWords(address)}`);
    removeAddress(this.#namespace, address);
  }

  async listNeighbours(ifindex: number): Promise<readonly KernelNeighbour[]> {
    await this.#calls.begin('listNeighbours', `list neighbours of link ${ifindex}`);
    return this.#namespace.neighbours.filter((one) => one.ifindex === ifindex);
  }

  async replaceNeighbour(neighbour: KernelNeighbour): Promise<void> {
    await this.#calls.change('replaceNeighbour', `replace ${neighbour.kind} ${neighbourKey(neighbour)}`);
    replaceNeighbour(this.#namespace, neighbour);
  }

  async removeNeighbour(neighbour: KernelNeighbour): Promise<void> {
    await this.#calls.change('removeNeighbour', `remove ${neighbour.kind} ${neighbourKey(neighbour)}`);
    removeNeighbour(this.#namespace, neighbour);
  }

  async watch(listener: (event: KernelEvent) => void, signal: AbortSignal): Promise<void> {
    await Promise.resolve();
    this.#namespace.watch(listener, signal);
  }

  async readSysctl(path: string): Promise<string> {
    await this.#calls.begin('readSysctl', `read sysctl ${path}`);
    const refusal = sysctlRefusal(this.#namespace, path);
    if (refusal !== undefined) throw refusal;
    return this.#sysctls.get(path) ?? '0';
  }

  async writeSysctl(path: string, value: string): Promise<void> {
    await this.#calls.turn();
    const refusal = this.#setSysctl({ path, value });
    if (refusal !== undefined) throw refusal;
  }

  #setSysctl({ path, value }: SysctlChange): KernelError | undefined {
    const words = `write sysctl ${path} = '${value}'`;
    this.journal.push(words);
    const refusal = this.#calls.refusal('writeSysctl', words) ?? sysctlRefusal(this.#namespace, path);
    if (refusal !== undefined) return refusal;
    this.#sysctls.set(path, value);
    tellSysctl(this.#namespace, path, value);
    return undefined;
  }

  /** Whatever fails one read or write fails it here, too. */
  async readSysctls(paths: readonly string[]): Promise<readonly (string | KernelError)[]> {
    await this.#calls.begin('readSysctls', `read sysctls ${paths.join(' ')}`);
    const values: (string | KernelError)[] = [];
    for (const path of paths) values.push(await this.readSysctl(path).catch((error: unknown) => error as KernelError));
    return values;
  }

  async writeSysctls(changes: readonly SysctlChange[]): Promise<readonly (KernelError | undefined)[]> {
    await this.#calls.begin('writeSysctls', `write sysctls ${changes.map(({ path }) => path).join(' ')}`);
    return changes.map((change) => this.#setSysctl(change));
  }

  close(): Promise<void> {
    this.#namespace.endWatches();
    return Promise.resolve();
  }
}
