/** RTM_NEWNEIGH and RTM_DELNEIGH as notifications, which say less than a dump: what is gone has lost its MAC. */
import type { KernelEvent } from '../kernel.ts';
import { LITTLE_ENDIAN, decodeAttributes, readAddress, readMac, viewOf } from './attribute.ts';
import { AF, NDA, NEIGHBOUR_STATE } from './constants.ts';

const FIXED_OCTETS = 12;

type NeighbourEvent = KernelEvent & { readonly kind: 'neighbour' };

/**
 * Undefined for multicast addresses of the link itself, for questions under way, and for entries of a bridge.
 * An ARP entry that somebody deletes is first told as `set` without a MAC (NUD_FAILED), with the port of who did it, then
 * as removed by nobody: the first is a removal already.
 */
export function decodeNeighbourEvent(body: Uint8Array, change: 'set' | 'removed'): NeighbourEvent | undefined {
  const view = viewOf(body);
  const ifindex = view.getInt32(4, LITTLE_ENDIAN);
  const state = view.getUint16(8, LITTLE_ENDIAN);
  const attributes = decodeAttributes(body.subarray(FIXED_OCTETS));
  const octets = attributes.get(NDA.dst);
  if (octets === undefined) return undefined;
  const address = readAddress(octets);
  const mac = readMac(attributes.get(NDA.lladdr));
  const permanent = (state & NEIGHBOUR_STATE.permanent) !== 0;
  if (body[0] === AF.bridge) {
    if (mac === '') return undefined;
    return { kind: 'neighbour', change, neighbour: { kind: 'fdb', ifindex, mac, remote: address, permanent } };
  }
  if ((state & NEIGHBOUR_STATE.noArp) !== 0) return undefined;
  if (change === 'set' && mac === '' && (state & NEIGHBOUR_STATE.failed) === 0) return undefined;
  return {
    kind: 'neighbour',
    change: mac === '' ? 'removed' : change,
    neighbour: { kind: 'neighbour', ifindex, address, mac, permanent },
  };
}
