import { attempt, kindOf } from './case.ts';
import type { FuzzInput } from './mutate.ts';
import type { FuzzTarget } from './targets/target.ts';

const MAX_ATTEMPTS = 20_000;

/** A smaller input that fails in the same way: octets are cut out as long as that is so, then set to zero. */
export function shrink(target: FuzzTarget, input: FuzzInput): Uint8Array {
  const wanted = failureOf(target, input);
  let best = input.octets;
  let attempts = 0;
  const better = (octets: Uint8Array): boolean => {
    if (attempts++ > MAX_ATTEMPTS || failureOf(target, { ...input, octets }) !== wanted) return false;
    best = octets;
    return true;
  };
  for (let changed = true; changed && attempts < MAX_ATTEMPTS;) {
    changed = false;
    for (let size = best.length >>> 1; size >= 1; size >>>= 1) {
      for (let at = best.length - size; at >= 0; at -= 1 + (size >>> 2)) {
        if (at + size <= best.length && variants(best, at, size).some(better)) changed = true;
      }
    }
  }
  for (let at = 0; at < best.length; at++) if (best[at] !== 0) better(Uint8Array.from(best).fill(0, at, at + 1));
  return best;
}

/** Without `size` octets at `at`: as it is, with the header's length put right, and the UPDATE's length of attributes, too. */
function variants(octets: Uint8Array, at: number, size: number): readonly Uint8Array[] {
  const cut = Uint8Array.from([...octets.subarray(0, at), ...octets.subarray(at + size)]);
  const framed = lessAt(cut, 16, size);
  const attributesAt = 21 + (octets[19] ?? 0) * 256 + (octets[20] ?? 0);
  const block = lessAt(framed, attributesAt, size);
  const ends = [...octets.keys()].filter((place) => place >= attributesAt && place < at && octets[place]! >= size);
  return [
    cut,
    framed,
    block,
    lessAt(framed, 19, size),
    ...ends.slice(-60).map((place) => {
      const copy = Uint8Array.from(block);
      copy[place]! -= size;
      return copy;
    }),
  ];
}

function lessAt(octets: Uint8Array, at: number, size: number): Uint8Array {
  const copy = Uint8Array.from(octets);
  const value = (octets[at] ?? 0) * 256 + (octets[at + 1] ?? 0) - size;
  if (value < 0 || at + 1 >= copy.length) return copy;
  copy[at] = value >>> 8;
  copy[at + 1] = value;
  return copy;
}

function failureOf(target: FuzzTarget, input: FuzzInput): string | undefined {
  const result = attempt(target, input);
  return result.kind === 'failure' ? kindOf({ target: target.name, error: String(result.error) }) : undefined;
}
