/** Listens to the kernel and tells what we did not expect; echoes of our own writes say nothing new. */
import { formatPrefix, sameAddress } from '../src/model/ip.ts';
import type { HostSnapshot } from './host-snapshot.ts';
import type { Kernel, KernelAddress, KernelEvent, KernelLink } from './kernel.ts';
import { neighbourObject } from './neighbour-table.ts';
import type { NeighbourTable } from './neighbour-table.ts';
import { isOurs, protocolText } from './ownership.ts';
import type { Blame, RepairObject } from './repairs.ts';
import type { RouteTable } from './routes/route-table.ts';
import type { SysctlTable } from './sysctl-table.ts';

/** Long enough that a burst of events is one pass, short enough that nobody notices the gap. */
const OURS_TOUCHED_MS = 20;
const WORLD_CHANGED_MS = 50;
/** Past this many held events, reading everything again is cheaper. */
const MAX_HELD = 10_000;

/** What we believe of the kernel: a snapshot, and the tables that know their own entries better. */
export interface Believed {
  readonly host: HostSnapshot;
  /** Clock's milliseconds. */
  readonly now: number;
  readonly routes: Pick<RouteTable, 'surprise'>;
  readonly neighbours: Pick<NeighbourTable, 'isSurprise'>;
  readonly sysctls: Pick<SysctlTable, 'surprise'>;
}

/** What an event asks for. `table`: its table has noted it, all else is as we believe; `host`: read everything again. */
export interface Surprise {
  readonly delayMs: number;
  readonly about: 'host' | 'table';
  /** An object of ours that the event tells of, and who did it. */
  readonly culprit?: { readonly object: RepairObject; readonly blame: Blame };
}

export interface WatchPorts {
  readonly believed: () => Believed;
  /** Something is not as we believe it to be: look again within `delayMs`. */
  readonly onSurprise: (surprise: Surprise) => void;
  /** Something happened to a link, whether we did it or somebody else; told at once, also during a pass. */
  readonly onLink: (ifindex: number) => void;
}

export class HostWatch {
  readonly #ports: WatchPorts;
  readonly #abort = new AbortController();
  /** During a pass: our own writes come back before we have noted them, so judgement waits for its end. */
  #held: KernelEvent[] | undefined;

  constructor(ports: WatchPorts) {
    this.#ports = ports;
  }

  start(kernel: Pick<Kernel, 'watch'>): Promise<void> {
    return kernel.watch((event) => this.#onEvent(event), this.#abort.signal);
  }

  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const event of held) this.#judge(event);
  }

  close(): void {
    this.#abort.abort();
  }

  #onEvent(event: KernelEvent): void {
    if (event.kind === 'link') this.#ports.onLink(event.link.index);
    if (this.#held === undefined) this.#judge(event);
    else if (this.#held.length < MAX_HELD) this.#held.push(event);
    else this.#held = [{ kind: 'overrun' }];
  }

  #judge(event: KernelEvent): void {
    const surprise = judge(event, this.#ports.believed());
    if (surprise !== undefined) this.#ports.onSurprise(surprise);
  }
}

/** How soon an event wants the host looked at again, and what it tells; undefined: it says what we know. */
export function judge(event: KernelEvent, { host, now, routes, neighbours, sysctls }: Believed): Surprise | undefined {
  const ours = { delayMs: OURS_TOUCHED_MS, about: 'host' } as const;
  const world = { delayMs: WORLD_CHANGED_MS, about: 'host' } as const;
  switch (event.kind) {
    case 'overrun':
      return { delayMs: 0, about: 'host' };
    case 'link':
      return isLinkKnown(event.link, event.change, host.links) ? undefined : { ...world, culprit: linkCulprit(event) };
    case 'address':
      return isAddressKnown(event.address, event.change, host.addresses)
        ? undefined
        : { ...world, ...addressCulprit(event, host) };
    case 'route': {
      const surprise = routes.surprise(event, now);
      const about = surprise === 'noted' ? 'table' : 'host';
      if (surprise !== undefined) return { delayMs: OURS_TOUCHED_MS, about, culprit: routeCulprit(event) };
      // Others' routes decide how next hops are reached.
      return isOurs(event.route) ? undefined : world;
    }
    case 'neighbour':
      if (!neighbours.isSurprise(event)) return undefined;
      return { ...ours, culprit: { object: neighbourObject(event.neighbour), blame: blameFor(event, wasSet(event)) } };
    case 'sysctl': {
      const object = sysctls.surprise(event, host.links);
      const culprit = object && { object, blame: { deed: `set to ${event.value}` } };
      return culprit && { delayMs: OURS_TOUCHED_MS, about: 'table', culprit };
    }
  }
}

type Culprit = NonNullable<Surprise['culprit']>;

const wasSet = ({ change }: { readonly change: 'set' | 'removed' }): string =>
  change === 'set' ? 'changed' : 'deleted';

const blameFor = ({ by }: { readonly by?: number }, deed: string): Blame => ({
  deed,
  ...(by !== undefined && { port: by }),
});

const linkCulprit = (event: KernelEvent & { readonly kind: 'link' }): Culprit => ({
  object: { kind: 'link', name: event.link.name },
  blame: blameFor(event, wasSet(event)),
});

function routeCulprit(event: KernelEvent & { readonly kind: 'route' }): Culprit {
  const { prefix, protocol } = event.route;
  const deed = event.change === 'removed' ? 'deleted' : `replaced by a route of protocol ${protocolText(protocol)}`;
  return { object: { kind: 'route', name: formatPrefix(prefix) }, blame: blameFor(event, deed) };
}

/** The addresses that are ours to guard are the tunnels'. */
function addressCulprit(
  event: KernelEvent & { readonly kind: 'address' },
  { links }: HostSnapshot,
): { readonly culprit?: Culprit } {
  const name = links.find(({ index }) => index === event.address.ifindex)?.name;
  const deed = `${formatPrefix(event.address.address)} ${event.change === 'set' ? 'added' : 'removed'}`;
  return name === undefined ? {} : { culprit: { object: { kind: 'address', name }, blame: blameFor(event, deed) } };
}

function isLinkKnown(link: KernelLink, change: 'set' | 'removed', known: readonly KernelLink[]): boolean {
  const same = known.find(({ index }) => index === link.index);
  if (change === 'removed') return same === undefined;
  return (
    same !== undefined &&
    same.name === link.name &&
    same.mtu === link.mtu &&
    same.up === link.up &&
    same.running === link.running &&
    same.pmtuDiscovery === link.pmtuDiscovery &&
    same.mac === link.mac
  );
}

function isAddressKnown(entry: KernelAddress, change: 'set' | 'removed', known: readonly KernelAddress[]): boolean {
  const isThere = known.some(
    ({ ifindex, address }) =>
      ifindex === entry.ifindex &&
      address.length === entry.address.length &&
      sameAddress(address.address, entry.address.address),
  );
  return (change === 'set') === isThere;
}
