import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeptSetEncoder } from '../../../bird/update/encoded-set.ts';
import { attributeBlock, canonicalAttributes, plainContext } from '../../../bird/wire.ts';
import { pathAttributes } from '../../support/bgp-arbitraries.ts';

const hops = fc.constantFrom(Uint8Array.of(10, 0, 0, 1), new Uint8Array(16).fill(7), new Uint8Array(32).fill(9));

const encoders = { 4: new KeptSetEncoder(4), 6: new KeptSetEncoder(6) };

test('the octets that the cache keeps go out as the codec would encode the set', () => {
  fc.assert(
    fc.property(pathAttributes, hops, fc.constantFrom<4 | 6>(4, 6), (given, nextHop, family) => {
      const set = { ...given, nextHop };
      const isMultiprotocol = family === 6 || nextHop.length !== 4;
      const octets = canonicalAttributes(set);
      const among = Uint8Array.of(7, 7, 7, ...octets, 7, 7);
      const encoded = encoders[family].encode({ octets: among, start: 3, end: 3 + octets.length });
      expect(encoded.nextHop && [...encoded.nextHop]).toEqual(isMultiprotocol ? [...nextHop] : undefined);
      const block = attributeBlock(set, plainContext, isMultiprotocol ? 'mp-reach' : 'next-hop');
      expect([...encoded.block.subarray(0, encoded.blockLength)]).toEqual([...block]);
    }),
    { numRuns: 500 },
  );
});
