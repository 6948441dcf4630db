/** Messages of every type, family, attribute and capability, as records that encode: for property tests. */
import fc from 'fast-check';
import type {
  AsSegment,
  AttributeFault,
  Capability,
  Family,
  FamilyNlri,
  FlowComponent,
  FlowNlri,
  LabeledNlri,
  Message,
  PathAttributes,
  PrefixNlri,
  Update,
  VpnNlri,
} from '../../bird/bgp-ts/index.ts';
import { IPV4_UNICAST } from '../../bird/bgp-ts/index.ts';

const u8 = fc.nat(255);
const u16 = fc.nat(65535);
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const asn = fc.oneof(fc.integer({ min: 1, max: 70_000 }), fc.integer({ min: 1, max: 0xffff_ffff }));
const octets = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const some = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(value, { minLength: 1, maxLength: 8 });

const segment: fc.Arbitrary<AsSegment> = fc.record({
  type: fc.constantFrom('sequence', 'set'),
  asns: fc.array(asn, { minLength: 1, maxLength: 5 }),
});

const ipv4NextHop = octets(4).map((address) => Uint8Array.of(1 + (address[0]! % 126), ...address.subarray(1)));

export const pathAttributes: fc.Arbitrary<PathAttributes> = fc.record(
  {
    origin: fc.constantFrom('igp', 'egp', 'incomplete'),
    asPath: fc.array(segment, { maxLength: 4 }),
    nextHop: ipv4NextHop,
    med: u32,
    localPref: u32,
    atomicAggregate: fc.constant(true as const),
    aggregator: fc.record({ asn, address: u32 }),
    communities: some(u32),
    originatorId: u32,
    clusterList: some(u32),
    extendedCommunities: some(octets(8)),
    pmsiTunnel: fc.uint8Array({ minLength: 1, maxLength: 20 }),
    tunnelEncapsulation: fc.uint8Array({ minLength: 1, maxLength: 20 }),
    ipv6ExtendedCommunities: some(octets(20)),
    aigp: some(
      fc.oneof(
        octets(8).map((value) => ({ type: 1, value: Uint8Array.of(0, ...value.subarray(1)) })),
        fc.record({ type: fc.integer({ min: 2, max: 255 }), value: fc.uint8Array({ maxLength: 9 }) }),
      ),
    ),
    largeCommunities: fc.uniqueArray(fc.tuple(u32, u32, u32), { minLength: 1, maxLength: 8, selector: String }),
    onlyToCustomer: u32,
    unknown: fc
      .uniqueArray(fc.integer({ min: 100, max: 120 }), { minLength: 1, maxLength: 2 })
      .chain((codes) =>
        fc.tuple(
          ...codes
            .toSorted((a, b) => a - b)
            .map((code) =>
              fc.record({ code: fc.constant(code), flags: fc.constantFrom(0x80, 0xc0, 0xe0), value: fc.uint8Array() }),
            ),
        ),
      ),
  },
  { requiredKeys: ['origin', 'asPath', 'nextHop'] },
);

const clear = (words: readonly number[], length: number): number[] =>
  words.map((word, i) => {
    const kept = Math.min(32, Math.max(0, length - i * 32));
    return kept === 0 ? 0 : ((word >>> (32 - kept)) << (32 - kept)) >>> 0;
  });

const prefix = (bits: number, pathId: fc.Arbitrary<number>): fc.Arbitrary<PrefixNlri> =>
  fc
    .record({ pathId, words: fc.tuple(u32, u32, u32, u32), length: fc.nat(bits) })
    .map(({ words, length, ...rest }) => ({ ...rest, words: clear(words.slice(0, bits / 32), length), length }));

interface Entry {
  readonly pathId: fc.Arbitrary<number>;
  readonly withdrawn: boolean;
}

/** A withdrawal has one field for labels, which may be empty. RFC 8277 §2.4. */
const labels = (withdrawn: boolean): fc.Arbitrary<number[]> =>
  fc.array(fc.nat(0xfffff), withdrawn ? { maxLength: 1 } : { minLength: 1, maxLength: 2 });

const labeled = (bits: number, { pathId, withdrawn }: Entry): fc.Arbitrary<LabeledNlri> =>
  fc.tuple(prefix(bits, pathId), labels(withdrawn)).map(([plain, stack]) => ({ ...plain, labels: stack }));

const vpn = (bits: number, entry: Entry): fc.Arbitrary<VpnNlri> =>
  fc.tuple(labeled(bits, entry), octets(8)).map(([plain, routeDistinguisher]) => ({ ...plain, routeDistinguisher }));

const match = (operators: number): fc.Arbitrary<{ operator: number; octets: number; value: bigint }> =>
  fc.tuple(fc.nat(operators), fc.constantFrom(1, 2, 4, 8)).chain(([operator, width]) =>
    fc.record({
      operator: fc.constant(operator),
      octets: fc.constant(width),
      value: fc.bigInt({ min: 0n, max: (1n << BigInt(8 * width)) - 1n }),
    }),
  );

const matches = (type: number): fc.Arbitrary<FlowComponent> =>
  fc
    .array(fc.tuple(match(type === 9 || type === 12 ? 3 : 7), fc.boolean()), { minLength: 1, maxLength: 2 })
    .map((list) => ({ type, matches: list.map(([each, and], i) => ({ and: i > 0 && and, ...each })) }));

const flowPrefix = (type: number, bits: number): fc.Arbitrary<FlowComponent> =>
  fc.tuple(prefix(bits, fc.constant(0)), fc.nat(127)).map(([{ words, length }, at]) => {
    const offset = bits === 32 || length === 0 ? 0 : at % length;
    // The bits in front of the offset do not count, so they are zero.
    const counted = words.map(
      (word, i) => (word & ~clear([0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff], offset)[i]!) >>> 0,
    );
    return { type, words: counted, length, offset };
  });

const flow = (bits: number, pathId: fc.Arbitrary<number>): fc.Arbitrary<FlowNlri> =>
  fc.uniqueArray(fc.integer({ min: 1, max: bits === 32 ? 12 : 13 }), { minLength: 1, maxLength: 4 }).chain((types) =>
    fc.record({
      pathId,
      components: fc.tuple(
        ...types.toSorted((a, b) => a - b).map((type) => (type < 3 ? flowPrefix(type, bits) : matches(type))),
      ),
    }),
  );

/** NLRI of one family. With ADD-PATH each has an identifier. */
export function familyNlri(family: Family, addPath = false, withdrawn = false): fc.Arbitrary<FamilyNlri> {
  const bits = family.afi === 1 ? 32 : 128;
  const pathId = addPath ? u32 : fc.constant(0);
  const group = (kind: FamilyNlri['kind'], entry: fc.Arbitrary<unknown>): fc.Arbitrary<FamilyNlri> =>
    some(entry).map((nlri) => ({ kind, family, nlri }) as unknown as FamilyNlri);
  if (family.safi < 3) return group('prefix', prefix(bits, pathId));
  if (family.safi === 4) return group('labeled', labeled(bits, { pathId, withdrawn }));
  if (family.safi === 128) return group('vpn', vpn(bits, { pathId, withdrawn }));
  if (family.safi === 133) return group('flow', flow(bits, pathId));
  if (family.safi === 134) {
    const withDistinguisher = fc
      .tuple(flow(bits, pathId), octets(8))
      .map(([rule, routeDistinguisher]) => ({ ...rule, routeDistinguisher }));
    return group('flow', withDistinguisher);
  }
  return fc.uint8Array({ minLength: 1, maxLength: 30 }).map((nlri) => ({ kind: 'bytes', family, nlri }));
}

/** Families with NLRI of every kind, but IPv4 unicast. */
export const otherFamilies: fc.Arbitrary<Family> = fc.oneof(
  fc.record({ afi: fc.constantFrom(1, 2), safi: fc.constantFrom(2, 4, 128, 133, 134) }),
  fc.constantFrom({ afi: 2, safi: 1 }, { afi: 25, safi: 70 }, { afi: 16388, safi: 71 }),
);

/** A next hop that MP_REACH may carry for the family. */
export function nextHopFor({ afi, safi }: Family): fc.Arbitrary<Uint8Array> {
  if (safi === 128) return octets(afi === 1 ? 12 : 24);
  return afi === 1 ? octets(4) : fc.oneof(octets(16), octets(32));
}

/** UPDATEs that are in order: IPv4 unicast in the message's own fields, another family in MP_REACH and MP_UNREACH, or both. */
export const updates: fc.Arbitrary<Update> = fc.oneof(
  fc
    .tuple(pathAttributes, familyNlri(IPV4_UNICAST), familyNlri(IPV4_UNICAST))
    .map(([attributes, announced, withdrawn]): Update =>
      update({ attributes, announced: [announced], withdrawn: [withdrawn] }),
    ),
  otherFamilies.chain((family) =>
    fc
      .tuple(pathAttributes, nextHopFor(family), familyNlri(family))
      .map(([attributes, nextHop, group]) => update({ attributes: { ...attributes, nextHop }, announced: [group] })),
  ),
  otherFamilies.chain((family) =>
    fc
      .tuple(pathAttributes, nextHopFor(family), familyNlri(family), familyNlri(IPV4_UNICAST), ipv4NextHop)
      .map(([attributes, nextHop, group, own, ipv4]) =>
        update({ attributes: { ...attributes, nextHop }, announced: [own, group], ipv4NextHop: ipv4 }),
      ),
  ),
  otherFamilies.map((endOfRib) => update({ endOfRib })),
);

const update = (changes: Partial<Update>): Update => ({
  type: 'update',
  attributes: {},
  announced: [],
  withdrawn: [],
  faults: [],
  ...changes,
});

/** UPDATEs as a bad peer's come out of the decoder: these do not encode. */
const faultyUpdates: fc.Arbitrary<Update> = fc
  .record({
    text: fc.string(),
    code: fc.tuple(u8, u8),
    data: fc.uint8Array({ maxLength: 9 }),
    remedy: fc.constantFrom('attribute-discard', 'treat-as-withdraw', 'afi-safi-disable'),
    attribute: u8,
  })
  .map((fault: AttributeFault) =>
    update({ remedy: fault.remedy, faults: [fault], disabled: [{ afi: 2, safi: 1 }], attributes: { partial: [8] } }),
  );

const family: fc.Arbitrary<Family> = fc.record({ afi: u16, safi: u8 });

export const capabilities: fc.Arbitrary<Capability> = fc.oneof(
  family.map((each): Capability => ({ name: 'multiprotocol', family: each })),
  fc.constantFrom<Capability>(
    { name: 'route-refresh' },
    { name: 'enhanced-route-refresh' },
    { name: 'extended-message' },
  ),
  fc
    .array(fc.record({ family: fc.record({ afi: u16, safi: u16 }), nextHopAfi: u16 }), { maxLength: 4 })
    .map((entries): Capability => ({ name: 'extended-next-hop', entries })),
  u32.map((each): Capability => ({ name: 'four-octet-as', asn: each })),
  fc
    .record({
      restarting: fc.boolean(),
      notification: fc.boolean(),
      restartSeconds: fc.nat(4095),
      families: fc.array(fc.record({ family, forwardingPreserved: fc.boolean() }), { maxLength: 4 }),
    })
    .map((each): Capability => ({ name: 'graceful-restart', ...each })),
  fc
    .array(fc.record({ family, forwardingPreserved: fc.boolean(), staleSeconds: fc.nat(0xffffff) }), { maxLength: 4 })
    .map((families): Capability => ({ name: 'long-lived-graceful-restart', families })),
  fc
    .array(fc.record({ family, mode: fc.constantFrom('receive', 'send', 'both') }), { maxLength: 4 })
    .map((entries): Capability => ({ name: 'add-path', entries })),
  u8.map((role): Capability => ({ name: 'role', role })),
  fc
    .array(fc.record({ family, count: u8 }), { maxLength: 4 })
    .map((entries): Capability => ({ name: 'multiple-labels', entries })),
  fc.record({ hostname: fc.string(), domain: fc.string() }).map((each): Capability => ({ name: 'fqdn', ...each })),
  fc.string().map((version): Capability => ({ name: 'software-version', version })),
  fc
    .record({ code: fc.integer({ min: 130, max: 255 }), value: fc.uint8Array({ maxLength: 9 }) })
    .map((each): Capability => ({ name: 'unknown', ...each })),
);

const refreshSubtype = fc.oneof(fc.constantFrom('request', 'begin', 'end'), fc.integer({ min: 3, max: 255 }));

/** What encodes: everything but UPDATEs. */
export const otherMessages: fc.Arbitrary<Exclude<Message, Update>> = fc.oneof(
  fc
    .record({ asn: u16, holdSeconds: u16, bgpIdentifier: u32, capabilities: fc.array(capabilities, { maxLength: 8 }) })
    .map((open) => ({ type: 'open' as const, version: 4, ...open })),
  fc
    .record({ code: u8, subcode: u8, data: fc.uint8Array({ maxLength: 40 }) })
    .map((notification) => ({ type: 'notification' as const, ...notification })),
  fc.constant({ type: 'keepalive' } as const),
  fc.record({ family, subtype: refreshSubtype }).map((refresh) => ({ type: 'route-refresh' as const, ...refresh })),
);

/** Any message that a record can hold. */
export const messages: fc.Arbitrary<Message> = fc.oneof(updates, faultyUpdates, otherMessages);
