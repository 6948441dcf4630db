import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Family, UpdateKind } from '../../../bird/bgp-ts/index.ts';
import { checkNlri, Framer, scanUpdate, UpdateWriter, walkNlri, plainContext } from '../../../bird/bgp-ts/index.ts';

const IPV4: Family = { afi: 1, safi: 1 };
const IPV6: Family = { afi: 2, safi: 1 };
const BLOCK = Uint8Array.of(0x40, 1, 1, 0, 0x40, 2, 0);
/** In a room that has held others. */
const WRITTEN = { block: Uint8Array.of(...BLOCK, 0x40, 5), blockLength: BLOCK.length };
const NEXT_HOP = Uint8Array.from({ length: 16 }, (_, i) => i + 1);

const KINDS: Readonly<Record<string, { readonly what: UpdateKind; readonly family: Family }>> = {
  withdrawn: { what: { kind: 'withdraw' }, family: IPV4 },
  'withdrawn in MP_UNREACH': { what: { kind: 'withdraw', family: IPV6 }, family: IPV6 },
  announced: { what: { kind: 'announce', ...WRITTEN }, family: IPV4 },
  'announced in MP_REACH': {
    what: { kind: 'announce', ...WRITTEN, family: IPV6, nextHop: NEXT_HOP },
    family: IPV6,
  },
  'IPv4 with an IPv6 next hop': {
    what: { kind: 'announce', ...WRITTEN, family: IPV4, nextHop: NEXT_HOP },
    family: IPV4,
  },
};

/** What a reader that shares nothing with the writer finds in the messages, each as kind, attributes and prefixes. */
function read(octets: Uint8Array, family: Family, maxOctets: number): readonly string[] {
  const framer = new Framer(maxOctets);
  framer.push(octets);
  const texts: string[] = [];
  for (let frame = framer.next(); frame !== undefined; frame = framer.next()) {
    const scan = scanUpdate(frame, { ...plainContext, extendedNextHop: new Set(['1/1'] as never) });
    expect(scan.fault).toBeUndefined();
    const { mpReach, mpUnreach } = scan;
    const isWithdrawn = scan.withdrawnStart < scan.withdrawnEnd || mpUnreach !== undefined;
    const [start, end] = mpReach
      ? [mpReach.nlriStart, mpReach.nlriEnd]
      : mpUnreach
        ? [mpUnreach.nlriStart, mpUnreach.nlriEnd]
        : isWithdrawn
          ? [scan.withdrawnStart, scan.withdrawnEnd]
          : [scan.nlriStart, scan.nlriEnd];
    const shape = { family, addPath: false };
    expect(checkNlri(frame, start, end, shape)).toBeUndefined();
    const hop = mpReach === undefined ? '' : frame.slice(mpReach.nextHopStart, mpReach.nextHopEnd).join('.');
    const attributes = frame.slice(mpReach?.attributeEnd ?? scan.attributesStart, scan.attributesEnd);
    const what = isWithdrawn ? 'withdrawn' : `${hop} ${attributes.join(' ')}`;
    walkNlri(frame, start, end, shape, (_, ...words) => void texts.push(`${what}: ${words.join()}`));
  }
  return texts;
}

const prefixes = fc.array(fc.tuple(fc.nat({ max: 0xffff }), fc.constantFrom(8, 16, 24)), {
  minLength: 1,
  maxLength: 3000,
});
const runs = fc.array(fc.tuple(fc.constantFrom(...Object.keys(KINDS)), prefixes), { minLength: 1, maxLength: 3 });

test('what is written is read again, in as few messages as hold it, whatever stands before', () => {
  fc.assert(
    fc.property(runs, fc.constantFrom(4096, 65_535), (list, maxOctets) => {
      const writer = new UpdateWriter();
      const ends = list.map(([name, rows]) => {
        writer.begin(KINDS[name]!.what, maxOctets);
        for (const [value, length] of rows) writer.prefix((value << 16) >>> 0, 0, 0, 0, length);
        writer.end();
        return writer.length;
      });
      const all = writer.take();
      for (const [i, [name, rows]] of list.entries()) {
        const { what, family } = KINDS[name]!;
        const octets = all.subarray(ends[i - 1] ?? 0, ends[i]);
        const hop = 'family' in what && what.kind === 'announce' ? NEXT_HOP.join('.') : '';
        const text = what.kind === 'withdraw' ? 'withdrawn' : `${hop} ${BLOCK.join(' ')}`;
        const texts = rows.map(([value, length]) => {
          const words = [(value << 16) & (-1 << (32 - length)), 0, 0, 0].map((word) => word >>> 0);
          return `${text}: ${words.join()},${length}`;
        });
        expect(read(octets, family, maxOctets)).toEqual(texts);
        const size = rows.reduce((sum, [, length]) => sum + 1 + length / 8, 0);
        const fixed = 23 + (what.kind === 'announce' ? BLOCK.length : 0) + ('family' in what ? 7 + (hop ? 18 : 0) : 0);
        expect(octets.length).toBeLessThanOrEqual(size + fixed * Math.ceil(size / (maxOctets - fixed - 4)));
      }
      expect(writer.length).toBe(0);
    }),
    { numRuns: 100 },
  );
});
