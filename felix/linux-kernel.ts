/** The real kernel behind the port, by rtnetlink. */
import { formatIpAddress, formatPrefix } from '../src/model/ip.ts';
import type { IpAddress, IpFamily } from '../src/model/ip.ts';
import { KernelError, formatRule } from './kernel.ts';
import { MAIN_TABLE } from './routes/kernel-route.ts';
import type {
  Kernel,
  KernelAddress,
  KernelEvent,
  KernelNeighbour,
  KernelRule,
  NewLink,
  SysctlChange,
} from './kernel.ts';
import type { RouteChange } from './routes/kernel-route.ts';
import { decodeAddress, encodeAddressDump, encodeDeleteAddress, encodeNewAddress } from './netlink/address.ts';
import { flushConntrack } from './netlink/conntrack.ts';
import { errnoName } from '../src/linux/errno.ts';
import type { Request, Verdict } from './netlink/header.ts';
import { systemClock } from '../src/runtime/clock.ts';
import { loadLibc } from '../src/linux/libc.ts';
import type { Libc } from '../src/linux/libc.ts';
import { ApartPerformer } from './netlink/apart.ts';
import { BriefPerformer } from './netlink/brief.ts';
import * as link from './netlink/link.ts';
import { isAbsent, LinkRemover } from './netlink/link-remover.ts';
import type { Failure, SysctlAccess } from './netlink/messages.ts';
import { Monitor, decodeKernelEvents, openMonitorSocket } from './netlink/monitor.ts';
import { openNamespace, ownNamespace } from './netlink/namespace.ts';
import type { Namespace } from './netlink/namespace.ts';
import * as neighbour from './netlink/neighbour.ts';
import type { PortOwner } from './netlink/port-owner.ts';
import { failureError, named, refusalText, refuse } from './netlink/refusal.ts';
import { writeRoutes } from './netlink/route-batches.ts';
import { RouteReader } from './netlink/route-reader.ts';
import { decodeResolution, encodeResolve, encodeRouteDump } from './netlink/route.ts';
import { decodeRule, encodeAddRule, encodeRemoveRule, encodeRuleDump } from './netlink/rule.ts';
import { NetlinkSocket } from './netlink/socket.ts';
import { netlinkThread } from './netlink/thread.ts';
import { setPathMtuDiscovery } from './netlink/tunnel-ioctl.ts';
import { RouteList } from './routes/route-list.ts';

export interface LinuxKernelOptions {
  /** Path of a network namespace, `/var/run/netns/NAME`; absent: the one that we run in. */
  readonly netns?: string;
}

/** So many routes the kernel changes in a tenth of a millisecond. */
const BRIEF_CHANGES = 16;

/** Opens netlink; throws KernelError, one sentence, where the namespace is not there or may not be entered. */
export function createLinuxKernel({ netns }: LinuxKernelOptions = {}): Kernel {
  const libc = loadLibc();
  const what = netns === undefined ? 'open netlink' : `open netlink in network namespace ${netns}`;
  try {
    const namespace = netns === undefined ? ownNamespace : openNamespace(libc, netns);
    try {
      return new LinuxKernel(libc, namespace);
    } catch (error) {
      namespace.close();
      throw error;
    }
  } catch (error) {
    throw named(what, error);
  }
}

class LinuxKernel implements Kernel {
  readonly #libc: Libc;
  readonly #namespace: Namespace;
  readonly #socket: NetlinkSocket;
  /** Opened at its first use: many kernels load connection tracking only then. */
  #netfilter: NetlinkSocket | undefined;
  #links: LinkRemover | undefined;
  readonly #monitors = new Set<Monitor<KernelEvent>>();
  #open = true;

  constructor(libc: Libc, namespace: Namespace) {
    this.#libc = libc;
    this.#namespace = namespace;
    const performer = new BriefPerformer({ libc, thread: netlinkThread, now: () => systemClock.now() });
    this.#socket = namespace.visit(() => new NetlinkSocket(libc, performer));
    netlinkThread.take();
  }

  async listRoutes(table = MAIN_TABLE): ReturnType<Kernel['listRoutes']> {
    const routes = await this.#listTable(4, table);
    routes.append(await this.#listTable(6, table));
    return routes;
  }

  async #listTable(family: IpFamily, table: number): Promise<RouteList> {
    const request = encodeRouteDump(family, table);
    try {
      const dump = () => this.#socket.dumpInto(request, () => new RouteReader(table));
      return (await this.#dumped(`list IPv${family} routes`, dump)).list;
    } catch (error) {
      // A table is made with its first route; before that the kernel says that there is none.
      if (error instanceof KernelError && error.code === 'ENOENT') return new RouteList();
      throw error;
    }
  }

  writeRoutes(changes: Iterable<RouteChange>): ReturnType<Kernel['writeRoutes']> {
    return writeRoutes(changes, {
      number: (count) => this.#socket.number(count),
      execute: (batch) =>
        this.#ask('write routes', () => this.#socket.executeBatch(batch, batch.count <= BRIEF_CHANGES)),
    });
  }

  listLinks(): ReturnType<Kernel['listLinks']> {
    return this.#list('list links', link.encodeLinkDump(), link.decodeLink);
  }

  async getLink(name: string): ReturnType<Kernel['getLink']> {
    const what = `look up link ${name}`;
    const answer = await this.#ask(what, () => this.#socket.query(link.encodeGetLink(name)));
    if ('body' in answer) return link.decodeLink(answer.body);
    if (errnoName(answer.errno) !== 'ENODEV') refuse(what, answer);
    return undefined;
  }

  async createLink(wanted: NewLink): Promise<void> {
    const what = `create ${wanted.kind} link ${wanted.name}`;
    const peerNetns = wanted.kind === 'veth' ? wanted.peer.netns : undefined;
    const verdict = await this.#ask(what, () => this.#createLink(wanted, peerNetns));
    if (wanted.kind === 'ipip' && errnoName(verdict.errno) === 'EEXIST') {
      const links = await this.listLinks();
      if (links.some(({ name, kind }) => name === wanted.name && kind === wanted.kind)) return;
    }
    refuse(what, verdict);
  }

  async #createLink(wanted: NewLink, peerNetns: string | undefined): Promise<Verdict> {
    if (peerNetns === undefined) return this.#socket.execute(link.encodeNewLink(wanted));
    const fd = this.#libc.open(peerNetns);
    try {
      return await this.#socket.execute(link.encodeNewLink(wanted, fd));
    } finally {
      this.#libc.close(fd);
    }
  }

  async setLink(...[ifindex, change]: Parameters<Kernel['setLink']>): Promise<void> {
    const words = Object.entries(change).map(([field, value]) => `${field} ${value}`);
    const what = `set link ${ifindex} ${words.join(' ')}`;
    const { pmtuDiscovery, ...others } = change;
    if (Object.keys(others).length > 0) await this.#execute(what, link.encodeSetLink(ifindex, others));
    if (pmtuDiscovery === undefined) return;
    const name = (await this.listLinks()).find(({ index }) => index === ifindex)?.name ?? '';
    await this.#ask(what, () => {
      this.#namespace.visit(() => setPathMtuDiscovery(this.#libc, name, pmtuDiscovery));
      return Promise.resolve();
    });
  }

  async deleteLink(name: string): Promise<void> {
    const what = `delete link ${name}`;
    const verdict = await this.#ask(what, () => this.#remover().remove(name));
    if (!isAbsent(verdict)) refuse(what, verdict);
  }

  #remover(): LinkRemover {
    return (this.#links ??= new LinkRemover({
      open: () => this.#namespace.visit(() => new NetlinkSocket(this.#libc, new ApartPerformer(this.#libc))),
      isGone: async (name) => {
        const answer = await this.#socket.query(link.encodeGetLink(name));
        return 'errno' in answer && isAbsent(answer);
      },
    }));
  }

  listAddresses(): ReturnType<Kernel['listAddresses']> {
    return this.#list('list addresses', encodeAddressDump(), decodeAddress);
  }

  addAddress(address: KernelAddress): Promise<void> {
    return this.#execute(`add address ${addressText(address)}`, encodeNewAddress(address), ['EEXIST']);
  }

  removeAddress(address: KernelAddress): Promise<void> {
    const gone = ['EADDRNOTAVAIL', 'ENODEV'];
    return this.#execute(`remove address ${addressText(address)}`, encodeDeleteAddress(address), gone);
  }

  async listNeighbours(ifindex: number): ReturnType<Kernel['listNeighbours']> {
    const found = [];
    for (const kind of ['neighbour', 'fdb'] as const) {
      const request = neighbour.encodeNeighbourDump(ifindex, kind);
      const all = await this.#list(`list ${kind} entries of link ${ifindex}`, request, neighbour.decodeNeighbour);
      found.push(...all.filter((one) => one.ifindex === ifindex && one.kind === kind));
    }
    return found;
  }

  replaceNeighbour(one: KernelNeighbour): Promise<void> {
    return this.#execute(`replace ${neighbourText(one)}`, neighbour.encodeReplaceNeighbour(one));
  }

  removeNeighbour(one: KernelNeighbour): Promise<void> {
    return this.#execute(`remove ${neighbourText(one)}`, neighbour.encodeDeleteNeighbour(one), ['ENOENT', 'ENODEV']);
  }

  listRules(): ReturnType<Kernel['listRules']> {
    return this.#list('list rules', encodeRuleDump(), decodeRule);
  }

  addRule(rule: KernelRule): Promise<void> {
    return this.#execute(`add ${formatRule(rule)}`, encodeAddRule(rule), ['EEXIST']);
  }

  removeRule(rule: KernelRule): Promise<void> {
    return this.#execute(`remove ${formatRule(rule)}`, encodeRemoveRule(rule), ['ENOENT']);
  }

  async resolve(...[address]: Parameters<Kernel['resolve']>): ReturnType<Kernel['resolve']> {
    const what = `look up the route to ${formatIpAddress(address)}`;
    const answer = await this.#ask(what, () => this.#socket.query(encodeResolve(address)));
    if ('body' in answer) return decodeResolution(answer.body);
    // The last three are how IPv4 says unreachable, prohibit and blackhole.
    if (!['ENETUNREACH', 'EHOSTUNREACH', 'EACCES', 'EINVAL'].includes(errnoName(answer.errno))) refuse(what, answer);
    return undefined;
  }

  async watch(listener: (event: KernelEvent) => void, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await this.#ask('watch the kernel', async () => {
      const fd = this.#namespace.visit(() => openMonitorSocket(this.#libc, this.#socket.port));
      const ports = { libc: this.#libc, thread: netlinkThread, fd };
      const monitor = new Monitor(ports, decodeKernelEvents, listener);
      this.#monitors.add(monitor);
      signal.addEventListener('abort', () => void this.#stop(monitor), { once: true });
      await monitor.start();
    });
  }

  async #stop(monitor: Monitor<KernelEvent>): Promise<void> {
    this.#monitors.delete(monitor);
    await monitor.close();
  }

  async processOfPort(port: number): ReturnType<Kernel['processOfPort']> {
    const task = { do: 'owner', namespaceFd: this.#namespace.fd, port } as const;
    const { text = 'null' } = await this.#ask(`look up netlink port ${port}`, () => netlinkThread.perform(task));
    return (JSON.parse(text) as PortOwner | null) ?? undefined;
  }

  async flushConntrack(addresses: readonly IpAddress[]): Promise<number> {
    const what = `remove conntrack entries of ${addresses.map(formatIpAddress).join(', ')}`;
    const outcome = await this.#ask(what, () => {
      this.#netfilter ??= this.#namespace.visit(
        () => new NetlinkSocket(this.#libc, new ApartPerformer(this.#libc), 'netfilter'),
      );
      return flushConntrack(this.#netfilter, addresses);
    });
    if (typeof outcome !== 'number') throw new KernelError(refusalText(what, outcome), errnoName(outcome.errno));
    return outcome;
  }

  async readSysctl(path: string): Promise<string> {
    const [value] = await this.readSysctls([path]);
    if (value instanceof KernelError) throw value;
    return value!;
  }

  async writeSysctl(path: string, value: string): Promise<void> {
    const [refusal] = await this.writeSysctls([{ path, value }]);
    if (refusal !== undefined) throw refusal;
  }

  async readSysctls(paths: readonly string[]): ReturnType<Kernel['readSysctls']> {
    const outcomes = await this.#sysctls(paths.map((path) => ({ path })));
    return outcomes.map((one, i) => (typeof one === 'string' ? one : failureError(`read sysctl ${paths[i]!}`, one)));
  }

  async writeSysctls(changes: readonly SysctlChange[]): ReturnType<Kernel['writeSysctls']> {
    const outcomes = await this.#sysctls(changes);
    return outcomes.map((one, i) => {
      const { path, value } = changes[i]!;
      return typeof one === 'string' ? undefined : failureError(`write sysctl ${path} = '${value}'`, one);
    });
  }

  async #sysctls(accesses: readonly SysctlAccess[]): Promise<readonly (string | Failure)[]> {
    const [first] = accesses;
    if (first === undefined) return [];
    const others = accesses.length === 1 ? '' : ` and ${accesses.length - 1} more`;
    const what = `${'value' in first ? 'write' : 'read'} sysctl ${first.path}${others}`;
    const task = { do: 'sysctls', namespaceFd: this.#namespace.fd, accesses } as const;
    return (await this.#ask(what, () => netlinkThread.perform(task))).each ?? [];
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    const monitors = [...this.#monitors];
    this.#monitors.clear();
    // One that is not started yet has its place behind what was asked before.
    await this.#links?.close();
    const sockets = this.#netfilter === undefined ? [this.#socket] : [this.#socket, this.#netfilter];
    await Promise.all([...monitors, ...sockets].map((one) => one.close()));
    this.#namespace.close();
    await netlinkThread.release();
  }

  async #execute(what: string, request: Request, accepted: readonly string[] = []): Promise<void> {
    const verdict = await this.#ask(what, () => this.#socket.execute(request));
    if (!accepted.includes(errnoName(verdict.errno))) refuse(what, verdict);
  }

  async #list<T>(what: string, request: Request, decode: (body: Uint8Array) => T | undefined): Promise<readonly T[]> {
    return this.#dumped(what, () => this.#socket.dump(request, decode));
  }

  async #dumped<T extends object>(what: string, dump: () => Promise<T | Verdict>): Promise<T> {
    const outcome = await this.#ask(what, dump);
    if ('errno' in outcome) throw new KernelError(refusalText(what, outcome), errnoName(outcome.errno));
    return outcome;
  }

  /** A descriptor's number may be another file's once we closed it: after close() nothing touches it. */
  async #ask<T>(what: string, work: () => Promise<T>): Promise<T> {
    if (!this.#open) throw new KernelError(`${what}: the kernel's port was closed`, 'EBADF');
    try {
      return await work();
    } catch (error) {
      throw named(what, error);
    }
  }
}

const addressText = ({ address, ifindex }: KernelAddress): string => `${formatPrefix(address)} on link ${ifindex}`;

const neighbourText = (one: KernelNeighbour): string =>
  one.kind === 'fdb'
    ? `forwarding entry ${one.mac} to ${formatIpAddress(one.remote)} on link ${one.ifindex}`
    : `neighbour ${formatIpAddress(one.address)} at ${one.mac} on link ${one.ifindex}`;
