import { prefixContainsAddress, prefixOf, sameAddress } from '../../../src/model/ip.ts';
import type { IpAddress } from '../../../src/model/ip.ts';
import type { KernelAddress, KernelEvent, KernelLink, KernelNeighbour } from '../../../felix/kernel.ts';
import type { KernelRoute } from '../../../felix/routes/kernel-route.ts';
import type { RouteId } from '../../../felix/routes/route-id.ts';

/** What one network namespace holds that hangs together: a link that goes takes its addresses, neighbours and routes along. */
export class FakeNamespace {
  readonly links = new Map<number, KernelLink>();
  /** The other ends of veths, by the index of the end that is here. */
  readonly peers = new Map<number, { readonly namespace: FakeNamespace; readonly index: number }>();
  readonly routes = new Map<RouteId, KernelRoute>();
  addresses: readonly KernelAddress[] = [];
  neighbours: readonly KernelNeighbour[] = [];
  readonly #listeners = new Set<(event: KernelEvent) => void>();
  #nextIndex = 2;

  constructor() {
    this.links.set(1, { index: 1, name: 'lo', mtu: 65536, up: false, running: false, mac: '00:00:00:00:00:00' });
  }

  newIndex(): number {
    return this.#nextIndex++;
  }

  emit(event: KernelEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  watch(listener: (event: KernelEvent) => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#listeners.add(listener);
    signal.addEventListener('abort', () => this.#listeners.delete(listener), { once: true });
  }

  endWatches(): void {
    this.#listeners.clear();
  }

  linkNamed(name: string): KernelLink | undefined {
    return [...this.links.values()].find((link) => link.name === name);
  }

  setLink(link: KernelLink): void {
    this.links.set(link.index, link);
    this.emit({ kind: 'link', change: 'set', link });
  }

  /** The address that has the target in its subnet, over a link that is up. */
  ownSubnet(target: IpAddress): KernelAddress | undefined {
    return this.addresses.find(
      ({ ifindex, address }) =>
        this.links.get(ifindex)?.up === true &&
        prefixContainsAddress(prefixOf(address.address, address.length), target) &&
        !sameAddress(address.address, target),
    );
  }

  /** As the kernel does: without a word to the listeners. */
  dropRoutesOver(index: number): void {
    for (const [key, { hops }] of this.routes) {
      if (hops.some(({ ifindex }) => ifindex === index)) this.routes.delete(key);
    }
  }
}
