/** Writes down what the host was, before anything of it is changed: `calicoctl-ts node uninstall` puts it back. */
import type { InterfaceAddress } from '../src/model/ip.ts';
import type { Kernel, SysctlChange } from './kernel.ts';
import { KernelError } from './kernel.ts';
import { TUNNEL_LINKS } from './calc/encap.ts';

/** A value of the kernel that we changed, or that changed because of one that we changed. */
export interface SysctlBefore {
  readonly before: string;
  /** What we made of it. Who finds another value finds somebody else's. */
  readonly ours: string;
  /** The path with which the kernel changed it; it goes back after that one, and only with it. */
  readonly along?: string;
}

export interface LinkBefore {
  readonly up: boolean;
  readonly mtu: number;
  /** Of an ipip link; felix switches it on. */
  readonly pmtuDiscovery?: boolean;
  readonly addresses: readonly InterfaceAddress[];
}

/** What the host was before us. It says nothing of what was never changed. */
export interface HostRecord {
  /** By path below /proc/sys. */
  readonly sysctls: ReadonlyMap<string, SysctlBefore>;
  /** The tunnels; undefined: there was no such link. Empty until the first change of a link. */
  readonly links: ReadonlyMap<string, LinkBefore | undefined>;
}

/** Outlives the process, and need not outlive the host's boot: neither does what it tells of. */
export interface HostMemory {
  load(): HostRecord;
  /** Throws where it cannot; the change that it was for is not made then. */
  save(record: HostRecord): void;
}

export const EMPTY_RECORD: HostRecord = { sysctls: new Map(), links: new Map() };

/** Go with their interface, so nobody need put them back. */
const OF_A_POD = /^net\/ipv[46]\/(conf|neigh)\/cali/;

/** Undefined: there is nothing to note. */
type Before = (...given: readonly unknown[]) => Promise<void> | undefined;

/**
 * The same kernel; each change that is the first of its kind is preceded by a note of what was. Changes that are asked for at once stay in
 * order, as the kernel's own port has it: none overtakes one that waits for its note.
 */
export function recordingKernel(kernel: Kernel, memory: HostMemory): Kernel {
  const notes = new HostNotes(kernel, memory);
  const noteTunnels: Before = () => notes.noteTunnels();
  const before: Partial<Record<PropertyKey, Before>> = {
    writeSysctl: (path, value) => notes.noteSysctls([{ path: path as string, value: value as string }]),
    writeSysctls: (changes) => notes.noteSysctls(changes as readonly SysctlChange[]),
    ...{ createLink: noteTunnels, setLink: noteTunnels, deleteLink: noteTunnels },
    ...{ addAddress: noteTunnels, removeAddress: noteTunnels },
  };
  let noting: Promise<void> | undefined;
  const noted = (note: () => Promise<void> | undefined): Promise<void> | undefined => {
    const mine = noting === undefined ? note() : noting.then(note);
    if (mine === undefined) return undefined;
    const ended: Promise<void> = mine
      .catch(() => undefined)
      .then(() => {
        if (noting === ended) noting = undefined;
      });
    noting = ended;
    return mine;
  };
  // A proxy, so that a call that is added to the port later is passed on without a word here.
  return new Proxy(kernel, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      const call = member.bind(target) as (...given: readonly unknown[]) => unknown;
      const note = before[name];
      if (note === undefined) return call;
      return (...given: readonly unknown[]) => {
        const first = noted(() => note(...given));
        return first === undefined ? call(...given) : first.then(() => call(...given));
      };
    },
  });
}

class HostNotes {
  readonly #kernel: Kernel;
  readonly #memory: HostMemory;
  #record: HostRecord;

  constructor(kernel: Kernel, memory: HostMemory) {
    this.#kernel = kernel;
    this.#memory = memory;
    this.#record = memory.load();
  }

  noteSysctls(changes: readonly SysctlChange[]): Promise<void> | undefined {
    const unknown = changes.filter(({ path }) => !OF_A_POD.test(path) && !this.#record.sysctls.has(path));
    return unknown.length === 0 ? undefined : this.#noteEach(unknown);
  }

  async #noteEach(changes: readonly SysctlChange[]): Promise<void> {
    for (const { path, value } of changes) await this.#noteSysctl(path, value);
  }

  /** The first value counts: later ones are ours, or of somebody who fights with us. */
  async #noteSysctl(path: string, value: string): Promise<void> {
    if (this.#record.sysctls.has(path)) return;
    const before = await this.#readIfThere(path);
    if (before === undefined || before === value) return;
    await this.noteTunnels();
    const noted = new Map<string, SysctlBefore>([[path, { before, ours: value }]]);
    for (const [follower, ours] of await this.#consequences(path, value)) {
      const earlier = await this.#readIfThere(follower);
      // Also one that is as it will be: putting back the first one will change it.
      if (earlier !== undefined) noted.set(follower, { before: earlier, ours, along: path });
    }
    this.#save({ ...this.#record, sysctls: new Map([...noted, ...this.#record.sysctls]) });
  }

  noteTunnels(): Promise<void> | undefined {
    return this.#record.links.size > 0 ? undefined : this.#noteTunnels();
  }

  async #noteTunnels(): Promise<void> {
    if (this.#record.links.size > 0) return;
    const [links, addresses] = [await this.#kernel.listLinks(), await this.#kernel.listAddresses()];
    const notes = Object.values(TUNNEL_LINKS).map((name): [string, LinkBefore | undefined] => {
      const link = links.find((each) => each.name === name);
      if (link === undefined) return [name, undefined];
      const own = addresses.filter(({ ifindex }) => ifindex === link.index);
      const { up, mtu, pmtuDiscovery } = link;
      const discovery = pmtuDiscovery === undefined ? {} : { pmtuDiscovery };
      return [name, { up, mtu, ...discovery, addresses: own.map(({ address }) => address) }];
    });
    this.#save({ ...this.#record, links: new Map(notes) });
  }

  /**
   * What the kernel changes along with forwarding: that of all interfaces, and of those to come; in IPv4 whether the host
   * accepts redirects, too (inet_forward_change, addrconf_fixup_forwarding).
   */
  async #consequences(path: string, value: string): Promise<readonly (readonly [path: string, ours: string])[]> {
    const family = FORWARDING.get(path);
    if (family === undefined) return [];
    const links = await this.#kernel.listLinks();
    const names = links.map(({ name }) => name).filter((name) => !this.#isOurs(name));
    const each = ['default', ...names].map((name) => [`net/${family}/conf/${name}/forwarding`, value] as const);
    const redirects = [`net/ipv4/conf/all/accept_redirects`, value === '0' ? '1' : '0'] as const;
    return family === 'ipv4' ? [...each, redirects] : each;
  }

  /** Goes with us, and its values with it. */
  #isOurs(name: string): boolean {
    const { links } = this.#record;
    return name.startsWith('cali') || (links.has(name) && links.get(name) === undefined);
  }

  async #readIfThere(path: string): Promise<string | undefined> {
    try {
      return await this.#kernel.readSysctl(path);
    } catch (error) {
      if (error instanceof KernelError && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  #save(record: HostRecord): void {
    this.#memory.save(record);
    this.#record = record;
  }
}

const FORWARDING: ReadonlyMap<string, 'ipv4' | 'ipv6'> = new Map([
  ['net/ipv4/ip_forward', 'ipv4'],
  ['net/ipv6/conf/all/forwarding', 'ipv6'],
]);
