import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { IpFamily } from '../../../src/model/ip.ts';
import { formatPrefix, parsePrefix } from '../../../src/model/ip.ts';
import { AttributeCache } from '../../../bird/rib/attribute-cache.ts';
import { NO_PREFIX, PrefixTable } from '../../../bird/rib/prefix-table.ts';
import { UpdateReader } from '../../../bird/rib/update-reader.ts';
import type { PathSink, Received } from '../../../bird/rib/update-reader.ts';
import { canonicalAttributes } from '../../../bird/wire.ts';
import { agreed, localSettings, openOf } from '../../support/bgp.ts';
import { mandatory, updateFrame } from '../../support/bgp-bytes.ts';

const settings = localSettings({ remoteAsn: 65001, families: [4, 6] });

/** A reader whose sink writes down what it is told: `+10.0.0.0/8`, `-10.0.0.0/8`; no route is kept. */
function reader(
  families: readonly IpFamily[] = [4, 6],
  way: 'short' | 'long' = 'short',
): {
  readonly read: (frame: Uint8Array) => Received;
  readonly told: string[];
  readonly cache: AttributeCache;
  judged: number;
} {
  const cache = new AttributeCache(canonicalAttributes, 1);
  const told: string[] = [];
  const ours = agreed(settings, openOf(settings));
  // What is read for its own routes is never plain.
  const receive = way === 'long' ? { ...ours.receive, ownRoutes: true as const } : ours.receive;
  const session = { ...ours, receive, families };
  const sinkOf = (family: IpFamily): PathSink => {
    const prefixes = new PrefixTable(family, 1);
    const text = (prefix: number): string => formatPrefix(prefixes.prefix(prefix));
    // As withdrawals name what is known alone, all that the tests withdraw is.
    for (const known of family === 4 ? ['10.0.0.0/8', '11.0.0.0/8'] : ['fd00:5::/32']) {
      prefixes.retain(prefixes.internPrefix(parsePrefix(known)));
    }
    const announce = (prefix: number): unknown => told.push(`+${text(prefix)}`);
    const withdraw = (prefix: number): unknown => told.push(`-${text(prefix)}`);
    return {
      prefixes,
      judge: (attributes) => ({ attributes, used: attributes, rejection: out.judged++ * 0 }),
      announce,
      withdraw,
      announceAll: (ids, count) => ids.subarray(0, count).forEach(announce),
      withdrawAll: (ids, count) => ids.subarray(0, count).forEach((id) => id === NO_PREFIX || withdraw(id)),
      applied: () => undefined,
    };
  };
  const out = { told, cache, judged: 0, read: (frame: Uint8Array) => update.read(frame) };
  const update = new UpdateReader(session, {
    attributes: cache,
    keepsAigp: false,
    families: { 4: sinkOf(4), 6: sinkOf(6) },
  });
  return out;
}

/** MP_REACH for IPv6 unicast: next hop fd00::1, prefix fd00:5::/32. */
const reach6 = '800e 1a 0002 01 10 fd000000000000000000000000000001 00 20 fd000005';

describe('an UPDATE that is in order', () => {
  test('withdraws first, then announces', () => {
    const { read, told } = reader();
    const frame = updateFrame({ withdrawn: '08 0b', attributes: mandatory, nlri: '08 0a 18 c0a801' });
    expect(read(frame)).toEqual({});
    expect(told).toEqual(['-11.0.0.0/8', '+10.0.0.0/8', '+192.168.1.0/24']);
  });
  test('is judged once for all its prefixes, and holds no attribute set when nobody took it', () => {
    const out = reader();
    out.read(updateFrame({ attributes: mandatory, nlri: '08 0a 08 0b 08 0c' }));
    expect([out.judged, out.cache.size]).toEqual([1, 0]);
  });
  test('brings IPv6 in MP_REACH, with IPv4 beside it', () => {
    const { read, told } = reader();
    expect(read(updateFrame({ attributes: `${reach6} ${mandatory}`, nlri: '08 0a' }))).toEqual({});
    expect(told).toEqual(['+10.0.0.0/8', '+fd00:5::/32']);
  });
  test('brings and withdraws IPv6 alone, wherever MP_REACH stands', () => {
    const { read, told } = reader();
    for (const attributes of [`${reach6} ${mandatory}`, `${mandatory} ${reach6}`, '800f 08 0002 01 20 fd000005']) {
      expect(read(updateFrame({ attributes }))).toEqual({});
    }
    expect(told).toEqual(['+fd00:5::/32', '+fd00:5::/32', '-fd00:5::/32']);
  });
  test('of a family that was not agreed on is ignored', () => {
    const { read, told } = reader([4]);
    expect(read(updateFrame({ attributes: `${reach6} ${mandatory}` }))).toEqual({});
    expect(told).toEqual([]);
  });
  test('that is empty is End-of-RIB, of each family', () => {
    const { read } = reader();
    expect(read(updateFrame({}))).toEqual({ endOfRib: 4 });
    expect(read(updateFrame({ attributes: '800f 03 0002 01' }))).toEqual({ endOfRib: 6 });
    expect(read(updateFrame({ attributes: '900f 0003 0002 01' }))).toEqual({ endOfRib: 6 });
  });
});

describe('an UPDATE that is malformed, RFC 7606', () => {
  test('ORIGIN 3: treated as withdrawn', () => {
    const { read, told } = reader();
    const bad = mandatory.replace('40010100', '40010103');
    expect(read(updateFrame({ attributes: bad, nlri: '08 0a' })).remedied).toMatch(/^treated as withdrawn: ORIGIN/);
    expect(told).toEqual(['-10.0.0.0/8']);
  });
  test('a mandatory attribute is missing: treated as withdrawn', () => {
    const { read, told } = reader();
    const { remedied } = read(updateFrame({ attributes: '40010100', nlri: '08 0a' }));
    expect(remedied).toBe('treated as withdrawn: AS_PATH is missing');
    expect(told).toEqual(['-10.0.0.0/8']);
  });
  test('ATOMIC_AGGREGATE with a value: dropped, the route stays, every time', () => {
    const { read, told } = reader();
    const frame = updateFrame({ attributes: `${mandatory} 400601 00`, nlri: '08 0a' });
    for (let round = 0; round < 2; round++)
      expect(read(frame).remedied).toMatch(/^attribute dropped: ATOMIC_AGGREGATE/);
    expect(told).toEqual(['+10.0.0.0/8', '+10.0.0.0/8']);
  });
  test('a prefix of 33 bits: session reset 3/10, and nothing of the message counts', () => {
    const { read, told } = reader();
    const { fault } = read(updateFrame({ withdrawn: '08 0b', attributes: mandatory, nlri: '08 0a 21 0a00000000' }));
    expect(fault?.code).toEqual([3, 10]);
    expect(told).toEqual([]);
  });
  test('attributes that run past the end: session reset 3/1', () => {
    const frame = updateFrame({ attributes: mandatory });
    frame[22] = 0xff;
    expect(reader().read(frame).fault?.code).toEqual([3, 1]);
  });
  test('a length of withdrawn routes that there are not, before IPv6 prefixes: session reset 3/1', () => {
    const frame = updateFrame({ attributes: `${reach6} ${mandatory}` });
    frame[20] = 1;
    expect(reader().read(frame).fault?.code).toEqual([3, 1]);
  });
});

/** Octets of prefix lists: known ones, one that is malformed among them now and then. */
const prefixList = fc
  .array(fc.constantFrom('080a', '080b', '080a', '080b', '080a', '21ffffffffff', '18'), { maxLength: 4 })
  .map((list) => list.join(''));
const blocks = fc.constantFrom(
  ...['', mandatory, mandatory, mandatory.slice(9), `${mandatory} c0c80101`, `${mandatory} 400601 00`],
  ...[`${reach6} ${mandatory}`, `${mandatory.slice(9)} ${mandatory.slice(0, 8)}`],
);

const updates = fc.record({ withdrawn: prefixList, attributes: blocks, nlri: prefixList });

/** `code` with its value, of fewer than 256 octets. */
const attribute = (code: string, value: string): string =>
  `80${code}${(value.replaceAll(' ', '').length / 2).toString(16).padStart(2, '0')}${value}`;
const prefixList6 = fc
  .array(fc.constantFrom('20fd000005', '00', '40fd00000500000001', '80fd000005000000000000000000000001'), {
    maxLength: 3,
  })
  .chain((list) => fc.constantFrom(...['', '', '', '81ff', '20fd'].map((last) => `${list.join('')}${last}`)));
const hop = 'fd000000000000000000000000000001';
const hops = fc.constantFrom(`10${hop}`, `10${hop}`, `20${hop}${hop}`, '04c0000201', '00');
const families = fc.constantFrom('000201', '000201', '000201', '000201', '000101', '000202');
const reaches = fc
  .tuple(families, hops, prefixList6)
  .map(([family, nextHop, nlri]) => attribute('0e', `${family}${nextHop}00${nlri}`));
const unreaches = fc.tuple(families, prefixList6).map((parts) => attribute('0f', parts.join('')));
/** Mostly one multiprotocol attribute, before, behind or between the others. */
const multiprotocolBlocks = fc
  .tuple(
    fc.oneof(reaches, reaches, unreaches),
    fc.constantFrom('', mandatory, mandatory, `${mandatory} c0c80101`, `${mandatory} 400601 00`, mandatory.slice(9)),
    fc.option(fc.oneof(reaches, unreaches), { freq: 5 }),
  )
  .chain(([first, rest, second]) => {
    const parts = [first, rest.slice(0, 8), rest.slice(8), ...(second === null ? [] : [second])];
    return fc.shuffledSubarray(parts, { minLength: parts.length - 1 });
  })
  .map((parts) => parts.join(''));
const multiprotocolUpdates = fc.record({
  withdrawn: fc.constantFrom('', '', '', '080b'),
  attributes: multiprotocolBlocks,
  nlri: fc.constantFrom('', '', '', '080a'),
});

const lies = fc.constantFrom(0, 0, 0, -2, -1, 1, 2);

test('the short way reads what the long way reads, and refuses what it refuses', () => {
  fc.assert(
    fc.property(fc.oneof(updates, multiprotocolUpdates), lies, (update, off) => {
      const { withdrawn } = update;
      const frame = updateFrame(update);
      // A length of the attributes that lies.
      frame[22 + withdrawn.length / 2] = (frame[22 + withdrawn.length / 2]! + off) & 255;
      const [short, long] = [reader(), reader([4, 6], 'long')];
      const outcomes = [short.read(frame), long.read(frame)];
      expect(outcomes[0]).toEqual(outcomes[1]);
      expect(short.told).toEqual(long.told);
      expect(short.judged).toEqual(long.judged);
      expect([short.cache.size, long.cache.size]).toEqual([0, 0]);
    }),
    { numRuns: 3000 },
  );
});
