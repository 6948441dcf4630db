import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CodecContext, PathAttributes } from '../../../../bird/bgp-ts/index.ts';
import { judgeUpdate, NEXT_HOP_ROOM, NOT_PLAIN, PlainAttributes, scanUpdate } from '../../../../bird/bgp-ts/index.ts';
import { canonicalAttributes, decodeAttributes, keptAttributes, withoutAttributes } from '../../../../bird/wire.ts';
import { pathAttributes } from '../../../support/bgp-arbitraries.ts';
import { bytes, context, hex, mandatory, updateFrame } from '../../../support/bgp-bytes.ts';
import { encodeAttributes } from '../../../../bird/bgp-ts/index.ts';

/** What decoding makes of the same UPDATE; undefined where anything is wrong with it. */
function decoded(frame: Uint8Array, session: CodecContext): Uint8Array | undefined {
  const scan = scanUpdate(frame, session);
  if (scan.fault !== undefined) return undefined;
  const result = decodeAttributes(frame, scan.attributesStart, scan.attributesEnd, session);
  if (judgeUpdate(scan, result).faults.length > 0) return undefined;
  const kept = keptAttributes(result.attributes, true);
  if (scan.mpReach !== undefined) return canonicalAttributes(kept);
  return canonicalAttributes({ ...withoutAttributes(kept, ['nextHop']), nextHop: result.ipv4NextHop! });
}

function plain(frame: Uint8Array, session: CodecContext): Uint8Array | undefined {
  const { attributesStart: start, attributesEnd: end, mpReach, fault } = scanUpdate(frame, session);
  if (fault !== undefined) return undefined;
  const reader = new PlainAttributes(session, new Uint8Array(4096 + NEXT_HOP_ROOM));
  const length =
    mpReach === undefined
      ? reader.read(frame, start, end)
      : reader.readMultiprotocol(frame, start, end, mpReach.nextHopStart, mpReach.nextHopEnd);
  return length === NOT_PLAIN ? undefined : reader.octets.slice(0, length);
}

/** MP_REACH for IPv6 unicast: next hop fd00::1, prefix fd00:5::/32. */
const reach6 = '800e1a0002011 0fd0000000000000000000000000000010020fd000005';

/** A block of what is plain, one attribute after the other. */
const blocks: fc.Arbitrary<readonly string[]> = pathAttributes.map((set) => {
  const external = withoutAttributes(set, ['unknown', 'pmsiTunnel', 'tunnelEncapsulation', 'ipv6ExtendedCommunities']);
  const block = encodeAttributes(withoutAttributes(external, ['aigp', 'onlyToCustomer']), context());
  const parts: string[] = [];
  for (let at = 0; at < block.length;) {
    const end = at + 3 + block[at + 2]!;
    parts.push(hex(block.subarray(at, end)));
    at = end;
  }
  return parts;
});

/** One octet is another, two attributes change places, one comes twice or is gone. */
const harms = fc.oneof(
  fc.record({ do: fc.constant('set' as const), at: fc.nat(80), to: fc.nat(255) }),
  fc.record({ do: fc.constantFrom('swap' as const, 'twice' as const, 'drop' as const), at: fc.nat(7) }),
);

function harmed(parts: readonly string[], list: readonly (typeof harms extends fc.Arbitrary<infer T> ? T : never)[]) {
  const result = [...parts];
  const octets: [number, number][] = [];
  for (const harm of list) {
    const at = harm.at % result.length;
    if (harm.do === 'set') octets.push([harm.at, harm.to]);
    else if (harm.do === 'swap') result.push(...result.splice(at, 1));
    else if (harm.do === 'twice') result.splice(at, 0, result[at] ?? '');
    else result.splice(at, 1);
  }
  const block = bytes(result.join(''));
  for (const [at, to] of octets) if (at < block.length) block[at] = to;
  return hex(block);
}

test('what is read as plain is what decoding and encoding make of it, and nothing is wrong with it', () => {
  const sessions = fc.record({ external: fc.boolean(), fourOctetAs: fc.boolean(), isMultiprotocol: fc.boolean() });
  fc.assert(
    fc.property(blocks, fc.array(harms, { maxLength: 2 }), sessions, (parts, list, session) => {
      const { isMultiprotocol, ...changes } = session;
      const attributes = `${isMultiprotocol ? reach6 : ''}${harmed(parts, list)}`;
      const frame = updateFrame({ attributes, ...(!isMultiprotocol && { nlri: '080a' }) });
      const read = plain(frame, context(changes));
      if (read !== undefined) expect(read).toEqual(decoded(frame, context(changes)));
    }),
    { numRuns: 2000 },
  );
});

test('all that policy and selection know of is plain, from inside and, but for what must not come from there, from outside', () => {
  fc.assert(
    fc.property(blocks, fc.boolean(), fc.boolean(), (parts, external, isMultiprotocol) => {
      const inner = ['400504', '800904', '800a'];
      const own = external ? parts.filter((part) => !inner.some((start) => part.startsWith(start))) : parts;
      const attributes = `${isMultiprotocol ? reach6 : ''}${own.join('')}`;
      const frame = updateFrame({ attributes, ...(!isMultiprotocol && { nlri: '080a' }) });
      expect(plain(frame, context({ external }))).toEqual(decoded(frame, context({ external })));
    }),
  );
});

describe('is not plain', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['an attribute that nobody here knows', `${mandatory} c0c80101`],
    ['an order other than ours', `${mandatory.slice(9)} ${mandatory.slice(0, 8)}`],
    ['two octets of length for a short value', mandatory.replace('40010100', '5001000100')],
    ['the partial bit', `${mandatory} e008 04 00010001`],
    ['a large community that comes twice', `${mandatory} c020 18 ${'000000010000000200000003'.repeat(2)}`],
    ['LOCAL_PREF from another AS', `${mandatory} 400504 00000064`],
    ['the ORIGIN that is missing', mandatory.slice(9)],
    ['AS 0', mandatory.replace('0000fde9', '00000000')],
    ['a block that is cut off', mandatory.slice(0, -2)],
  ];
  test.each(cases)('%s', (_, attributes) => {
    const block = bytes(attributes);
    expect(new PlainAttributes(context(), new Uint8Array(4096 + NEXT_HOP_ROOM)).read(block, 0, block.length)).toBe(
      NOT_PLAIN,
    );
  });
});

test('the example is one', () => {
  const frame = updateFrame({ attributes: mandatory, nlri: '080a' });
  expect(plain(frame, context())).toEqual(bytes('04 c0000201 40010100 4002060201 0000fde9'));
  const set: PathAttributes = { origin: 'igp', asPath: [{ type: 'sequence', asns: [65001] }] };
  expect(decoded(frame, context())).toEqual(canonicalAttributes({ ...set, nextHop: Uint8Array.of(192, 0, 2, 1) }));
});
