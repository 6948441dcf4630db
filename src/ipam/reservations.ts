import { InvalidValueError } from '../model/invalid.ts';
import type { IpAddress, Prefix } from '../model/ip.ts';
import {
  addressAt,
  parseInterfaceAddress,
  prefixContains,
  prefixContainsAddress,
  prefixesOverlap,
  prefixOf,
  prefixSize,
} from '../model/ip.ts';

/** What IPReservations keep back: given to nobody who does not name it. What is assigned already stays. */
export class Reservations {
  readonly #networks: readonly Prefix[];

  constructor(networks: readonly Prefix[]) {
    this.#networks = networks;
  }

  holds(address: IpAddress): boolean {
    return this.#networks.some((network) => prefixContainsAddress(network, address));
  }

  /** How many addresses of a network are kept back; exact up to 2^53. */
  countIn(network: Prefix): number {
    const near = this.#networks.filter((one) => prefixesOverlap(one, network));
    if (near.some((one) => prefixContains(one, network))) return prefixSize(network);
    // Networks overlap only where one holds the other.
    const outer = near.filter(
      (one, i) =>
        !near.some((other, j) => i !== j && prefixContains(other, one) && (other.length < one.length || j < i)),
    );
    return outer.reduce((sum, one) => sum + prefixSize(one), 0);
  }

  /** By ordinal: the places of a block that are kept back. */
  of(block: Prefix): (ordinal: number) => boolean {
    const near = this.#networks.filter((network) => prefixesOverlap(network, block));
    if (near.length === 0) return () => false;
    if (near.some((network) => prefixContains(network, block))) return () => true;
    return (ordinal) => near.some((network) => prefixContainsAddress(network, addressAt(block, ordinal)));
  }

  /** The largest network that keeps the whole block back; the block itself where several do so together. */
  over(block: Prefix): Prefix | undefined {
    const near = this.#networks.filter((network) => prefixesOverlap(network, block));
    const [around] = near.filter((network) => prefixContains(network, block)).sort((a, b) => a.length - b.length);
    if (around !== undefined || near.length === 0) return around;
    const isReserved = this.of(block);
    for (let ordinal = 0; ordinal < prefixSize(block); ordinal++) if (!isReserved(ordinal)) return undefined;
    return block;
  }
}

export const NO_RESERVATIONS = new Reservations([]);

/** The networks that one IPReservation keeps back. Throws InvalidValueError with key and field: what we misread would be given away. */
export function reservedNetworks(json: unknown, key: string): readonly Prefix[] {
  const { spec } = (json ?? {}) as { readonly spec?: { readonly reservedCIDRs?: unknown } };
  const listed = spec?.reservedCIDRs ?? [];
  const field = `${key} spec.reservedCIDRs`;
  if (!Array.isArray(listed)) throw new InvalidValueError(field, listed, 'is not a list');
  return listed.map((text: unknown) => {
    if (typeof text !== 'string') throw new InvalidValueError(field, text, 'is no address and no network');
    const { address, length } = parseInterfaceAddress(text, field);
    return prefixOf(address, length);
  });
}
