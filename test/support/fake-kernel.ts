import {
  formatIpAddress,
  formatPrefix,
  isIpv6LinkLocal,
  prefixContainsAddress,
  prefixOf,
  sameAddress,
} from '../../src/model/ip.ts';
import type { IpAddress } from '../../src/model/ip.ts';
import { KernelError, MAIN_TABLE, asStored, formatRoute, formatRule, routeKey, sameRoute } from '../../felix/kernel.ts';
import type {
  Kernel,
  KernelAddress,
  KernelEvent,
  KernelLink,
  KernelNeighbour,
  KernelRoute,
  KernelRule,
  LinkChange,
  NewLink,
  Resolution,
  RouteChange,
  SysctlChange,
  WatchedSysctl,
} from '../../felix/kernel.ts';
import { connectionText } from './conntrack-entries.ts';
import type { Connection } from './conntrack-entries.ts';

type Operation = Exclude<keyof Kernel, 'close' | 'watch'>;

interface FailNext {
  /** Only where the words for the object hold this text; writeRoutes: as formatRoute gives them. */
  readonly matching?: string;
  readonly code: string;
  /** Default 1. */
  readonly times?: number;
}

/** The kernel in memory: one network namespace, with `lo`. Held to the same suite as the real one. */
export class FakeKernel implements Kernel {
  readonly #links = new Map<number, KernelLink>();
  readonly #routes = new Map<string, KernelRoute>();
  #addresses: KernelAddress[] = [];
  #neighbours: KernelNeighbour[] = [];
  readonly #sysctls = new Map<string, string>();
  readonly #rules = new Map<string, KernelRule>();
  readonly #processes = new Map<number, string>();
  #connections: readonly Connection[] = [];
  readonly #listeners = new Set<(event: KernelEvent) => void>();
  readonly #failures: { operation: Operation; matching: string; code: string; times: number }[] = [];
  readonly #namespaces: ReadonlyMap<string, FakeKernel>;
  #nextIndex = 2;
  /** Every change that was asked for, in words, in order; reads are not in it. */
  readonly journal: string[] = [];

  /** `namespaces`: those that a veth's peer can be born in, by path. */
  constructor(namespaces: ReadonlyMap<string, FakeKernel> = new Map()) {
    this.#namespaces = namespaces;
    this.#links.set(1, { index: 1, name: 'lo', mtu: 65536, up: false, running: false, mac: '00:00:00:00:00:00' });
  }

  /** The next calls of `operation` fail; in writeRoutes the changes that match, each by itself. */
  failNext(operation: Operation, { matching = '', code, times = 1 }: FailNext): void {
    this.#failures.push({ operation, matching, code, times });
  }

  /** What was to fail and was not asked for yet fails no more. */
  heal(): void {
    this.#failures.length = 0;
  }

  /** Tells all listeners, as the kernel does when somebody else changed something or we were too slow. */
  emit(event: KernelEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  /** A route of somebody else, or one that was there before we came. */
  givenRoute(route: KernelRoute): void {
    const event = this.#setRoute(route);
    if (event !== undefined) this.emit(event);
  }

  /** Hardware, which nobody creates. Returns its index. */
  givenLink(link: Omit<KernelLink, 'index'>): number {
    const index = this.#nextIndex++;
    this.#setLink({ ...link, index });
    return index;
  }

  /** Packets come out of a tunnel; nobody is told of that. */
  receiveOver(name: string, packets: number): void {
    const link = this.#linkNamed(name);
    if (link !== undefined) this.#links.set(link.index, { ...link, received: (link.received ?? 0) + packets });
  }

  /** Somebody deletes a route by key; the listeners hear of it. `by`: the port of whoever did it. */
  loseRoute(route: KernelRoute, by?: number): void {
    const key = routeKey(route);
    const lost = this.#routes.get(key);
    const author = by === undefined ? {} : { by };
    if (this.#routes.delete(key) && lost) this.emit({ kind: 'route', change: 'removed', route: lost, ...author });
  }

  /** Somebody gives a link another name; its index, routes and addresses stay. */
  renameLink(name: string, to: string): void {
    const link = this.#linkNamed(name);
    if (link !== undefined) this.#setLink({ ...link, name: to });
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

  async flushConntrack(addresses: readonly IpAddress[]): Promise<number> {
    const moved = addresses.map(formatIpAddress);
    await this.#change('flushConntrack', `flush conntrack ${moved.join(' ')}`);
    const before = this.#connections.length;
    this.#connections = this.#connections.filter(
      ({ from, answersFrom }) => !moved.includes(from) && !moved.includes(answersFrom),
    );
    return before - this.#connections.length;
  }

  async processOfPort(port: number): ReturnType<Kernel['processOfPort']> {
    await this.#begin('processOfPort', `look up netlink port ${port}`);
    const name = this.#processes.get(port);
    return name === undefined ? undefined : { pid: port, name };
  }

  async listRoutes(wanted = MAIN_TABLE): Promise<readonly KernelRoute[]> {
    await this.#begin('listRoutes', 'list routes');
    return [...this.#routes.values()].filter(({ table }) => table === wanted);
  }

  async writeRoutes(changes: readonly RouteChange[]): Promise<readonly (KernelError | undefined)[]> {
    await Promise.resolve();
    return changes.map((change) => {
      const words = change.op === 'replace' ? formatRoute(change.route) : routeKey(change.route);
      this.journal.push(`${change.op} route ${words}`);
      return this.#refusal('writeRoutes', `${change.op} route ${words}`) ?? this.#writeRoute(change)[0];
    });
  }

  /** Another process's port to the same kernel: what it writes, our listeners hear of. */
  somebodyElse(): Pick<Kernel, 'writeRoutes'> {
    const write = (change: RouteChange): KernelError | undefined => {
      const [error, event] = this.#writeRoute(change);
      if (event !== undefined) this.emit(event);
      return error;
    };
    return { writeRoutes: (changes) => Promise.resolve(changes.map(write)) };
  }

  /** Why not, or what there is to tell of it. */
  #writeRoute(change: RouteChange): readonly [KernelError] | readonly [undefined, (KernelEvent | undefined)?] {
    if (change.op === 'replace') {
      const code = this.#routeProblem(change.route);
      if (code === undefined) return [undefined, this.#setRoute(change.route)];
      return [new KernelError(`replace route ${formatRoute(change.route)}: ${code}`, code)];
    }
    const key = routeKey(change.route);
    const there = this.#routes.get(key);
    const { protocol } = change.route;
    if (there === undefined || (protocol !== 0 && protocol !== there.protocol)) return [undefined];
    this.#routes.delete(key);
    return [undefined, { kind: 'route', change: 'removed', route: there }];
  }

  #routeProblem({ hops, type }: KernelRoute): string | undefined {
    if (type === 'unicast' && hops.length === 0) return 'ENODEV';
    for (const { ifindex, gateway, onlink } of hops) {
      const link = this.#links.get(ifindex);
      if (link === undefined) return 'ENODEV';
      if (!link.up) return 'ENETDOWN';
      if (gateway !== undefined && !onlink && !this.#onLink(gateway, ifindex)) return 'ENETUNREACH';
    }
    return undefined;
  }

  /** A gateway must be a neighbour: a scope-link route or the subnet of an address leads to it over that link. */
  #onLink(gateway: IpAddress, ifindex: number): boolean {
    const direct = [...this.#routes.values()].some(
      ({ prefix, hops }) =>
        prefixContainsAddress(prefix, gateway) && hops.some((hop) => hop.ifindex === ifindex && !hop.gateway),
    );
    return direct || this.#ownSubnet(gateway)?.ifindex === ifindex || isIpv6LinkLocal(gateway);
  }

  #ownSubnet(target: IpAddress): KernelAddress | undefined {
    return this.#addresses.find(
      ({ ifindex, address }) =>
        this.#links.get(ifindex)?.up === true &&
        prefixContainsAddress(prefixOf(address.address, address.length), target) &&
        !sameAddress(address.address, target),
    );
  }

  #setRoute(wanted: KernelRoute): KernelEvent | undefined {
    const route = asStored(wanted);
    const before = this.#routes.get(routeKey(route));
    this.#routes.set(routeKey(route), route);
    return before === undefined || !sameRoute(before, route) ? { kind: 'route', change: 'set', route } : undefined;
  }

  async listLinks(): Promise<readonly KernelLink[]> {
    await this.#begin('listLinks', 'list links');
    return [...this.#links.values()];
  }

  async getLink(name: string): Promise<KernelLink | undefined> {
    await this.#begin('getLink', `look up link ${name}`);
    return this.#linkNamed(name);
  }

  async createLink(link: NewLink): Promise<void> {
    await this.#change('createLink', `create ${link.kind} link ${link.name}`);
    const there = this.#linkNamed(link.name);
    if (there !== undefined) {
      if (link.kind === 'ipip' && there.kind === 'ipip') return;
      throw new KernelError(`create ${link.kind} link ${link.name}: EEXIST (exists already)`, 'EEXIST');
    }
    const common = { name: link.name, kind: link.kind, mtu: link.mtu ?? 1500, up: false, running: false };
    const index = this.#nextIndex++;
    if (link.kind === 'veth') {
      this.#createVeth(link, { ...common, mac: link.mac ?? madeUpMac(index), index });
      return;
    }
    const mac = link.kind === 'ipip' ? '' : (link.mac ?? madeUpMac(index));
    this.#setLink({
      ...common,
      index,
      mac,
      ...(link.kind === 'vxlan' && { vxlan: link.vxlan }),
      ...(link.kind === 'ipip' && { pmtuDiscovery: false }),
    });
  }

  #createVeth({ peer }: Extract<NewLink, { kind: 'veth' }>, link: KernelLink): void {
    const home = peer.netns === undefined ? this : this.#namespaces.get(peer.netns);
    if (home === undefined) {
      throw new KernelError(`create veth link ${link.name}: open: ENOENT (no such file or directory)`, 'ENOENT');
    }
    if (home.#linkNamed(peer.name) !== undefined) {
      throw new KernelError(`create veth link ${link.name}: EEXIST (exists already)`, 'EEXIST');
    }
    const index = home.#nextIndex++;
    const mac = peer.mac ?? madeUpMac(index);
    home.#setLink({ ...link, index, name: peer.name, mac, peerIndex: link.index });
    this.#setLink({ ...link, peerIndex: index });
    this.#peers.set(link.index, { kernel: home, index });
    home.#peers.set(index, { kernel: this, index: link.index });
  }

  readonly #peers = new Map<number, { readonly kernel: FakeKernel; readonly index: number }>();

  async setLink(ifindex: number, change: LinkChange): Promise<void> {
    await this.#change('setLink', `set link ${ifindex} ${JSON.stringify(change)}`);
    const before = this.#links.get(ifindex);
    if (before === undefined) throw new KernelError(`set link ${ifindex}: ENODEV (no such device)`, 'ENODEV');
    const holder = change.name === undefined ? undefined : this.#linkNamed(change.name);
    if (holder !== undefined && holder.index !== ifindex) {
      throw new KernelError(`set link ${ifindex} name ${change.name}: EEXIST (exists already)`, 'EEXIST');
    }
    const up = change.up ?? before.up;
    this.#setLink({ ...before, ...change, up, running: up });
    if (!up) this.#dropRoutesOver(ifindex);
  }

  async deleteLink(name: string): Promise<void> {
    await this.#change('deleteLink', `delete link ${name}`);
    const link = this.#linkNamed(name);
    if (link === undefined) return;
    const peer = this.#peers.get(link.index);
    this.#forgetLink(link.index);
    if (peer !== undefined) peer.kernel.#forgetLink(peer.index);
  }

  #forgetLink(index: number): void {
    const link = this.#links.get(index);
    this.#links.delete(index);
    this.#peers.delete(index);
    this.#addresses = this.#addresses.filter(({ ifindex }) => ifindex !== index);
    this.#neighbours = this.#neighbours.filter(({ ifindex }) => ifindex !== index);
    this.#dropRoutesOver(index);
    if (link !== undefined) this.emit({ kind: 'link', change: 'removed', link });
  }

  /** As the kernel does: without a word to the listeners. */
  #dropRoutesOver(index: number): void {
    for (const [key, { hops }] of this.#routes) {
      if (hops.some(({ ifindex }) => ifindex === index)) this.#routes.delete(key);
    }
  }

  #linkNamed(name: string): KernelLink | undefined {
    return [...this.#links.values()].find((link) => link.name === name);
  }

  #setLink(link: KernelLink): void {
    this.#links.set(link.index, link);
    this.emit({ kind: 'link', change: 'set', link });
  }

  async listRules(): Promise<readonly KernelRule[]> {
    await this.#begin('listRules', 'list rules');
    return [...this.#rules.values()];
  }

  async addRule(rule: KernelRule): Promise<void> {
    await this.#change('addRule', `add ${formatRule(rule)}`);
    this.#rules.set(formatRule(rule), rule);
  }

  async removeRule(rule: KernelRule): Promise<void> {
    await this.#change('removeRule', `remove ${formatRule(rule)}`);
    this.#rules.delete(formatRule(rule));
  }

  async listAddresses(): Promise<readonly KernelAddress[]> {
    await this.#begin('listAddresses', 'list addresses');
    return [...this.#addresses];
  }

  async addAddress(address: KernelAddress): Promise<void> {
    const words = `add address ${formatPrefix(address.address)} on link ${address.ifindex}`;
    await this.#change('addAddress', words);
    if (!this.#links.has(address.ifindex)) throw new KernelError(`${words}: ENODEV (no such device)`, 'ENODEV');
    if (this.#addresses.some((one) => sameInterfaceAddress(one, address))) return;
    this.#addresses.push(address);
    this.emit({ kind: 'address', change: 'set', address });
  }

  async removeAddress(address: KernelAddress): Promise<void> {
    await this.#change('removeAddress', `remove address ${formatPrefix(address.address)} on link ${address.ifindex}`);
    const before = this.#addresses.length;
    this.#addresses = this.#addresses.filter((one) => !sameInterfaceAddress(one, address));
    if (this.#addresses.length < before) this.emit({ kind: 'address', change: 'removed', address });
  }

  async listNeighbours(ifindex: number): Promise<readonly KernelNeighbour[]> {
    await this.#begin('listNeighbours', `list neighbours of link ${ifindex}`);
    return this.#neighbours.filter((one) => one.ifindex === ifindex);
  }

  async replaceNeighbour(neighbour: KernelNeighbour): Promise<void> {
    await this.#change('replaceNeighbour', `replace ${neighbour.kind} ${neighbourKey(neighbour)}`);
    if (!this.#links.has(neighbour.ifindex)) {
      throw new KernelError(`replace neighbour on link ${neighbour.ifindex}: ENODEV (no such device)`, 'ENODEV');
    }
    this.#neighbours = this.#neighbours.filter((one) => neighbourKey(one) !== neighbourKey(neighbour));
    this.#neighbours.push(neighbour);
    this.emit({ kind: 'neighbour', change: 'set', neighbour });
  }

  async removeNeighbour(neighbour: KernelNeighbour): Promise<void> {
    await this.#change('removeNeighbour', `remove ${neighbour.kind} ${neighbourKey(neighbour)}`);
    this.#forgetNeighbour(neighbour);
  }

  #forgetNeighbour(neighbour: KernelNeighbour): void {
    const lost = this.#neighbours.find((one) => neighbourKey(one) === neighbourKey(neighbour));
    this.#neighbours = this.#neighbours.filter((one) => one !== lost);
    if (lost?.kind === 'fdb') this.emit({ kind: 'neighbour', change: 'removed', neighbour: lost });
    if (lost?.kind === 'neighbour')
      this.emit({ kind: 'neighbour', change: 'removed', neighbour: { ...lost, mac: '', permanent: false } });
  }

  /** The longest prefix among routes and subnets, then the lowest metric. */
  async resolve(target: IpAddress): Promise<Resolution | undefined> {
    await this.#begin('resolve', 'resolve');
    const own = this.#addresses.find(({ address }) => sameAddress(address.address, target));
    if (own !== undefined) return { type: 'local', ifindex: 1, source: target };
    const best = [...this.#routes.values()]
      .filter(({ prefix, table }) => table === MAIN_TABLE && prefixContainsAddress(prefix, target))
      .sort((a, b) => b.prefix.length - a.prefix.length || a.metric - b.metric)[0];
    const subnet = this.#ownSubnet(target);
    if (subnet !== undefined && subnet.address.length >= (best?.prefix.length ?? -1)) {
      return { type: 'unicast', ifindex: subnet.ifindex, source: subnet.address.address };
    }
    const hop = best?.hops[0];
    if (best === undefined || hop === undefined) return undefined;
    const source = best.source ?? this.#addresses.find(({ ifindex }) => ifindex === hop.ifindex)?.address.address;
    const { ifindex, gateway } = hop;
    return { type: 'unicast', ifindex, ...(gateway && { gateway }), ...(source && { source }) };
  }

  async watch(listener: (event: KernelEvent) => void, signal: AbortSignal): Promise<void> {
    await Promise.resolve();
    if (signal.aborted) return;
    this.#listeners.add(listener);
    signal.addEventListener('abort', () => this.#listeners.delete(listener), { once: true });
  }

  async readSysctl(path: string): Promise<string> {
    await this.#begin('readSysctl', `read sysctl ${path}`);
    this.#checkSysctl(path);
    return this.#sysctls.get(path) ?? '0';
  }

  async writeSysctl(path: string, value: string): Promise<void> {
    await this.#change('writeSysctl', `write sysctl ${path} = '${value}'`);
    this.#checkSysctl(path);
    this.#sysctls.set(path, value);
    this.#tellSysctl(path, value);
  }

  /** Whatever fails one read or write fails it here, too. */
  async readSysctls(paths: readonly string[]): Promise<readonly (string | KernelError)[]> {
    await this.#begin('readSysctls', `read sysctls ${paths.join(' ')}`);
    const values: (string | KernelError)[] = [];
    for (const path of paths) values.push(await this.readSysctl(path).catch((error: unknown) => error as KernelError));
    return values;
  }

  async writeSysctls(changes: readonly SysctlChange[]): Promise<readonly (KernelError | undefined)[]> {
    await this.#begin('writeSysctls', `write sysctls ${changes.map(({ path }) => path).join(' ')}`);
    const results: (KernelError | undefined)[] = [];
    for (const { path, value } of changes) {
      results.push(
        await this.writeSysctl(path, value).then(
          () => undefined,
          (error: unknown) => error as KernelError,
        ),
      );
    }
    return results;
  }

  /** The kernel tells of some alone; ip_forward is `forwarding` of `all`. */
  #tellSysctl(path: string, value: string): void {
    const [, version, scope = '', name = ''] =
      /^net\/ipv([46])\/conf\/([^/]+)\/(forwarding|rp_filter|proxy_arp|proxy_ndp)$/.exec(
        path === 'net/ipv4/ip_forward' ? 'net/ipv4/conf/all/forwarding' : path,
      ) ?? [];
    if (version === undefined) return;
    const ifindex = scope === 'all' || scope === 'default' ? scope : this.#linkNamed(scope)?.index;
    if (ifindex === undefined) return;
    const family = version === '4' ? 4 : 6;
    this.emit({ kind: 'sysctl', family, ifindex, name: name as WatchedSysctl, value: Number(value) });
  }

  /** Those of a link that is not there are not there either. */
  #checkSysctl(path: string): void {
    const name = /^net\/ipv[46]\/(?:conf|neigh)\/([^/]+)\//.exec(path)?.[1];
    if (name !== undefined && !['all', 'default'].includes(name) && this.#linkNamed(name) === undefined) {
      throw new KernelError(`sysctl ${path}: ENOENT (no such file or directory)`, 'ENOENT');
    }
  }

  close(): Promise<void> {
    this.#listeners.clear();
    return Promise.resolve();
  }

  #change(operation: Operation, words: string): Promise<void> {
    this.journal.push(words);
    return this.#begin(operation, words);
  }

  async #begin(operation: Operation, words: string): Promise<void> {
    await Promise.resolve();
    const refusal = this.#refusal(operation, words);
    if (refusal !== undefined) throw refusal;
  }

  #refusal(operation: Operation, words: string): KernelError | undefined {
    const failure = this.#failures.find(
      (one) => one.operation === operation && one.times > 0 && words.includes(one.matching),
    );
    if (failure === undefined) return undefined;
    failure.times--;
    return new KernelError(`${words}: ${failure.code}`, failure.code);
  }
}

const madeUpMac = (index: number): string => `02:00:00:00:00:${(index & 255).toString(16).padStart(2, '0')}`;

const sameInterfaceAddress = (a: KernelAddress, b: KernelAddress): boolean =>
  a.ifindex === b.ifindex && a.address.length === b.address.length && sameAddress(a.address.address, b.address.address);

const neighbourKey = (one: KernelNeighbour): string =>
  one.kind === 'fdb'
    ? `fdb ${one.ifindex} ${one.mac}`
    : `neighbour ${one.ifindex} ${formatPrefix({ address: one.address, length: 0 })}`;
