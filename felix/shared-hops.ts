import { ipv4Address } from '../src/model/ip.ts';
import type { KernelHop } from './kernel.ts';

/** Interface indexes below it make one number with an IPv4 gateway. */
const MAX_IFINDEX = 1 << 20;

/** Lists of one hop, each made once: a node has 100,000 routes and a few neighbours. */
export class SharedHops {
  readonly #known = new Map<number, readonly KernelHop[]>();

  /** `gateway`: an IPv4 address as one word. */
  ipv4(gateway: number, ifindex: number, onlink: boolean): readonly KernelHop[] {
    const key = gateway + (ifindex * 2 + (onlink ? 1 : 0)) * 2 ** 32;
    const known = ifindex < MAX_IFINDEX ? this.#known.get(key) : undefined;
    if (known !== undefined) return known;
    const hops = [{ gateway: ipv4Address(gateway), ifindex, onlink }];
    if (ifindex < MAX_IFINDEX) this.#known.set(key, hops);
    return hops;
  }
}
