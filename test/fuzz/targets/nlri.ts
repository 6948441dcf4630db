import type { CodecContext, Fault, Update } from '../../../bird/bgp-ts/index.ts';
import {
  checkNlri,
  decodeMessage,
  encodeMpUnreach,
  encodeUpdate,
  encodeUpdateFrame,
  EXTENDED_MAX_OCTETS,
  familyKey,
  nlriOctets,
  walkNlri,
  writeNlri,
  writePathId,
} from '../../../bird/bgp-ts/index.ts';
import { isPlainFamily } from '../../support/update-ways.ts';
import { checkFault, checkResult, promise } from '../check-shape.ts';
import { nlriSeeds } from '../corpus.ts';
import { deepEqual, firstDifference, sameOctets } from '../deep-equal.ts';
import { Mutator } from '../mutate.ts';
import type { FuzzTarget } from './target.ts';

/** Counted by themselves; of the others there are thousands. */
const named = new Set<string>([
  '1/1',
  '1/2',
  '1/4',
  '1/128',
  '1/133',
  '1/134',
  '2/1',
  '2/2',
  '2/4',
  '2/128',
  '2/133',
  '2/134',
]);
const mutator = new Mutator(nlriSeeds);

/** AFI and SAFI in three octets, then NLRI of that family: walked, checked, and read from an MP_UNREACH. */
export const nlri: FuzzTarget = {
  name: 'nlri',
  share: 12,
  seeds: nlriSeeds,
  make: (random) => mutator.make(random),
  run: (octets, session) => {
    if (octets.length < 3) return 'no family';
    const family = { afi: octets[0]! * 256 + octets[1]!, safi: octets[2]! };
    const plain = isPlainFamily(family);
    const fault = plain ? checkPlain(octets, session) : undefined;
    if (octets.length > 4000) return 'too long';
    const frame = encodeUpdateFrame({ attributes: encodeMpUnreach(family, octets.subarray(3)) }, EXTENDED_MAX_OCTETS);
    const large: CodecContext = { ...session, extendedMessage: true, mpFaults: 'session-reset' };
    const result = decodeMessage(frame, large);
    checkResult(result);
    if (plain) promise((result.kind === 'fault') === (fault !== undefined), 'walkNlri and decodeMessage differ');
    if (result.kind === 'fault') return `fault ${result.fault.code.join('/')}`;
    const again = decodeMessage(encodeUpdate(result.message as Update, large), large);
    promise(deepEqual(result, again), () => `encoded again they are others, ${firstDifference(result, again)}`);
    return named.has(familyKey(family)) ? `ok ${familyKey(family)}` : 'ok others';
  },
};

/** Check and walk agree, and what was walked is written as it was but for host bits. */
function checkPlain(octets: Uint8Array, session: CodecContext): Fault | undefined {
  const family = { afi: octets[0]! * 256 + octets[1]!, safi: octets[2]! };
  const addPath = session.addPath.has(familyKey(family));
  const target = new Uint8Array(octets.length);
  let at = 3;
  let wanted = 3;
  const fault = walkNlri(octets, 3, octets.length, { family, addPath }, (pathId, ...packed) => {
    wanted += nlriOctets(packed[4], addPath);
    if (addPath) at = writePathId(target, at, pathId);
    at = writeNlri(target, at, ...packed);
  });
  promise(at === wanted, 'nlriOctets and writeNlri differ');
  const checked = checkNlri(octets, 3, octets.length, { family, addPath });
  promise(deepEqual(fault, checked), () => `checkNlri: ${checked?.text ?? 'well'}, walkNlri: ${fault?.text ?? 'well'}`);
  if (fault === undefined) promise(at === octets.length, 'octets were left without a word');
  else checkFault(fault);
  const again: Uint8Array = new Uint8Array(target.length);
  let to = 3;
  const second = walkNlri(target, 3, at, { family, addPath }, (pathId, ...packed) => {
    if (addPath) to = writePathId(again, to, pathId);
    to = writeNlri(again, to, ...packed);
  });
  promise(second === undefined && sameOctets(target, again), 'written and walked again they are others');
  return fault;
}
