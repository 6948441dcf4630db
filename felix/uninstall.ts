/** The way back: what of this host is ours or was changed by us, and how it becomes what it was. */
import { formatPrefix, sameAddress } from '../src/model/ip.ts';
import { TUNNEL_LINKS } from './calc/encap.ts';
import type { HostSnapshot } from './host-snapshot.ts';
import { readHost } from './host-snapshot.ts';
import type { Kernel, KernelAddress, KernelLink, LinkChange } from './kernel.ts';
import type { KernelRoute } from './routes/kernel-route.ts';
import { KernelError } from './kernel.ts';
import { SCOPE, formatRoute } from './routes/kernel-route.ts';
import { isOurs } from './ownership.ts';
import { asError } from './reconcile.ts';
import type { HostRecord, LinkBefore } from './recording-kernel.ts';

export type UninstallStep =
  | { readonly op: 'delete route'; readonly route: KernelRoute }
  | { readonly op: 'delete link'; readonly name: string }
  | { readonly op: 'set link'; readonly link: KernelLink; readonly change: LinkChange }
  | { readonly op: 'remove address' | 'add address'; readonly link: KernelLink; readonly address: KernelAddress }
  | { readonly op: 'set sysctl'; readonly path: string; readonly value: string; readonly from: string };

export interface UninstallPlan {
  readonly steps: readonly UninstallStep[];
  /** Interfaces of pods that lose their network. */
  readonly pods: readonly string[];
  /** What stays as it is and why, one sentence each. */
  readonly left: readonly string[];
}

/** What the kernel gives a tunl0 that it makes by itself: down, no address. */
const FRESH: LinkBefore = { up: false, mtu: 1480, pmtuDiscovery: false, addresses: [] };

/** `sysctls`: those of the record as they are now; absent: not there any more. Pure. */
export function planUninstall(
  host: HostSnapshot,
  record: HostRecord,
  sysctls: ReadonlyMap<string, string>,
): UninstallPlan {
  const routes = host.routes.filter(isOurs);
  const hops = new Set(routes.flatMap((route) => route.hops.map(({ ifindex }) => ifindex)));
  const pods = host.links.filter(({ name, kind, index }) => /^cali/.test(name) && kind === 'veth' && hops.has(index));
  const others = host.links.filter((link) => /^cali/.test(link.name) && !pods.includes(link));
  const vxlans = [TUNNEL_LINKS.vxlan, TUNNEL_LINKS['vxlan-v6']].map((name) => planVxlan(name, host, record));
  const tunnels = [...vxlans, planTunl0(host, record)];
  const values = planSysctls(record, sysctls);
  return {
    steps: [
      ...routes.map((route): UninstallStep => ({ op: 'delete route', route })),
      ...pods.map(({ name }): UninstallStep => ({ op: 'delete link', name })),
      ...tunnels.flatMap(({ steps }) => steps),
      ...values.steps,
    ],
    pods: pods.map(({ name }) => name),
    left: [
      ...others.map(({ name }) => `${name} stays: no route of ours leads to it, so it may be another's`),
      ...tunnels.flatMap(({ left }) => left),
      ...values.left,
    ],
  };
}

type Part = Pick<UninstallPlan, 'steps' | 'left'>;

function planVxlan(name: string, { links }: HostSnapshot, record: HostRecord): Part {
  const link = links.find((each) => each.name === name);
  if (link === undefined) return { steps: [], left: [] };
  if (record.links.get(name) !== undefined) {
    return { steps: [], left: [`${name} stays: it was there before calico-ts`] };
  }
  return { steps: [{ op: 'delete link', name }], left: [] };
}

/** It belongs to the kernel's module, which keeps it whatever we ask; so it is put back before it is deleted. */
function planTunl0({ links, addresses }: HostSnapshot, record: HostRecord): Part {
  const name = TUNNEL_LINKS.ipip;
  const link = links.find((each) => each.name === name);
  if (link?.kind !== 'ipip') return { steps: [], left: [] };
  const before = record.links.get(name);
  const want = before ?? FRESH;
  const have = addresses.filter(({ ifindex, address }) => ifindex === link.index && address.address.family === 4);
  const isSame = (one: { address: KernelAddress['address'] }, other: KernelAddress['address']): boolean =>
    sameAddress(one.address.address, other.address) && one.address.length === other.length;
  const gone = have.filter((entry) => !want.addresses.some((address) => isSame(entry, address)));
  const missing = want.addresses.filter(
    (address) => address.address.family === 4 && !have.some((entry) => isSame(entry, address)),
  );
  const change: LinkChange = {
    ...(link.mtu !== want.mtu && { mtu: want.mtu }),
    ...(link.up !== want.up && { up: want.up }),
    ...(link.pmtuDiscovery === true && want.pmtuDiscovery === false && { pmtuDiscovery: false }),
  };
  const isChanged = Object.keys(change).length > 0;
  const steps = [
    ...gone.map((address): UninstallStep => ({ op: 'remove address', link, address })),
    ...missing.map((address): UninstallStep => ({
      op: 'add address',
      link,
      address: { ifindex: link.index, address, scope: SCOPE.universe },
    })),
    ...(isChanged ? [{ op: 'set link', link, change } as const] : []),
  ];
  if (before !== undefined) return { steps, left: [] };
  // Asked of the module's own device, the kernel says yes and keeps it.
  if (steps.length > 0) return { steps: [...steps, { op: 'delete link', name }], left: [] };
  return { steps, left: [`${name} stays, down and without an address: modprobe -r ipip takes it away`] };
}

function planSysctls(record: HostRecord, now: ReadonlyMap<string, string>): Part {
  const steps: UninstallStep[] = [];
  const left: string[] = [];
  for (const [path, { before, ours, along }] of record.sysctls) {
    const value = now.get(path);
    if (along !== undefined || value === undefined || value === before) continue;
    if (value !== ours) {
      left.push(`${path} stays ${value}: somebody else set it after calico-ts made ${ours} of ${before}`);
      continue;
    }
    steps.push({ op: 'set sysctl', path, value: before, from: value });
    for (const [follower, { before: earlier, ours: changed, along: leader }] of record.sysctls) {
      const from = now.get(follower);
      if (leader !== path || from === undefined) continue;
      // What the kernel makes of it, now that it goes the other way.
      const back = changed === '0' ? '1' : '0';
      if (earlier !== back) steps.push({ op: 'set sysctl', path: follower, value: earlier, from });
    }
  }
  return { steps, left };
}

/** `delete route 10.48.0.0/26 via 172.30.1.12 dev eth0`, for people. */
export function stepText(step: UninstallStep, links: readonly KernelLink[]): string {
  switch (step.op) {
    case 'delete route': {
      const name = (index: string): string => links.find((link) => link.index === Number(index))?.name ?? index;
      return `delete route ${formatRoute(step.route).replace(/dev (\d+)/g, (_, index: string) => `dev ${name(index)}`)}`;
    }
    case 'delete link':
      return `delete link ${step.name}`;
    case 'set link': {
      const { mtu, up, pmtuDiscovery } = step.change;
      const words = [
        ...(mtu === undefined ? [] : [`mtu ${mtu}`]),
        ...(up === undefined ? [] : [up ? 'up' : 'down']),
        ...(pmtuDiscovery === undefined ? [] : [pmtuDiscovery ? 'pmtudisc' : 'nopmtudisc']),
      ];
      return `set link ${step.link.name} ${words.join(' ')}`;
    }
    case 'remove address':
    case 'add address':
      return `${step.op} ${formatPrefix(step.address.address)} dev ${step.link.name}`;
    case 'set sysctl':
      return `set sysctl ${step.path} = ${step.value} (now ${step.from})`;
  }
}

/** Reads the host and plans. */
export async function readUninstallPlan(
  kernel: Kernel,
  record: HostRecord,
): Promise<UninstallPlan & { readonly links: readonly KernelLink[] }> {
  const read = await readHost(kernel);
  const host = { ...read, routes: [...read.routes] };
  const sysctls = new Map<string, string>();
  for (const path of record.sysctls.keys()) {
    const value = await kernel.readSysctl(path).catch(absent);
    if (value !== undefined) sysctls.set(path, value);
  }
  return { ...planUninstall(host, record, sysctls), links: host.links };
}

/** A route goes with its link, and the value of an interface with its interface. */
function absent(error: unknown): undefined {
  if (error instanceof KernelError && error.code === 'ENOENT') return undefined;
  throw error;
}

/** Each step by itself: one that is refused stops no other. `told` hears of each, with the error where there was one. */
export async function carryOut(
  steps: readonly UninstallStep[],
  kernel: Kernel,
  told: (step: UninstallStep, error?: Error) => void,
): Promise<void> {
  const routes = steps.filter((step) => step.op === 'delete route');
  const results = await kernel.writeRoutes(routes.map(({ route }) => ({ op: 'remove', route })));
  for (const [i, step] of routes.entries()) told(step, results[i]);
  for (const step of steps) {
    if (step.op === 'delete route') continue;
    told(step, await apply(step, kernel).then(() => undefined, asError));
  }
}

function apply(step: Exclude<UninstallStep, { readonly op: 'delete route' }>, kernel: Kernel): Promise<void> {
  switch (step.op) {
    case 'delete link':
      return kernel.deleteLink(step.name);
    case 'set link':
      return kernel.setLink(step.link.index, step.change);
    case 'remove address':
      return kernel.removeAddress(step.address);
    case 'add address':
      return kernel.addAddress(step.address);
    case 'set sysctl':
      return kernel.writeSysctl(step.path, step.value).catch(absent);
  }
}
