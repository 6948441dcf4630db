/** RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH: struct ndmsg; ARP and NDP in the IP families, forwarding entries in AF_BRIDGE. */
import type { KernelNeighbour } from '../kernel.ts';
import {
  LITTLE_ENDIAN,
  addressOctets,
  concat,
  decodeAttributes,
  encodeAttributes,
  macOctets,
  readAddress,
  readMac,
  u32,
  viewOf,
} from './attribute.ts';
import type { Attribute } from './attribute.ts';
import { AF, FLAG, NDA, NEIGHBOUR_SELF, NEIGHBOUR_STATE, RTM } from './constants.ts';
import type { Request } from './header.ts';

const FIXED_OCTETS = 12;

interface Fixed {
  readonly family: number;
  readonly ifindex: number;
  readonly state?: number;
  readonly flags?: number;
}

function encodeFixed({ family, ifindex, state = 0, flags = 0 }: Fixed): Uint8Array {
  const octets = new Uint8Array(FIXED_OCTETS);
  const view = viewOf(octets);
  octets[0] = family;
  view.setInt32(4, ifindex, LITTLE_ENDIAN);
  view.setUint16(8, state, LITTLE_ENDIAN);
  octets[10] = flags;
  return octets;
}

function encodeNeighbour(neighbour: KernelNeighbour): Uint8Array {
  const { ifindex, mac, permanent } = neighbour;
  const state = permanent ? NEIGHBOUR_STATE.permanent : NEIGHBOUR_STATE.reachable;
  const address = neighbour.kind === 'fdb' ? neighbour.remote : neighbour.address;
  const attributes: Attribute[] = [
    [NDA.dst, addressOctets(address)],
    [NDA.lladdr, macOctets(mac)],
  ];
  const fixed =
    neighbour.kind === 'fdb'
      ? encodeFixed({ family: AF.bridge, ifindex, state, flags: NEIGHBOUR_SELF })
      : encodeFixed({ family: address.family === 4 ? AF.inet : AF.inet6, ifindex, state });
  return concat([fixed, encodeAttributes(attributes)]);
}

export const encodeReplaceNeighbour = (neighbour: KernelNeighbour): Request => ({
  type: RTM.newNeighbour,
  flags: FLAG.create | FLAG.replace,
  body: encodeNeighbour(neighbour),
});

export const encodeDeleteNeighbour = (neighbour: KernelNeighbour): Request => ({
  type: RTM.delNeighbour,
  flags: 0,
  body: encodeNeighbour(neighbour),
});

export const encodeNeighbourDump = (ifindex: number, kind: KernelNeighbour['kind']): Request => ({
  type: RTM.getNeighbour,
  flags: FLAG.dump,
  body: concat([
    encodeFixed({ family: kind === 'fdb' ? AF.bridge : AF.unspec, ifindex: 0 }),
    encodeAttributes([[NDA.ifindex, u32(ifindex)]]),
  ]),
});

/** Undefined for entries that say nothing: unanswered questions, multicast addresses of the link itself. */
export function decodeNeighbour(body: Uint8Array): KernelNeighbour | undefined {
  const view = viewOf(body);
  const ifindex = view.getInt32(4, LITTLE_ENDIAN);
  const state = view.getUint16(8, LITTLE_ENDIAN);
  const attributes = decodeAttributes(body.subarray(FIXED_OCTETS));
  const octets = attributes.get(NDA.dst);
  const mac = readMac(attributes.get(NDA.lladdr));
  if (octets === undefined || mac === '') return undefined;
  const address = readAddress(octets);
  const permanent = (state & NEIGHBOUR_STATE.permanent) !== 0;
  if (body[0] === AF.bridge) return { kind: 'fdb', ifindex, mac, remote: address, permanent };
  if ((state & NEIGHBOUR_STATE.noArp) !== 0) return undefined;
  return { kind: 'neighbour', ifindex, address, mac, permanent };
}
