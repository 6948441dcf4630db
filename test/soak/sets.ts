/** Path attributes by chance: few enough values that they meet, so that every rule of selection has something to decide. */
import type { PathAttributes } from '../../bird/bgp-ts/index.ts';
import { parseAddress } from '../../bird/bgp-ts/index.ts';
import type { Random } from '../fuzz/random.ts';
import { SPEAKER_ASN } from '../support/scripted-peer-lab.ts';
import type { SoakPeer } from './topology.ts';
import { CLUSTER_ID, SPEAKER_IDENTIFIER } from './topology.ts';

const ASNS = [65001, 65002, 65003, 65004, 4_200_000_001];
const NO_EXPORT = 0xffff_ff01;
const NO_ADVERTISE = 0xffff_ff02;
const NO_EXPORT_SUBCONFED = 0xffff_ff03;
const COMMUNITIES = [0xfde9_0001, 0xfde9_0002, 0xfdea_0001, 0xfdea_0007, 0xfdeb_0100];
const SETS_PER_FAMILY = 400;

export const isIpv6 = (prefix: string): boolean => prefix.includes(':');

/** The sets that one peer uses; some make room for new ones as time goes. */
export class AttributeSets {
  readonly #random: Random;
  readonly #peer: SoakPeer;
  readonly #sets: { readonly 4: PathAttributes[]; readonly 6: PathAttributes[] };

  constructor(random: Random, peer: SoakPeer) {
    this.#random = random;
    this.#peer = peer;
    const make = (ipv6: boolean) => Array.from({ length: SETS_PER_FAMILY }, () => this.#make(ipv6));
    this.#sets = { 4: make(false), 6: make(true) };
  }

  pick(prefix: string): PathAttributes {
    const sets = this.#sets[isIpv6(prefix) ? 6 : 4];
    const at = this.#random.below(sets.length);
    if (this.#random.chance(2)) sets[at] = this.#make(isIpv6(prefix));
    return sets[at]!;
  }

  #make(ipv6: boolean): PathAttributes {
    const random = this.#random;
    const med = random.chance(60) ? { med: random.below(4) } : {};
    return {
      origin: random.chance(70) ? 'igp' : random.pick(['egp', 'incomplete'] as const),
      asPath: this.#asPath(),
      nextHop: this.#nextHop(ipv6),
      ...med,
      ...(this.#peer.external ? external(random) : internal(random)),
      ...extras(random),
    };
  }

  #asPath(): NonNullable<PathAttributes['asPath']> {
    const random = this.#random;
    const others = Array.from({ length: random.below(4) }, () => random.pick(ASNS));
    const loop = random.chance(3) ? [SPEAKER_ASN] : [];
    const asns = [...(this.#peer.external ? [this.#peer.asn] : []), ...others, ...loop];
    return asns.length === 0 ? [] : [{ type: 'sequence', asns }];
  }

  #nextHop(ipv6: boolean): Uint8Array {
    const isOurs = this.#random.chance(1) && isIpv6(this.#peer.speaker) === ipv6;
    if (isOurs) return parseAddress(this.#peer.speaker)!;
    const host = 1 + this.#random.below(6);
    return parseAddress(ipv6 ? `2001:db8:ffff::${host}` : `192.0.2.${host}`)!;
  }
}

/** Nothing that an external peer may say but is not heard, save LOCAL_PREF now and then. */
const external = (random: Random): PathAttributes => (random.chance(5) ? { localPref: 500 } : {});

function internal(random: Random): PathAttributes {
  const clusters = Array.from({ length: 1 + random.below(2) }, () => 0x0a42_0900 + random.below(3));
  return {
    localPref: random.pick([90, 100, 100, 100, 110]),
    ...(random.chance(15) && { originatorId: random.chance(5) ? SPEAKER_IDENTIFIER : 0x0a42_0800 + random.below(4) }),
    ...(random.chance(15) && { clusterList: random.chance(5) ? [CLUSTER_ID, ...clusters] : clusters }),
  };
}

function extras(random: Random): PathAttributes {
  const communities = COMMUNITIES.filter(() => random.chance(20));
  if (random.chance(6)) communities.push(random.pick([NO_EXPORT, NO_ADVERTISE, NO_EXPORT_SUBCONFED]));
  const unknown = [
    ...(random.chance(3) ? [{ code: 200, flags: 0xc0, value: Uint8Array.of(random.below(3)) }] : []),
    ...(random.chance(2) ? [{ code: 201, flags: 0x80, value: Uint8Array.of(random.below(3)) }] : []),
  ];
  return {
    ...(communities.length > 0 && { communities }),
    ...(random.chance(10) && { largeCommunities: [[65001, random.below(3), 7] as const] }),
    ...(random.chance(4) && { extendedCommunities: [Uint8Array.of(0, 2, 0xfd, 0xe9, 0, 0, 0, random.below(3))] }),
    ...(random.chance(4) && { atomicAggregate: true as const, aggregator: { asn: 65001, address: 0xc000_0207 } }),
    ...(unknown.length > 0 && { unknown }),
  };
}
