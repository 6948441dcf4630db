import type { CodecContext, PathAttributes } from '../../../bird/bgp-ts/index.ts';
import { decodeAttributes, encodeAttributes } from '../../../bird/bgp-ts/index.ts';
import { checkFault, checkValue, promise } from '../check-shape.ts';
import { comparableAttributes } from '../comparable.ts';
import { attributeSeeds } from '../corpus.ts';
import { deepEqual, firstDifference } from '../deep-equal.ts';
import { Mutator } from '../mutate.ts';
import type { FuzzTarget } from './target.ts';

const mutator = new Mutator(attributeSeeds);

/** A bare attribute block, as MRT has it, too. */
export const attributes: FuzzTarget = {
  name: 'attributes',
  share: 18,
  seeds: attributeSeeds,
  make: (random) => mutator.make(random),
  run: (octets, session) => {
    const result = decodeAttributes(octets, 0, octets.length, session);
    checkValue(result.attributes, '');
    for (const fault of result.faults) checkFault(fault);
    promise((result.remedy === undefined) === (result.faults.length === 0), 'remedy and faults come together');
    if (result.remedy === undefined) {
      const block = encodeAttributes(result.attributes, { ...session, nextHopIn: 'mp-reach' });
      const again = decodeAttributes(block, 0, block.length, session);
      const [a, b] = [result, again].map((each) => withoutNextHop(each.attributes, session));
      promise(again.remedy === undefined, () => `what was encoded again is malformed: ${again.faults[0]?.text ?? ''}`);
      promise(deepEqual(a, b), () => `encoded again they are others, ${firstDifference(a, b)}`);
    }
    return result.remedy ?? 'ok';
  },
};

/** Without the next hop: in MP_REACH at times, which a bare block gets from elsewhere. */
function withoutNextHop(attributes: PathAttributes, session: CodecContext): unknown {
  const copy: { nextHop?: unknown } & PathAttributes = { ...comparableAttributes(attributes, session) };
  delete copy.nextHop;
  return copy;
}
