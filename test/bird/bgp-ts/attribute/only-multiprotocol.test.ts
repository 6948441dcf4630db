import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OnlyMultiprotocol, scanUpdate } from '../../../../bird/bgp-ts/index.ts';
import { bytes, context, mandatory, updateFrame } from '../../../support/bgp-bytes.ts';

const hop = 'fd000000000000000000000000000001';
/** MP_REACH and MP_UNREACH, the prefix fd00:5::/32. */
const reach = `800e 1a 0002 01 10 ${hop} 00 20fd000005`;
const unreach = '800f 08 0002 01 20fd000005';
const origin = mandatory.slice(0, 8);

interface Parts {
  readonly nextHop: readonly [number, number] | undefined;
  readonly nlri: readonly [number, number];
}

/** What `scanUpdate` finds in a block that is one of ours. */
function scanned(block: string): Parts | undefined {
  const { mpReach, mpUnreach, fault, attributesStart, attributesEnd } = scanUpdate(
    updateFrame({ attributes: block }),
    context(),
  );
  const found = mpReach ?? mpUnreach;
  if (fault !== undefined || found === undefined || (mpReach !== undefined && mpUnreach !== undefined))
    return undefined;
  const isWhole = found.attributeStart === attributesStart && found.attributeEnd === attributesEnd;
  if (found.afi !== 2 || found.safi !== 1 || found.nlriStart === found.nlriEnd) return undefined;
  if (mpReach === undefined)
    return isWhole ? { nextHop: undefined, nlri: range(found.nlriStart, found.nlriEnd) } : undefined;
  return { nextHop: range(mpReach.nextHopStart, mpReach.nextHopEnd), nlri: range(found.nlriStart, found.nlriEnd) };
}

/** Of the frame, in which the block begins at 23. */
const range = (start: number, end: number): readonly [number, number] => [start, end];

const only = new OnlyMultiprotocol();
function read(block: string): Parts | undefined {
  const frame = updateFrame({ attributes: block });
  if (!only.read(frame, 23, frame.length)) return undefined;
  const { isReach, nextHopStart, nextHopEnd, nlriStart, nlriEnd } = only;
  return { nextHop: isReach ? range(nextHopStart, nextHopEnd) : undefined, nlri: range(nlriStart, nlriEnd) };
}

const good: readonly (readonly [string, string])[] = [
  ['MP_REACH in front of the others', `${reach} ${mandatory}`],
  ['MP_REACH behind the others', `${mandatory} ${reach}`],
  ['MP_REACH in the middle', `${origin} ${reach} ${mandatory.slice(9)}`],
  ['two octets of length', `900e 001a 0002 01 10 ${hop} 00 20fd000005 ${mandatory}`],
  ['a link-local next hop beside the global one', `800e 2a 0002 01 20 ${hop} ${hop} 00 20fd000005 ${mandatory}`],
  ['MP_UNREACH alone', unreach],
  ['the default route', '800f 04 0002 01 00'],
];
test.each(good)('finds %s', (_, block) => {
  expect(read(block)).toBeDefined();
  expect(read(block)).toEqual(scanned(block));
});

const others: readonly (readonly [string, string])[] = [
  ['no attribute', ''],
  ['none with prefixes', mandatory],
  ['MP_UNREACH beside MP_REACH', `${reach} ${unreach}`],
  ['MP_UNREACH beside others', `${unreach} ${mandatory}`],
  ['others beside MP_UNREACH', `${mandatory} ${unreach}`],
  ['MP_REACH twice', `${reach} ${mandatory} ${reach}`],
  ['End-of-RIB', '800f 03 0002 01'],
  ['MP_REACH without prefixes', `800e 15 0002 01 10 ${hop} 00 ${mandatory}`],
  ['IPv4 with a next hop of IPv6', `800e 17 0001 01 10 ${hop} 00 080a ${mandatory}`],
  ['multicast', reach.replace('0002 01', '0002 02')],
  ['a next hop of four octets', '800e 0e 0002 01 04 c0000201 00 20fd000005'],
  ['the transitive bit', reach.replace('800e', 'c00e')],
  ['a length beyond the block', reach.replace('1a', '1b')],
  ['a next hop beyond the attribute', `800e 09 0002 01 10 ${hop.slice(0, 10)}`],
  ['an octet that is left over', `${reach} 40`],
];
test.each(others)('leaves to others: %s', (_, block) => expect(read(block)).toBeUndefined());

test('finds what a scan of the message finds, and nothing else', () => {
  const parts = fc.constantFrom(...good, ...others).map(([, block]) => block);
  const changes = fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 2 });
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 2 }), changes, (list, changed) => {
      const octets = bytes(list.join(''));
      for (const [at, to] of changed) if (at < octets.length) octets[at] = to;
      const block = Buffer.from(octets).toString('hex');
      const found = read(block);
      if (found !== undefined) expect(found).toEqual(scanned(block));
    }),
    { numRuns: 3000 },
  );
});
