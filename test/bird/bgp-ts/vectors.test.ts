import { describe, expect, test } from 'vitest';
import type { FamilyNlri, Message, Update } from '../../../bird/bgp-ts/index.ts';
import {
  decodeMessage,
  encodeMessage,
  familyKey,
  formatAsPath,
  formatMessage,
  Framer,
  messageFromJson,
  messageToJson,
} from '../../../bird/bgp-ts/index.ts';
import { formatIpv4 } from '../../../src/model/ip.ts';
import { hex } from '../../support/bgp-bytes.ts';
import { entryOf, groupInWords, prefixText, sorted } from '../../support/exabgp-words.ts';
import { plainPrefixes } from '../../support/plain-prefixes.ts';
import type { Decoded, ExaBgp, ExaBgpNlri, Vector } from '../../support/vectors.ts';
import { exaBgpFamilies, hasVectors, loadVectors, octetsOf, sessionOf } from '../../support/vectors.ts';

/** What we decide otherwise, and why. */
const exceptions: Readonly<Record<string, string>> = {
  'open_unacceptable_holdtime:5125': 'the hold time is the speaker’s to judge, not the codec’s',
  'malformed_aggregator_length_treat_as_withdraw:6299': 'RFC 7606 §7.7 discards the attribute',
  'conf-flow.ci:37': 'RFC 8956 §3.1: the pattern of ::1/128 from bit 120 is one octet, they write all sixteen',
  'conf-generic-attribute.ci:6': 'attribute 153 says it is well-known and is not: treat-as-withdraw',
  'conf-generic-attribute.ci:9': 'attribute 153 says it is well-known and is not: treat-as-withdraw',
};

const decode = (vector: Vector): ReturnType<typeof decodeMessage> =>
  decodeMessage(octetsOf(vector) ?? new Uint8Array(), sessionOf(vector));

const encode = (message: Message, vector: Vector): Uint8Array => encodeMessage(message, sessionOf(vector));

test('in CI the vectors are there', () => expect(hasVectors || process.env['CI'] !== 'true').toBe(true));

describe.skipIf(!hasVectors)('vectors of other implementations (../shared/vectors)', () => {
  const all = loadVectors();
  const usual = all.filter((vector) => !(vector.name in exceptions) && octetsOf(vector) !== undefined);

  test('all but a lone BGP-LS prefix are whole messages or bodies of UPDATEs', () => {
    expect(all.filter((vector) => octetsOf(vector) === undefined).map(({ name }) => name)).toEqual(['bgp-ls-1']);
    expect(all.length).toBeGreaterThan(230);
  });

  test.each(usual.map((vector) => [vector.name, vector.expect.outcome, vector] as const))(
    '%s: %s',
    (_, outcome, vector) => {
      const result = decode(vector);
      const worth =
        result.kind === 'fault' ? 'error' : result.message.type === 'update' ? (result.message.remedy ?? 'ok') : 'ok';
      expect(accepted(outcome)).toContain(worth);
    },
  );

  test.each(Object.entries(exceptions))('%s is an exception: %s', (name) => {
    for (const vector of all.filter((each) => each.name === name)) {
      const result = decode(vector);
      const remedy = result.kind === 'ok' && result.message.type === 'update' ? result.message.remedy : undefined;
      expect([undefined, 'attribute-discard', 'treat-as-withdraw']).toContain(remedy);
      expect(accepted(vector.expect.outcome)).not.toContain(remedy ?? 'ok');
    }
  });

  const decodable = usual.flatMap((vector) => {
    const result = decode(vector);
    return result.kind === 'ok' && !outcomeIsBad(vector) ? [{ vector, message: result.message }] : [];
  });

  test.each(decodable.map(({ vector, message }) => [vector.name, vector, message] as const))(
    '%s: encoded again it is the same octets',
    (_, vector, message) => expect(hex(encode(message, vector))).toBe(hex(octetsOf(vector)!)),
  );

  test.each(decodable.map(({ vector, message }) => [vector.name, message] as const))(
    '%s: is one readable line, and the same again from JSON',
    (_, message) => {
      expect(formatMessage(message)).toMatch(/^[A-Z-]+( [^\n]+)?$/);
      expect(messageFromJson(JSON.parse(JSON.stringify(messageToJson(message))))).toEqual({ kind: 'ok', message });
    },
  );

  test.each(
    decodable.flatMap(({ vector, message }) =>
      vector.expect.decoded === undefined ? [] : [[vector.name, vector.expect.decoded, message] as const],
    ),
  )('%s: the values are what its maker says', (_, decoded, message) =>
    expect(inWordsOfVector(message)).toEqual(relevant(decoded)),
  );

  test.each(
    decodable.flatMap(({ vector, message }) => {
      const update = vector.expect.exabgp_json?.update;
      return update === undefined || message.type !== 'update' ? [] : [[vector.name, update, message] as const];
    }),
  )('%s: attributes, prefixes and rules are what ExaBGP says', (_, update, message) => {
    expect(routesOf(message.announced)).toEqual(announcedBy(update));
    expect(routesOf(message.withdrawn)).toEqual(routesBy(update.withdraw ?? {}));
    expect(attributesOf(message)).toMatchObject(attributesBy(update));
  });

  test('through the Framer in pieces of 7 octets they are the same messages', () => {
    const messages = decodable.map(({ vector }) => octetsOf(vector)!);
    const stream = Uint8Array.from(messages.flatMap((message) => [...message]));
    const framer = new Framer(4096);
    const frames: string[] = [];
    for (let at = 0; at < stream.length; at += 7) {
      framer.push(stream.subarray(at, at + 7));
      for (let next = framer.next(); next !== undefined; next = framer.next()) frames.push(hex(next));
    }
    expect(frames).toEqual(messages.map(hex));
  });
});

/** Which of our outcomes fulfil the word of a vector. */
function accepted(outcome: string): readonly string[] {
  if (outcome === 'ok' || outcome === 'emitted-by-speaker') return ['ok'];
  if (outcome === 'accept-or-attribute-discard') return ['ok', 'attribute-discard'];
  if (outcome === 'error-or-withdraw, no crash') return ['error', 'treat-as-withdraw'];
  if (outcome.startsWith('no-crash')) return ['error'];
  return [outcome];
}

const outcomeIsBad = ({ expect: { outcome } }: Vector): boolean => outcome !== 'ok' && outcome !== 'emitted-by-speaker';

function inWordsOfVector(message: Message): Record<string, unknown> {
  switch (message.type) {
    case 'open': {
      const { type, version, asn, holdSeconds, bgpIdentifier, capabilities } = message;
      return {
        type,
        version,
        as2: asn,
        hold_time: holdSeconds,
        router_id: formatIpv4(bgpIdentifier),
        capabilities: capabilities.map(({ name }) => name),
      };
    }
    case 'notification':
      return { ...message, data: hex(message.data) };
    case 'route-refresh':
      return {
        type: message.type,
        ...message.family,
        subtype: ['request', 'begin', 'end'].indexOf(String(message.subtype)),
      };
    case 'update':
      return updateInWords(message);
    case 'keepalive':
      return { type: message.type };
  }
}

function updateInWords(message: Update): Record<string, unknown> {
  if (message.endOfRib !== undefined)
    return { type: 'update', eor: `${message.endOfRib.afi}/${message.endOfRib.safi}` };
  const { attributes } = message;
  const prefixes = (kind: 'announced' | 'withdrawn', afi: number): string[] =>
    plainPrefixes(message[kind])
      .filter(({ family }) => family.afi === afi)
      .flatMap(({ nlri }) => nlri.map((prefix) => prefixText(prefix)));
  return {
    type: 'update',
    withdrawn: prefixes('withdrawn', 1),
    nlri: prefixes('announced', 1),
    v6: [prefixes('announced', 2), prefixes('withdrawn', 2)],
    origin: attributes.origin,
    as_path: attributes.asPath?.map(({ type, asns }) => [type, asns]),
    next_hop: message.ipv4NextHop === undefined ? undefined : [...message.ipv4NextHop].join('.'),
    med: attributes.med,
    local_pref: attributes.localPref,
    atomic_aggregate: attributes.atomicAggregate,
    aggregator: { as: attributes.aggregator?.asn, address: formatIpv4(attributes.aggregator?.address ?? 0) },
    communities: attributes.communities?.map((value) => `${value >>> 16}:${value & 0xffff}`),
    originator_id: formatIpv4(attributes.originatorId ?? 0),
    cluster_list: attributes.clusterList?.map(formatIpv4),
    ext_communities: attributes.extendedCommunities?.map(hex),
    large_communities: attributes.largeCommunities?.map((value) => value.join(':')),
  };
}

/** The vector's record under the names of `inWordsOfVector`, without what ours has no field for. */
function relevant(decoded: Decoded): Record<string, unknown> {
  const { mp_reach, mp_unreach, capabilities, ...others } = decoded;
  const unused = ['ext_opt_params', 'other_params', 'attrs'];
  const rest = Object.fromEntries(Object.entries(others).filter(([name]) => !unused.includes(name)));
  const [reach, unreach] = [mp_reach, mp_unreach] as ({ nlri?: string[]; withdrawn?: string[] } | undefined)[];
  return {
    ...rest,
    ...(capabilities !== undefined && { capabilities: (capabilities as { name: string }[]).map(({ name }) => name) }),
    ...(reach !== undefined && { v6: [reach.nlri, unreach?.withdrawn] }),
  };
}

/** What ExaBGP says of the families that both decode, by family. */
function routesBy(
  routes: Readonly<Record<string, readonly ExaBgpNlri[]>>,
): Readonly<Record<string, readonly string[]>> {
  const known = Object.entries(routes).filter(([name]) => exaBgpFamilies[name] !== undefined);
  return Object.fromEntries(known.map(([name, entries]) => [exaBgpFamilies[name]!, sorted(entries.map(entryOf))]));
}

const announcedBy = ({ announce = {} }: ExaBgp): Readonly<Record<string, readonly string[]>> =>
  routesBy(Object.fromEntries(Object.entries(announce).map(([name, byHop]) => [name, Object.values(byHop).flat()])));

function routesOf(groups: readonly FamilyNlri[]): Readonly<Record<string, readonly string[]>> {
  const known = groups.filter(({ kind }) => kind !== 'bytes');
  return Object.fromEntries(known.map((group) => [familyKey(group.family), sorted(groupInWords(group))]));
}

function attributesOf({ attributes }: Update): Record<string, unknown> {
  const { origin, localPref, med, asPath, communities, largeCommunities, originatorId, clusterList, aggregator } =
    attributes;
  return {
    origin,
    med,
    'local-preference': localPref,
    'as-path': asPath === undefined ? undefined : formatAsPath(asPath),
    community: communities?.map((value) => [value >>> 16, value & 0xffff]),
    'large-community': largeCommunities,
    'originator-id': originatorId === undefined ? undefined : formatIpv4(originatorId),
    'cluster-list': clusterList?.map(formatIpv4),
    aggregator: aggregator === undefined ? undefined : `${aggregator.asn}:${formatIpv4(aggregator.address)}`,
    'extended-community': attributes.extendedCommunities?.map((value) => BigInt(`0x${hex(value)}`).toString()),
  };
}

/** The attributes that ExaBGP prints and we decode, in the form of `attributesOf`. */
function attributesBy({ attribute = {} }: ExaBgp): Record<string, unknown> {
  const path = attribute['as-path'] as Record<string, { element: string; value: number[] }> | undefined;
  const extended = attribute['extended-community'] as { value: number; string: string }[] | undefined;
  const same = [
    'origin',
    'med',
    'local-preference',
    'community',
    'large-community',
    'originator-id',
    'cluster-list',
    'aggregator',
  ];
  return {
    ...Object.fromEntries(same.filter((name) => name in attribute).map((name) => [name, attribute[name]])),
    ...(path !== undefined && {
      'as-path': Object.values(path)
        .map(({ element, value }) => (element === 'as-set' ? `{${value.join(',')}}` : value.join(' ')))
        .join(' '),
    }),
    // JSON numbers above 2^53 are not exact, so only how many there are.
    ...(extended !== undefined && { 'extended-community': { length: extended.length } }),
  };
}
