/** The tunnel links: made, corrected and taken away so that they are as planned; what is right is not touched. */
import { formatIpAddress, sameAddress } from '../src/model/ip.ts';
import type { DesiredTunnel, TunnelPlan } from './calc/tunnels.ts';
import type { AddressChange } from './address-table.ts';
import { planAddresses } from './address-table.ts';
import type { HostSnapshot } from './host-snapshot.ts';
import type { Kernel, KernelLink, LinkChange, NewLink, VxlanSettings } from './kernel.ts';
import { KernelError } from './kernel.ts';
import { asError } from './reconcile.ts';
import type { RepairObject } from './repairs.ts';
import { Repairs } from './repairs.ts';
import { RetrySchedule } from './retry.ts';

export type LinkStep =
  | { readonly op: 'create'; readonly link: NewLink }
  | { readonly op: 'delete'; readonly name: string }
  | { readonly op: 'set'; readonly ifindex: number; readonly change: LinkChange }
  | AddressChange;

export interface LinkPermissions {
  /** Datastore and bird are in sync. */
  readonly mayDelete: boolean;
  /** Whether a route of ours still goes out over the link: then it must stay. */
  readonly isInUse: (ifindex: number) => boolean;
}

type LinksAndAddresses = Pick<HostSnapshot, 'links' | 'addresses'>;

/**
 * The next steps towards one planned tunnel; none means that it is as it should be. After a `create` or `delete` the
 * index is another one: read the host again and ask again.
 */
export function planLink(plan: TunnelPlan, host: LinksAndAddresses, may: LinkPermissions): readonly LinkStep[] {
  switch (plan.state) {
    case 'waiting':
      return [];
    case 'unwanted':
      return planRemoval(plan, host, may);
    case 'wanted': {
      const link = host.links.find(({ name }) => name === plan.tunnel.name);
      if (link === undefined) return [{ op: 'create', link: newLink(plan.tunnel) }];
      if (!isSameDevice(plan.tunnel, link)) {
        // What makes a device cannot be changed in place, and its routes go with it.
        return may.mayDelete ? [{ op: 'delete', name: link.name }] : [];
      }
      return planSettings(plan.tunnel, link, host);
    }
  }
}

/** tunl0 belongs to the kernel's module and cannot be deleted, so it only loses its address; vxlan.calico goes. */
function planRemoval(
  plan: TunnelPlan & { readonly state: 'unwanted' },
  host: LinksAndAddresses,
  { mayDelete, isInUse }: LinkPermissions,
): readonly LinkStep[] {
  const link = host.links.find(({ name }) => name === plan.name);
  if (link === undefined || !mayDelete || isInUse(link.index)) return [];
  return plan.kind === 'vxlan'
    ? [{ op: 'delete', name: plan.name }]
    : planAddresses(link.index, undefined, host.addresses);
}

function planSettings(tunnel: DesiredTunnel, link: KernelLink, host: LinksAndAddresses): readonly LinkStep[] {
  const mac = tunnel.vxlan?.mac;
  const change: LinkChange = {
    ...(link.mtu !== tunnel.mtu && { mtu: tunnel.mtu }),
    ...(mac !== undefined && mac !== link.mac && { mac }),
    ...(tunnel.kind === 'ipip' && link.pmtuDiscovery === false && { pmtuDiscovery: true }),
    ...(!link.up && { up: true }),
  };
  const settings: readonly LinkStep[] =
    Object.keys(change).length === 0 ? [] : [{ op: 'set', ifindex: link.index, change }];
  const addresses = tunnel.address === undefined ? [] : planAddresses(link.index, tunnel.address, host.addresses);
  return [...settings, ...addresses];
}

function isSameDevice({ kind, vxlan }: DesiredTunnel, link: KernelLink): boolean {
  if (link.kind !== kind) return false;
  if (vxlan === undefined) return true;
  const have = link.vxlan;
  const isLocalSame = have?.local !== undefined && sameAddress(have.local, vxlan.local);
  return (
    have?.vni === vxlan.vni &&
    have.port === vxlan.port &&
    have.parentIndex === vxlan.parentIndex &&
    !have.learning &&
    isLocalSame
  );
}

function newLink({ kind, name, mtu, vxlan }: DesiredTunnel): NewLink {
  if (kind === 'ipip' || vxlan === undefined) return { kind: 'ipip', name };
  const { vni, port, parentIndex, local, mac } = vxlan;
  const settings: VxlanSettings = { vni, port, parentIndex, local, learning: false };
  return { kind: 'vxlan', name, mtu, mac, vxlan: settings };
}

export interface LinkOutcome {
  readonly name: string;
  /** Steps done. */
  readonly changed: number;
  readonly error?: Error;
}

/**
 * How long an unwanted tunnel stays after the last packet came out of it: other nodes hear of the change after us, one
 * that lost the datastore long after, and send through theirs until then. A host with rp_filter drops what comes out of
 * a tunl0 without an address.
 */
const LINGER_MS = 10_000;

interface Leaving {
  /** When it may go if nothing more comes; clock's milliseconds. */
  readonly at: number;
  /** Packets that had come out of it when that was said. */
  readonly received: number;
}

export interface LinkWork {
  readonly host: LinksAndAddresses;
  /** The host as it is now; asked again after each round of changes, and after a refusal. */
  readonly read: () => Promise<LinksAndAddresses>;
  readonly may: LinkPermissions;
}

/** One link has at most: delete, create, settings; each needs the host read again after it. */
const MAX_ROUNDS = 4;

/** Carries out plans, and remembers why a link could not be made and when to try again. */
export class LinkTable {
  readonly #kernel: Kernel;
  readonly #retry = new RetrySchedule<string>();
  /** What was left to do when the kernel refused; as long as that is the same, the next try waits its time. */
  readonly #refused = new Map<string, string>();
  /** Unwanted tunnels, by name. */
  readonly #leaving = new Map<string, Leaving>();
  readonly #repairs: Repairs;
  /** The plan that each link was last seen to fulfil. */
  readonly #fulfilled = new Map<string, string>();

  constructor(kernel: Kernel, repairs = new Repairs()) {
    this.#kernel = kernel;
    this.#repairs = repairs;
  }

  /** Why a link is not as planned, by name. */
  errors(plans: readonly TunnelPlan[]): ReadonlyMap<string, string> {
    return new Map(
      plans.flatMap((plan): [string, string][] => {
        if (plan.state === 'waiting') return [[plan.name, plan.reason]];
        const name = nameOf(plan);
        const error = this.#retry.error(name);
        return error === undefined ? [] : [[name, error.message]];
      }),
    );
  }

  /** See RetrySchedule. */
  nextDueAt(after = -Infinity): number | undefined {
    const times = [this.#retry.nextDueAt(after)];
    // One whose removal was refused is the retry's.
    for (const [name, { at }] of this.#leaving) if (this.#retry.error(name) === undefined) times.push(at);
    const known = times.filter((time) => time !== undefined).filter((time) => time > after);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  /**
   * Brings one tunnel to its plan. A refusal stops this link and no other. What was refused and is there all the same, as
   * tunl0 where somebody else has just loaded its module, is gone on with at once.
   */
  async reconcile(plan: TunnelPlan, now: number, work: LinkWork): Promise<LinkOutcome> {
    const first = await this.#tryOnce(plan, now, work);
    if (first.error === undefined) return first;
    const host = await work.read();
    if (textOf(planLink(plan, host, work.may)) === this.#refused.get(first.name)) return first;
    const second = await this.#tryOnce(plan, now, { ...work, host });
    return { ...second, changed: first.changed + second.changed };
  }

  async #tryOnce(plan: TunnelPlan, now: number, { host, read, may }: LinkWork): Promise<LinkOutcome> {
    const name = nameOf(plan);
    if (!this.#retry.isDue(name, now)) {
      if (this.#refused.get(name) === textOf(planLink(plan, host, may))) return { name, changed: 0 };
      this.#retry.succeeded(name);
    }
    if (await this.#isLingering(plan, now, { host, read, may })) {
      this.#retry.succeeded(name);
      return { name, changed: 0 };
    }
    const repair = this.#repairOf(plan, now, { host, may });
    if (repair !== undefined && !this.#repairs.isDue(repair, now)) return { name, changed: 0 };
    let changed = 0;
    let current = host;
    let left: readonly LinkStep[] = [];
    try {
      for (let round = 0; round < MAX_ROUNDS; round++) {
        const steps = planLink(plan, current, may);
        if (steps.length === 0) break;
        for (const [i, step] of steps.entries()) {
          left = steps.slice(i);
          await this.#apply(step);
          changed++;
        }
        current = await read();
      }
      this.#retry.succeeded(name);
      this.#leaving.delete(name);
      if (repair !== undefined) this.#repairs.repaired(repair, now);
      if (planLink(plan, current, may).length === 0) this.#fulfilled.set(name, JSON.stringify(plan));
      return { name, changed };
    } catch (cause) {
      const error = explain(plan, asError(cause));
      this.#retry.failed(name, error, now);
      this.#refused.set(name, textOf(left));
      return { name, changed, error };
    }
  }

  /** What somebody undid: the link was as the same plan wants it, and is not any more. */
  #repairOf(plan: TunnelPlan, now: number, { host, may }: Omit<LinkWork, 'read'>): RepairObject | undefined {
    const name = nameOf(plan);
    const isSamePlan = plan.state === 'wanted' && this.#fulfilled.get(name) === JSON.stringify(plan);
    const steps = isSamePlan ? planLink(plan, host, may) : [];
    if (!isSamePlan) this.#fulfilled.delete(name);
    const isAddress = steps.every(({ op }) => op === 'add' || op === 'remove');
    const [kind, other] = isAddress ? (['address', 'link'] as const) : (['link', 'address'] as const);
    if (steps.length === 0) {
      // Whatever was damaged is whole again, or not wanted so any more.
      for (const one of [kind, other]) this.#repairs.withdraw({ kind: one, name });
      return undefined;
    }
    this.#repairs.withdraw({ kind: other, name });
    this.#repairs.damaged({ kind, name }, now);
    return { kind, name };
  }

  async #isLingering(plan: TunnelPlan, now: number, { host, read, may }: LinkWork): Promise<boolean> {
    const name = nameOf(plan);
    if (plan.state !== 'unwanted' || planLink(plan, host, may).length === 0 || hasTakenAddress(plan, host)) {
      this.#leaving.delete(name);
      return false;
    }
    const leaving = this.#leaving.get(name);
    if (leaving !== undefined && now < leaving.at) return true;
    // What the host was like at the last full look says nothing about packets since.
    const received = receivedOver(name, await read());
    if (leaving !== undefined && received === leaving.received) return false;
    this.#leaving.set(name, { at: now + LINGER_MS, received });
    return true;
  }

  async #apply(step: LinkStep): Promise<void> {
    switch (step.op) {
      case 'create':
        return this.#kernel.createLink(step.link);
      case 'delete':
        return this.#kernel.deleteLink(step.name);
      case 'set':
        return this.#kernel.setLink(step.ifindex, step.change);
      case 'add':
        return this.#kernel.addAddress(step.address);
      case 'remove':
        return this.#kernel.removeAddress(step.address);
    }
  }
}

const nameOf = (plan: TunnelPlan): string => (plan.state === 'wanted' ? plan.tunnel.name : plan.name);

const textOf = (steps: readonly LinkStep[]): string => JSON.stringify(steps);

const receivedOver = (name: string, { links }: LinksAndAddresses): number =>
  links.find((link) => link.name === name)?.received ?? 0;

/** An address on the tunnel that a pod has now would keep the pod's packets on the host. */
function hasTakenAddress(
  { name, taken }: TunnelPlan & { readonly state: 'unwanted' },
  { links, addresses }: LinksAndAddresses,
): boolean {
  const index = links.find((link) => link.name === name)?.index;
  const own = addresses.filter(({ ifindex }) => ifindex === index);
  return own.some(({ address }) => taken.some((one) => sameAddress(one, address.address)));
}

/** The kernel says only "not supported"; the operator needs to know what to load. */
function explain(plan: TunnelPlan, error: Error): Error {
  if (plan.state !== 'wanted' || !(error instanceof KernelError)) return error;
  const { kind, name, vxlan } = plan.tunnel;
  if (error.code === 'EOPNOTSUPP' || error.code === 'ENOTSUP') {
    return new Error(`the kernel has no ${kind} module: modprobe ${kind}`, { cause: error });
  }
  if (error.code === 'EEXIST' && vxlan !== undefined) {
    const { vni, port, local } = vxlan;
    const values = `VNI ${vni}, port ${port}, local ${formatIpAddress(local)}`;
    return new Error(`${name}: another VXLAN link has ${values} already`, { cause: error });
  }
  return error;
}
