import type { Fault } from '../../../bird/bgp-ts/index.ts';
import { BgpError, EXTENDED_MAX_OCTETS, Framer, MAX_OCTETS } from '../../../bird/bgp-ts/index.ts';
import { checkFault, promise } from '../check-shape.ts';
import { messageSeeds } from '../corpus.ts';
import { deepEqual, sameOctets } from '../deep-equal.ts';
import { Mutator } from '../mutate.ts';
import { hashOf, Random } from '../random.ts';
import { sessions } from '../session.ts';
import type { FuzzTarget } from './target.ts';

const short = messageSeeds.filter(({ octets }) => octets.length < 300);
const mutator = new Mutator(short, true);
const keepalive = short.find(({ octets }) => octets[18] === 4)!.octets;

/** Messages one behind the other, some of them changed, in chunks of any size. */
export const stream: FuzzTarget = {
  name: 'stream',
  share: 4,
  seeds: short,
  make: (random) => {
    const parts: Uint8Array[] = [];
    for (let left = 1 + random.below(6); left > 0; left--) {
      const kind = random.below(10);
      if (kind < 3) parts.push(keepalive);
      else if (kind < 7) parts.push(random.pick(short).octets);
      else parts.push(mutator.make(random).octets);
    }
    const octets = Buffer.concat(parts);
    return { octets: new Uint8Array(octets), session: random.pick(sessions) };
  },
  run: (octets, session) => {
    const maxOctets = session.extendedMessage ? EXTENDED_MAX_OCTETS : MAX_OCTETS;
    const random = new Random().reseed(hashOf(octets), 0, octets.length);
    const expected = byTheLetter(octets, maxOctets);
    checkSeen(
      octets,
      expected,
      cut(octets, maxOctets, () => octets.length),
    );
    const largest = 1 + random.below(random.chance(50) ? 30 : 400);
    checkSeen(
      octets,
      expected,
      cut(octets, maxOctets, () => 1 + random.below(largest)),
    );
    if (octets.length < 600)
      checkSeen(
        octets,
        expected,
        cut(octets, maxOctets, () => 1),
      );
    return expected.faultAt === undefined ? 'ok' : `fault 1/${expected.subcode}`;
  },
};

/** RFC 4271 §4.1 and §6.1 read by hand: where each message ends, and the octet that proves a fault. */
interface Expected {
  readonly ends: readonly number[];
  readonly faultAt?: number;
  readonly subcode?: number;
}

const lengths: readonly (readonly [min: number, max: number] | undefined)[] = [
  undefined,
  [29, 4096],
  [23, 65535],
  // Two octets more are its least; but who may not answer it must know what it is. §6.4
  [19, 65535],
  [19, 19],
  [23, 65535],
];

function byTheLetter(octets: Uint8Array, maxOctets: number): Expected {
  const ends: number[] = [];
  for (let start = 0; start < octets.length;) {
    for (let at = start; at < Math.min(start + 16, octets.length); at++) {
      if (octets[at] !== 0xff) return { ends, faultAt: at, subcode: 1 };
    }
    if (start + 18 > octets.length) break;
    const length = octets[start + 16]! * 256 + octets[start + 17]!;
    if (length < 19 || length > maxOctets) return { ends, faultAt: start + 17, subcode: 2 };
    if (start + 19 > octets.length) break;
    const bounds = lengths[octets[start + 18]!];
    if (bounds === undefined) return { ends, faultAt: start + 18, subcode: 3 };
    if (length < bounds[0] || length > bounds[1]) return { ends, faultAt: start + 18, subcode: 2 };
    if (start + length > octets.length) break;
    ends.push((start += length));
  }
  return { ends };
}

interface Seen {
  readonly frames: readonly Uint8Array[];
  readonly fault: Fault | undefined;
  /** The chunk `[faultFrom, faultTo)` behind which the fault was told. */
  readonly faultFrom: number;
  readonly faultTo: number;
}

function cut(octets: Uint8Array, maxOctets: number, chunkOctets: () => number): Seen {
  const framer = new Framer(maxOctets);
  const frames: Uint8Array[] = [];
  for (let from = 0; from < octets.length;) {
    const to = Math.min(octets.length, from + chunkOctets());
    framer.push(octets.subarray(from, to));
    try {
      for (let frame = framer.next(); frame !== undefined; frame = framer.next()) {
        promise(frame.buffer.byteLength <= 4 * (maxOctets + octets.length) + 8192, 'the buffer grows');
        frames.push(frame.slice());
      }
    } catch (error) {
      if (!(error instanceof BgpError)) throw error;
      framer.push(octets);
      promise(deepEqual(faultOf(framer), error), 'after a fault something else comes');
      return { frames, fault: error, faultFrom: from, faultTo: to };
    }
    from = to;
  }
  return { frames, fault: undefined, faultFrom: 0, faultTo: 0 };
}

function faultOf(framer: Framer): unknown {
  try {
    return framer.next();
  } catch (error) {
    return error;
  }
}

function checkSeen(octets: Uint8Array, { ends, faultAt, subcode }: Expected, seen: Seen): void {
  promise(seen.frames.length === ends.length, () => `${seen.frames.length} frames instead of ${ends.length}`);
  let start = 0;
  seen.frames.forEach((frame, i) => {
    promise(sameOctets(frame, octets.subarray(start, ends[i])), () => `frame ${i} is not what was sent`);
    start = ends[i]!;
  });
  promise((seen.fault === undefined) === (faultAt === undefined), 'a fault is missing, or there is one too many');
  if (seen.fault === undefined || faultAt === undefined) return;
  checkFault(seen.fault);
  promise(seen.fault.code.join('/') === `1/${subcode!}`, `fault ${seen.fault.code.join('/')} instead of 1/${subcode!}`);
  promise(seen.faultFrom <= faultAt && faultAt < seen.faultTo, () => `the fault of octet ${faultAt} came at another`);
}
