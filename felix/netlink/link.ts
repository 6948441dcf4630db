/** RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK: struct ifinfomsg and its attributes. */
import { InvalidValueError } from '../../src/model/invalid.ts';
import type { KernelLink, LinkChange, NewLink, VxlanSettings } from '../kernel.ts';
import {
  LITTLE_ENDIAN,
  addressOctets,
  concat,
  decodeAttributes,
  encodeAttributes,
  macOctets,
  portOctets,
  readAddress,
  readMac,
  readPort,
  readText,
  readU32,
  textOctets,
  u32,
  u8,
  viewOf,
} from './attribute.ts';
import type { Attribute, Attributes } from './attribute.ts';
import { AF, FLAG, IFLA, IPTUN, LINK_FLAG, LINK_INFO, RTM, VETH, VXLAN } from './constants.ts';
import type { Request } from './header.ts';

const FIXED_OCTETS = 16;
/** IFNAMSIZ less the zero that ends it. */
const MAX_NAME_OCTETS = 15;

interface Fixed {
  readonly index?: number;
  readonly up?: boolean | undefined;
}

function encodeFixed({ index = 0, up }: Fixed = {}): Uint8Array {
  const octets = new Uint8Array(FIXED_OCTETS);
  const view = viewOf(octets);
  octets[0] = AF.unspec;
  view.setInt32(4, index, LITTLE_ENDIAN);
  view.setUint32(8, up === true ? LINK_FLAG.up : 0, LITTLE_ENDIAN);
  // The mask of the flags that count: without it every flag would be written.
  view.setUint32(12, up === undefined ? 0 : LINK_FLAG.up, LITTLE_ENDIAN);
  return octets;
}

function nameAttribute(name: string): Attribute {
  const octets = textOctets(name);
  if (name === '' || octets.length - 1 > MAX_NAME_OCTETS || /[\s/]/.test(name)) {
    throw new InvalidValueError('link name', name, `is not 1 to ${MAX_NAME_OCTETS} octets without "/" and blanks`);
  }
  return [IFLA.name, octets];
}

/** The peer's namespace is an open file, see VethPeer. */
export function encodeNewLink(link: NewLink, peerNetnsFd?: number): Request {
  const data = linkData(link, peerNetnsFd);
  const info = encodeAttributes([
    [LINK_INFO.kind, textOctets(link.kind)],
    ...(data === undefined ? [] : [[LINK_INFO.data, data] as const]),
  ]);
  const attributes: Attribute[] = [nameAttribute(link.name), ...commonAttributes(link), [IFLA.linkInfo, info]];
  const body = concat([encodeFixed(), encodeAttributes(attributes)]);
  return { type: RTM.newLink, flags: FLAG.create | FLAG.excl, body };
}

function commonAttributes({ mtu, mac }: LinkChange): Attribute[] {
  return [
    ...(mtu === undefined ? [] : [[IFLA.mtu, u32(mtu)] as const]),
    ...(mac === undefined ? [] : [[IFLA.address, macOctets(mac)] as const]),
  ];
}

function linkData(link: NewLink, peerNetnsFd: number | undefined): Uint8Array | undefined {
  if (link.kind === 'vxlan') return encodeVxlan(link.vxlan);
  if (link.kind !== 'veth') return undefined;
  const peer: Attribute[] = [
    nameAttribute(link.peer.name),
    ...commonAttributes({ ...link.peer, ...(link.mtu !== undefined && { mtu: link.mtu }) }),
  ];
  if (peerNetnsFd !== undefined) peer.push([IFLA.netnsFd, u32(peerNetnsFd)]);
  return encodeAttributes([[VETH.peer, concat([encodeFixed(), encodeAttributes(peer)])]]);
}

function encodeVxlan({ vni, port, learning, parentIndex, local }: VxlanSettings): Uint8Array {
  const attributes: Attribute[] = [
    [VXLAN.id, u32(vni)],
    [VXLAN.port, portOctets(port)],
    [VXLAN.learning, u8(learning ? 1 : 0)],
  ];
  if (parentIndex !== 0) attributes.push([VXLAN.link, u32(parentIndex)]);
  if (local !== undefined) attributes.push([local.family === 4 ? VXLAN.local : VXLAN.local6, addressOctets(local)]);
  return encodeAttributes(attributes);
}

export const encodeSetLink = (index: number, change: LinkChange): Request => ({
  type: RTM.newLink,
  flags: 0,
  body: concat([
    encodeFixed({ index, up: change.up }),
    encodeAttributes([...(change.name === undefined ? [] : [nameAttribute(change.name)]), ...commonAttributes(change)]),
  ]),
});

export const encodeDeleteLink = (name: string): Request => ({
  type: RTM.delLink,
  flags: 0,
  body: concat([encodeFixed(), encodeAttributes([nameAttribute(name)])]),
});

/** By name, into a group of links, to be removed with it. */
export const encodeJoinGroup = (name: string, group: number): Request => ({
  type: RTM.setLink,
  flags: 0,
  body: concat([encodeFixed(), encodeAttributes([nameAttribute(name), [IFLA.group, u32(group)]])]),
});

/** All links of a group at once. */
export const encodeDeleteGroup = (group: number): Request => ({
  type: RTM.delLink,
  flags: 0,
  body: concat([encodeFixed(), encodeAttributes([[IFLA.group, u32(group)]])]),
});

export const encodeGetLink = (name: string): Request => ({
  type: RTM.getLink,
  flags: 0,
  body: concat([encodeFixed(), encodeAttributes([nameAttribute(name)])]),
});

export const encodeLinkDump = (): Request => ({ type: RTM.getLink, flags: FLAG.dump, body: encodeFixed() });

/** Undefined for a bridge's word about its ports, which comes under the same message type. */
export function decodeLink(body: Uint8Array): KernelLink | undefined {
  if (body[0] !== AF.unspec) return undefined;
  const view = viewOf(body);
  const flags = view.getUint32(8, LITTLE_ENDIAN);
  const attributes = decodeAttributes(body.subarray(FIXED_OCTETS));
  const info = decodeAttributes(attributes.get(IFLA.linkInfo) ?? new Uint8Array());
  const kind = optional(info, LINK_INFO.kind, readText);
  const data = info.get(LINK_INFO.data);
  const stats = kind === 'ipip' || kind === 'vxlan' ? attributes.get(IFLA.stats64) : undefined;
  const peerIndex = kind === 'veth' ? optional(attributes, IFLA.link, readU32) : undefined;
  return {
    index: view.getInt32(4, LITTLE_ENDIAN),
    name: optional(attributes, IFLA.name, readText) ?? '',
    ...(kind !== undefined && { kind }),
    mtu: optional(attributes, IFLA.mtu, readU32) ?? 0,
    up: (flags & LINK_FLAG.up) !== 0,
    running: (flags & LINK_FLAG.running) !== 0,
    mac: readMac(attributes.get(IFLA.address)),
    ...(peerIndex !== undefined && { peerIndex }),
    ...(kind === 'ipip' && data !== undefined && decodeIpip(decodeAttributes(data))),
    ...(stats !== undefined && { received: Number(viewOf(stats).getBigUint64(0, LITTLE_ENDIAN)) }),
    ...(kind === 'vxlan' && data !== undefined && { vxlan: decodeVxlan(decodeAttributes(data)) }),
  };
}

const decodeIpip = (data: Attributes): Pick<KernelLink, 'pmtuDiscovery'> => {
  const octets = data.get(IPTUN.pmtuDiscovery);
  return octets === undefined ? {} : { pmtuDiscovery: octets[0] === 1 };
};

function decodeVxlan(data: Attributes): VxlanSettings {
  const local = optional(data, VXLAN.local, readAddress) ?? optional(data, VXLAN.local6, readAddress);
  return {
    vni: optional(data, VXLAN.id, readU32) ?? 0,
    port: optional(data, VXLAN.port, readPort) ?? 0,
    learning: data.get(VXLAN.learning)?.[0] === 1,
    parentIndex: optional(data, VXLAN.link, readU32) ?? 0,
    ...(local && { local }),
  };
}

function optional<T>(attributes: Attributes, type: number, read: (octets: Uint8Array) => T): T | undefined {
  const octets = attributes.get(type);
  return octets === undefined ? undefined : read(octets);
}
