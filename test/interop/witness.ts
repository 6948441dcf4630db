/** An ExaBGP on the host `witness`, behind a speaker: it remembers what that ever withdrew, on IPv4 and IPv6. */
import { expect } from 'vitest';
import { eventually } from '../support/eventually.ts';
import type { SpeakerLab } from '../support/speaker-lab.ts';
import { Exabgp } from './exabgp/daemon.ts';
import { FAMILIES } from './families.ts';
import type { Family, Prefixes } from './families.ts';
import { prefixesFrom } from './live-daemon.ts';

export const WITNESS_ASN = 65099;

/** Whom it listens to, and that one's AS. */
interface Watched {
  readonly host: string;
  readonly asn: number;
}

export class Witness {
  readonly #lab: SpeakerLab;
  readonly #exabgp: Exabgp;
  readonly #host: string;

  private constructor(lab: SpeakerLab, exabgp: Exabgp, host: string) {
    this.#lab = lab;
    this.#exabgp = exabgp;
    this.#host = host;
  }

  static async start(lab: SpeakerLab, { host, asn }: Watched): Promise<Witness> {
    const exabgp = await Exabgp.start(lab, 'witness', {
      asn: WITNESS_ASN,
      neighbors: FAMILIES.map((family) => ({ asn, address: lab.host(host)[family] })),
    });
    return new Witness(lab, exabgp, host);
  }

  /** Waits until it hears exactly these. */
  hears(prefixes: Prefixes): Promise<void> {
    return eventually(() => {
      for (const family of FAMILIES)
        expect(prefixesFrom(this.#exabgp, this.#address(family))).toEqual(prefixes[family]);
    });
  }

  /** Waits for these withdrawals; there were no others, and its own sessions were never down. */
  async sawWithdrawn(prefixes: Prefixes): Promise<void> {
    await eventually(() => {
      for (const family of FAMILIES) expect(this.#exabgp.withdrawals(this.#address(family))).toEqual(prefixes[family]);
    });
    for (const family of FAMILIES) expect(this.#exabgp.losses(this.#address(family))).toBe(0);
  }

  #address(family: Family): string {
    return this.#lab.host(this.#host)[family];
  }
}
