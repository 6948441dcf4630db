import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { CodecContext, FamilyKey, Message, Update } from '../../../bird/bgp-ts/index.ts';
import { decodeMessage, encodeMessage, encodeUpdate, formatAsPath, Framer } from '../../../bird/bgp-ts/index.ts';
import { formatIpAddress, formatIpv4 } from '../../../src/model/ip.ts';
import { bytes, context, frame, hex } from '../../support/bgp-bytes.ts';

/** Messages that other implementations made, beside the repository: ../shared/vectors/README.md tells their form. */
const folder = '../shared/vectors';

interface Vector {
  readonly name: string;
  readonly hex: string;
  readonly form: string;
  readonly expect: {
    readonly outcome: string;
    readonly decoded?: Decoded;
    readonly exabgp_json?: { readonly update?: ExaBgp };
  };
  readonly ctx?: {
    readonly asn4?: boolean;
    readonly peer?: string;
    readonly local_as?: string;
    readonly peer_as?: string | number;
    readonly addpath?: string;
    readonly addpath_families?: readonly string[];
    readonly families?: readonly string[];
    readonly conf?: string;
  };
}

type Decoded = Record<string, unknown> & { readonly type: string };

interface ExaBgp {
  readonly attribute?: Record<string, unknown>;
  readonly announce?: Record<
    string,
    Record<string, readonly { readonly nlri?: string; readonly 'path-information'?: string }[]>
  >;
}

/** What we decide otherwise, and why. */
const exceptions: Readonly<Record<string, string>> = {
  'open_unacceptable_holdtime:5125': 'the hold time is the speaker’s to judge, not the codec’s',
  'malformed_aggregator_length_treat_as_withdraw:6299': 'RFC 7606 §7.7 discards the attribute',
  'conf-attributes.ci:10': 'NEXT_HOP 255.255.255.255 is not a host’s address, RFC 4271 §6.3',
  'conf-ipself4.ci:3': 'NEXT_HOP 127.0.0.1 is not a host’s address, RFC 4271 §6.3',
  'conf-generic-attribute.ci:6': 'attribute 153 says it is well-known and is not: treat-as-withdraw',
  'conf-generic-attribute.ci:9': 'attribute 153 says it is well-known and is not: treat-as-withdraw',
};

const families: Readonly<Record<string, FamilyKey>> = {
  'ipv4 unicast': '1/1',
  'ipv6 unicast': '2/1',
  'ipv4 multicast': '1/2',
  'ipv6 multicast': '2/2',
};

const load = (file: string): readonly Vector[] =>
  readFileSync(`${folder}/${file}.jsonl`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Vector);

const octetsOf = (vector: Vector): Uint8Array =>
  vector.form === 'update-body' ? frame(2, bytes(vector.hex)) : bytes(vector.hex);

function sessionOf({ ctx = {} }: Vector): CodecContext {
  const keys = (names: readonly string[]): FamilyKey[] => names.flatMap((name) => families[name] ?? []);
  const external = ctx.peer === 'ebgp' || (ctx.peer === undefined && ctx.local_as !== ctx.peer_as);
  return context({
    external,
    fourOctetAs: ctx.asn4 ?? true,
    addPath: new Set(ctx.addpath === undefined ? [] : keys(ctx.addpath_families ?? ctx.families ?? [])),
    extendedNextHop: new Set(ctx.conf === 'extended-nexthop.conf' ? ['1/1', '2/1'] : []),
  });
}

const decode = (vector: Vector): ReturnType<typeof decodeMessage> => decodeMessage(octetsOf(vector), sessionOf(vector));

const present = existsSync(folder);

test('in CI the vectors are there', () => expect(present || process.env['CI'] !== 'true').toBe(true));

describe.skipIf(!present)('vectors of other implementations (../shared/vectors)', () => {
  const all = present
    ? ['exabgp-encoding', 'exabgp-decoding', 'holo-packet', 'rustybgp', 'gobgp-badlen'].flatMap(load)
    : [];
  const usual = all.filter(({ name, form }) => !(name in exceptions) && form !== 'nlri');

  test('all but a lone BGP-LS prefix are whole messages or bodies of UPDATEs', () => {
    expect(all.filter(({ form }) => form === 'nlri').map(({ name }) => name)).toEqual(['bgp-ls-1']);
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
    '%s: encoded again it is the same message',
    (_, vector, message) => {
      const session = sessionOf(vector);
      const again = message.type === 'update' ? encodeUpdate(message, session) : encodeMessage(message, session);
      expect(canonical(again)).toEqual(canonical(octetsOf(vector)));
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
  )('%s: attributes and prefixes are what ExaBGP says', (_, update, message) => {
    expect(announcedOf(message)).toEqual(announcedBy(update));
    expect(attributesOf(message)).toMatchObject(attributesBy(update));
  });

  test('through the Framer in pieces of 7 octets they are the same messages', () => {
    const messages = decodable.map(({ vector }) => octetsOf(vector));
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

/**
 * A message without what an encoder may choose: the order of attributes, the extended length where none is needed, the
 * partial bit (which we must set on what we do not understand), and unknown non-transitive attributes (which we must drop).
 */
function canonical(octets: Uint8Array): unknown {
  if (octets[18] !== 2) return hex(octets);
  const u16 = (at: number): number => (octets[at]! << 8) | octets[at + 1]!;
  const withdrawnEnd = 21 + u16(19);
  const attributesEnd = withdrawnEnd + 2 + u16(withdrawnEnd);
  const attributes: string[] = [];
  for (let at = withdrawnEnd + 2; at < attributesEnd;) {
    const [flags, code] = [octets[at]!, octets[at + 1]!];
    const extended = (flags & 0x10) !== 0;
    const start = at + (extended ? 4 : 3);
    const end = start + (extended ? u16(at + 2) : octets[at + 2]!);
    const isDropped = (flags & 0xc0) === 0x80 && ![4, 9, 10, 14, 15].includes(code);
    if (!isDropped) attributes.push(`${code} ${flags & 0xc0} ${hex(octets.subarray(start, end))}`);
    at = end;
  }
  return [hex(octets.subarray(21, withdrawnEnd)), attributes.sort(), hex(octets.subarray(attributesEnd))];
}

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
      return { type: message.type, ...message.family, subtype: ['request', 'begin', 'end'].indexOf(message.subtype) };
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
    message[kind]
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

function prefixText({ words, length, pathId }: { words: readonly number[]; length: number; pathId: number }): string {
  const text = `${formatIpAddress({ family: words.length === 1 ? 4 : 6, words })}/${length}`;
  return pathId === 0 ? text : `${text} ${formatIpv4(pathId)}`;
}

const unicast = ['ipv4 unicast', 'ipv6 unicast'] as const;

const announcedOf = (message: Update): string[] =>
  message.announced
    .filter(({ family }) => family.safi === 1)
    .flatMap(({ nlri }) => nlri.map(prefixText))
    .sort();

const announcedBy = ({ announce = {} }: ExaBgp): string[] =>
  unicast
    .flatMap((name) => Object.values(announce[name] ?? {}).flat())
    .map(({ nlri = '', 'path-information': id }) => (id === undefined || id === '0.0.0.0' ? nlri : `${nlri} ${id}`))
    .sort();

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
