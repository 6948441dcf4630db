/** Listens to the kernel and tells what we did not expect; echoes of our own writes say nothing new. */
import { sameAddress } from '../src/model/ip.ts';
import type { HostSnapshot } from './host-snapshot.ts';
import type { Kernel, KernelAddress, KernelEvent, KernelLink } from './kernel.ts';
import { isOurs } from './ownership.ts';
import type { RouteTable } from './route-table.ts';

/** Long enough that a burst of events is one pass, short enough that nobody notices the gap. */
const OURS_TOUCHED_MS = 20;
const WORLD_CHANGED_MS = 50;
/** Past this many held events, reading everything again is cheaper. */
const MAX_HELD = 10_000;

export interface WatchPorts {
  readonly believed: () => { readonly host: HostSnapshot; readonly routes: Pick<RouteTable, 'isSurprise'> };
  /** Something is not as we believe it to be: read again within `delayMs`. */
  readonly onSurprise: (delayMs: number) => void;
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
    if (this.#held === undefined) this.#judge(event);
    else if (this.#held.length < MAX_HELD) this.#held.push(event);
    else this.#held = [{ kind: 'overrun' }];
  }

  #judge(event: KernelEvent): void {
    const { host, routes } = this.#ports.believed();
    const delayMs = surpriseDelay(event, host, routes);
    if (delayMs !== undefined) this.#ports.onSurprise(delayMs);
  }
}

/** How soon an event wants the host read again; undefined: it says what we know. */
export function surpriseDelay(
  event: KernelEvent,
  host: HostSnapshot,
  routes: Pick<RouteTable, 'isSurprise'>,
): number | undefined {
  switch (event.kind) {
    case 'overrun':
      return 0;
    case 'link':
      return isLinkKnown(event.link, event.change, host.links) ? undefined : WORLD_CHANGED_MS;
    case 'address':
      return isAddressKnown(event.address, event.change, host.addresses) ? undefined : WORLD_CHANGED_MS;
    case 'route':
      if (routes.isSurprise(event)) return OURS_TOUCHED_MS;
      // Others' routes decide how next hops are reached.
      return isOurs(event.route) ? undefined : WORLD_CHANGED_MS;
    case 'neighbour':
    case 'sysctl':
      return undefined;
  }
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
