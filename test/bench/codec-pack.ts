/** Columns of prefixes become UPDATEs, as bird/update/pack.ts makes them, but without the RIB before it. */
import {
  encodeMpReach,
  encodeUpdateFrame,
  IPV6_UNICAST,
  MAX_OCTETS,
  nlriOctets,
  writeNlri,
} from '../../bird/bgp-ts/index.ts';
import type { Group, PrefixColumns } from './codec-prefixes.ts';

/** Header and two lengths, RFC 4271 §4.3. */
const UPDATE_FIXED_OCTETS = 23;
/** Flags, code, two octets of length; AFI, SAFI, next hop length and the reserved octet. RFC 4760 §3. */
const MP_REACH_FIXED_OCTETS = 9;

/** Writes the UPDATEs one behind the other, each as full as it goes; returns the octets written. */
export function packUpdates(prefixes: PrefixColumns, groups: readonly Group[], target: Uint8Array): number {
  const { family, words, lengths } = prefixes;
  let written = 0;
  const nlri = new Uint8Array(MAX_OCTETS);
  for (const group of groups) {
    const overhead = family === 4 ? 0 : MP_REACH_FIXED_OCTETS + group.nextHop.length;
    const room = MAX_OCTETS - UPDATE_FIXED_OCTETS - group.block.length - overhead;
    for (let next = group.start; next < group.end;) {
      let end = 0;
      for (; next < group.end; next++) {
        const length = lengths[next]!;
        if (end + nlriOctets(length, false) > room) break;
        const at = 4 * next;
        end =
          family === 4
            ? writeNlri(nlri, end, words[next]!, 0, 0, 0, length)
            : writeNlri(nlri, end, words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!, length);
      }
      const frame = frameOf(family, group, nlri.subarray(0, end));
      target.set(frame, written);
      written += frame.length;
    }
  }
  return written;
}

function frameOf(family: 4 | 6, { block, nextHop }: Group, nlri: Uint8Array): Uint8Array {
  if (family === 4) return encodeUpdateFrame({ attributes: block, nlri });
  const reach = encodeMpReach(IPV6_UNICAST, nextHop, nlri);
  const attributes = new Uint8Array(reach.length + block.length);
  attributes.set(reach);
  attributes.set(block, reach.length);
  return encodeUpdateFrame({ attributes });
}
