/** The real kernel behind the port, by rtnetlink. */
import { readFileSync, writeFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { formatIpAddress, formatPrefix } from '../src/model/ip.ts';
import type { IpAddress } from '../src/model/ip.ts';
import { KernelError, MAIN_TABLE, formatRoute } from './kernel.ts';
import type { Kernel, KernelAddress, KernelEvent, KernelNeighbour, NewLink, RouteChange } from './kernel.ts';
import { decodeAddress, encodeAddressDump, encodeDeleteAddress, encodeNewAddress } from './netlink/address.ts';
import { flushConntrack } from './netlink/conntrack.ts';
import { errnoName, errnoText } from '../src/linux/errno.ts';
import type { Request, Verdict } from './netlink/header.ts';
import { SystemError, loadLibc } from '../src/linux/libc.ts';
import type { Libc } from '../src/linux/libc.ts';
import * as link from './netlink/link.ts';
import { Monitor } from './netlink/monitor.ts';
import { openNamespace, ownNamespace } from './netlink/namespace.ts';
import type { Namespace } from './netlink/namespace.ts';
import * as neighbour from './netlink/neighbour.ts';
import { portOwner } from './netlink/port-owner.ts';
import { decodeResolution, decodeRoute, encodeResolve, encodeRouteChange, encodeRouteDump } from './netlink/route.ts';
import { NetlinkSocket, batches } from './netlink/socket.ts';
import { discoverPathMtu } from './netlink/tunnel-ioctl.ts';

export interface LinuxKernelOptions {
  /** Path of a network namespace, `/var/run/netns/NAME`; absent: the one that we run in. */
  readonly netns?: string;
}

/** Opens netlink; throws KernelError, one sentence, where the namespace is not there or may not be entered. */
export function createLinuxKernel({ netns }: LinuxKernelOptions = {}): Kernel {
  const libc = loadLibc();
  const what = netns === undefined ? 'open netlink' : `open netlink in network namespace ${netns}`;
  return named(what, () => {
    const namespace = netns === undefined ? ownNamespace : openNamespace(libc, netns);
    try {
      return new LinuxKernel(libc, namespace);
    } catch (error) {
      namespace.close();
      throw error;
    }
  });
}

class LinuxKernel implements Kernel {
  readonly #libc: Libc;
  readonly #namespace: Namespace;
  readonly #socket: NetlinkSocket;
  /** Opened at its first use: many kernels load connection tracking only then. */
  #netfilter: NetlinkSocket | undefined;
  readonly #monitors = new Set<Monitor>();
  #open = true;

  constructor(libc: Libc, namespace: Namespace) {
    this.#libc = libc;
    this.#namespace = namespace;
    this.#socket = namespace.visit(() => new NetlinkSocket(libc));
  }

  async listRoutes(): ReturnType<Kernel['listRoutes']> {
    const families = [];
    for (const family of [4, 6] as const) {
      const routes = await this.#list(`list IPv${family} routes`, encodeRouteDump(family, MAIN_TABLE), decodeRoute);
      families.push(routes.filter(({ prefix, table }) => prefix.address.family === family && table === MAIN_TABLE));
    }
    return families.flat();
  }

  async writeRoutes(changes: readonly RouteChange[]): ReturnType<Kernel['writeRoutes']> {
    const results: (KernelError | undefined)[] = [];
    for (const batch of batches(encoded(changes))) {
      if (results.length > 0) await nextTurn();
      const verdicts = await this.#asPromise('write routes', () => this.#socket.executeBatch(batch));
      for (const verdict of verdicts) results.push(routeError(changes[results.length]!, verdict));
    }
    return results;
  }

  listLinks(): ReturnType<Kernel['listLinks']> {
    return this.#list('list links', link.encodeLinkDump(), link.decodeLink);
  }

  async createLink(wanted: NewLink): Promise<void> {
    const what = `create ${wanted.kind} link ${wanted.name}`;
    const peerNetns = wanted.kind === 'veth' ? wanted.peer.netns : undefined;
    const verdict = await this.#asPromise(what, () => this.#createLink(wanted, peerNetns));
    if (wanted.kind === 'ipip' && errnoName(verdict.errno) === 'EEXIST') {
      const links = await this.listLinks();
      if (links.some(({ name, kind }) => name === wanted.name && kind === wanted.kind)) return;
    }
    refuse(what, verdict);
  }

  #createLink(wanted: NewLink, peerNetns: string | undefined): Verdict {
    if (peerNetns === undefined) return this.#socket.execute(link.encodeNewLink(wanted));
    const fd = this.#libc.open(peerNetns);
    try {
      return this.#socket.execute(link.encodeNewLink(wanted, fd));
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
    await this.#asPromise(what, () => this.#namespace.visit(() => discoverPathMtu(this.#libc, name)));
  }

  deleteLink(name: string): Promise<void> {
    return this.#execute(`delete link ${name}`, link.encodeDeleteLink(name), ['ENODEV']);
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

  async resolve(...[address]: Parameters<Kernel['resolve']>): ReturnType<Kernel['resolve']> {
    const what = `look up the route to ${formatIpAddress(address)}`;
    const answer = await this.#asPromise(what, () => this.#socket.query(encodeResolve(address)));
    if ('body' in answer) return decodeResolution(answer.body);
    // The last three are how IPv4 says unreachable, prohibit and blackhole.
    if (!['ENETUNREACH', 'EHOSTUNREACH', 'EACCES', 'EINVAL'].includes(errnoName(answer.errno))) refuse(what, answer);
    return undefined;
  }

  async watch(listener: (event: KernelEvent) => void, signal: AbortSignal): Promise<void> {
    const monitor = await this.#asPromise('watch the kernel', () =>
      this.#namespace.visit(() => new Monitor(this.#libc, listener)),
    );
    this.#monitors.add(monitor);
    const stop = (): void => {
      monitor.close();
      this.#monitors.delete(monitor);
    };
    signal.addEventListener('abort', stop, { once: true });
    // It may have fired before anybody listened.
    if (signal.aborted) stop();
  }

  processOfPort(port: number): ReturnType<Kernel['processOfPort']> {
    return this.#asPromise(`look up netlink port ${port}`, () => this.#namespace.visit(() => portOwner(port)));
  }

  async flushConntrack(addresses: readonly IpAddress[]): Promise<number> {
    const what = `remove conntrack entries of ${addresses.map(formatIpAddress).join(', ')}`;
    const outcome = await this.#asPromise(what, () => {
      this.#netfilter ??= this.#namespace.visit(() => new NetlinkSocket(this.#libc, 'netfilter'));
      return flushConntrack(this.#netfilter, addresses);
    });
    if (typeof outcome !== 'number') throw new KernelError(refusalText(what, outcome), errnoName(outcome.errno));
    return outcome;
  }

  readSysctl(path: string): Promise<string> {
    return this.#asPromise(`read sysctl ${path}`, () =>
      this.#namespace.visit(() => readFileSync(`/proc/sys/${path}`, 'utf8').trim()),
    );
  }

  writeSysctl(path: string, value: string): Promise<void> {
    return this.#asPromise(`write sysctl ${path} = '${value}'`, () =>
      this.#namespace.visit(() => writeFileSync(`/proc/sys/${path}`, value)),
    );
  }

  close(): Promise<void> {
    if (!this.#open) return Promise.resolve();
    this.#open = false;
    for (const monitor of this.#monitors) monitor.close();
    this.#monitors.clear();
    this.#socket.close();
    this.#netfilter?.close();
    this.#namespace.close();
    return Promise.resolve();
  }

  async #execute(what: string, request: Request, accepted: readonly string[] = []): Promise<void> {
    const verdict = await this.#asPromise(what, () => this.#socket.execute(request));
    if (!accepted.includes(errnoName(verdict.errno))) refuse(what, verdict);
  }

  async #list<T>(what: string, request: Request, decode: (body: Uint8Array) => T | undefined): Promise<readonly T[]> {
    const outcome = await this.#asPromise(what, () => this.#socket.dump(request, decode));
    if ('errno' in outcome) throw new KernelError(refusalText(what, outcome), errnoName(outcome.errno));
    return outcome;
  }

  /** A descriptor's number may be another file's once we closed it: after close() nothing touches it. */
  #asPromise<T>(what: string, work: () => T): Promise<T> {
    return new Promise((resolve) => {
      if (!this.#open) throw new KernelError(`${what}: the kernel's port was closed`, 'EBADF');
      resolve(named(what, work));
    });
  }
}

function* encoded(changes: readonly RouteChange[]): Generator<Request> {
  for (const change of changes) yield encodeRouteChange(change);
}

/** Whatever the system says becomes a KernelError that starts with what we were about to do. */
function named<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof SystemError) throw new KernelError(`${what}: ${error.message}`, error.code);
    if (isFileError(error)) throw new KernelError(`${what}: ${errnoText(-error.errno)}`, error.code);
    throw error;
  }
}

const isFileError = (error: unknown): error is Error & { readonly code: string; readonly errno: number } =>
  error instanceof Error && 'code' in error && 'errno' in error && typeof error.errno === 'number';

function refuse(what: string, verdict: Verdict): void {
  if (verdict.errno !== 0) throw new KernelError(refusalText(what, verdict), errnoName(verdict.errno));
}

function refusalText(what: string, { errno, explanation }: Verdict): string {
  return [what, errnoText(errno), ...(explanation === undefined ? [] : [explanation])].join(': ');
}

function routeError(change: RouteChange, verdict: Verdict): KernelError | undefined {
  const { errno } = verdict;
  if (errno === 0 || (change.op === 'remove' && errnoName(errno) === 'ESRCH')) return undefined;
  const { prefix, metric } = change.route;
  const route = change.op === 'replace' ? formatRoute(change.route) : `${formatPrefix(prefix)} metric ${metric}`;
  return new KernelError(refusalText(`${change.op} route ${route}`, verdict), errnoName(errno));
}

const addressText = ({ address, ifindex }: KernelAddress): string => `${formatPrefix(address)} on link ${ifindex}`;

const neighbourText = (one: KernelNeighbour): string =>
  one.kind === 'fdb'
    ? `forwarding entry ${one.mac} to ${formatIpAddress(one.remote)} on link ${one.ifindex}`
    : `neighbour ${formatIpAddress(one.address)} at ${one.mac} on link ${one.ifindex}`;
