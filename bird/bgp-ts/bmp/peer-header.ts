import { formatTime } from '../json/time.ts';
import { address as addressJson, formatAddress, formatHex, formatIpv4, ipv4 } from '../json/address.ts';
import { formatRouteDistinguisher, routeDistinguisher } from '../json/administered.ts';
import type { JsonCodec } from '../json/codec.ts';
import { boolean, constant, oneOf, record, refused, tagged, u32, u8 } from '../json/codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { LocRibPeer, PeerHeader, RouterPeer, UnknownPeer } from './message.ts';

/** The place in the list is the number, RFC 7854 §4.2, RFC 9069 §4.1. */
const peerTypes = ['global', 'rd', 'local', 'loc-rib'] as const;

/** RFC 7854 §4.2, RFC 8671 §4; RFC 9069 §4.2 for a Loc-RIB. */
const flagBits = { ipv6: 0x80, postPolicy: 0x40, legacyAsPath: 0x20, adjRibOut: 0x10 } as const;
const FILTERED = 0x80;

const IPV4_PADDING = new Uint8Array(12);

/** 42 octets. Flags without a name are ignored, as are the octets before an IPv4 address. */
export function decodePeerHeader(body: Reader): PeerHeader {
  const number = body.u8();
  const flags = body.u8();
  const distinguisher = body.take(8);
  const peerType = peerTypes[number];
  const has = (bit: number): boolean => (flags & bit) !== 0;
  const isIpv4 = peerType !== undefined && peerType !== 'loc-rib' && !has(flagBits.ipv6);
  const rest = {
    distinguisher,
    address: decodeAddress(body, isIpv4),
    asn: body.u32(),
    bgpIdentifier: body.u32(),
    seconds: body.u32(),
    microseconds: body.u32(),
  };
  if (peerType === undefined) return { peerType: 'unknown', number, flags, ...rest };
  if (peerType === 'loc-rib') return { peerType, filtered: has(FILTERED), ...rest };
  return {
    peerType,
    ipv6: has(flagBits.ipv6),
    postPolicy: has(flagBits.postPolicy),
    legacyAsPath: has(flagBits.legacyAsPath),
    adjRibOut: has(flagBits.adjRibOut),
    ...rest,
  };
}

export function encodePeerHeader(out: Writer, peer: PeerHeader): void {
  const number = peer.peerType === 'unknown' ? peer.number : peerTypes.indexOf(peer.peerType);
  out.u8(number, 'peer type');
  out.u8(flagsOf(peer), 'peer flags');
  out.exactly(peer.distinguisher, 8, 'peer distinguisher');
  encodeAddress(out, peer, ['peer address', peer.address]);
  out.u32(peer.asn, 'peer AS');
  out.u32(peer.bgpIdentifier, 'peer BGP identifier');
  out.u32(peer.seconds, 'seconds');
  out.u32(peer.microseconds, 'microseconds');
}

function flagsOf(peer: PeerHeader): number {
  if (peer.peerType === 'unknown') return peer.flags;
  if (peer.peerType === 'loc-rib') return peer.filtered ? FILTERED : 0;
  return (Object.keys(flagBits) as (keyof typeof flagBits)[])
    .filter((name) => peer[name])
    .reduce((flags, name) => flags | flagBits[name], 0);
}

/** Whether addresses of this peer are IPv4, in the last 4 of 16 octets. Known for the peer types that have the V flag. */
export const hasIpv4Address = (peer: PeerHeader): boolean => 'ipv6' in peer && !peer.ipv6;

/** An address field of 16 octets. */
export function decodeAddress(body: Reader, isIpv4: boolean): Uint8Array {
  if (!isIpv4) return body.take(16);
  body.skip(IPV4_PADDING.length);
  return body.take(4);
}

export function encodeAddress(out: Writer, peer: PeerHeader, [what, value]: readonly [string, Uint8Array]): void {
  const isIpv4 = hasIpv4Address(peer);
  if (isIpv4) out.bytes(IPV4_PADDING);
  out.exactly(value, isIpv4 ? 4 : 16, what);
}

/** A peer is one by these, RFC 7854 §4.2: a text that is the same in all messages of one peer, in both directions. */
export function peerKey(peer: PeerHeader): string {
  const type = peer.peerType === 'unknown' ? peer.number : peer.peerType;
  return `${type} ${formatHex(peer.distinguisher)} ${formatHex(peer.address)}`;
}

const identity = {
  distinguisher: routeDistinguisher,
  asn: u32,
  bgpIdentifier: ipv4,
  seconds: u32,
  microseconds: u32,
};

/** 16 octets. */
const wideAddress: JsonCodec<Uint8Array> = {
  to: (value) => addressJson.to(value),
  from: (json, at) => {
    const value = addressJson.from(json, at);
    if (value.length !== 16) throw refused(at, json, 'an IPv6 address');
    return value;
  },
};

const routerPeer = record<RouterPeer>({
  peerType: oneOf(['global', 'rd', 'local']),
  ipv6: boolean,
  postPolicy: boolean,
  legacyAsPath: boolean,
  adjRibOut: boolean,
  address: addressJson,
  ...identity,
});

const locRibPeer = record<LocRibPeer>({
  peerType: constant('loc-rib'),
  filtered: boolean,
  address: wideAddress,
  ...identity,
});

const unknownPeer = record<UnknownPeer>({
  peerType: constant('unknown'),
  number: u8,
  flags: u8,
  address: wideAddress,
  ...identity,
});

export const peerHeaderJson: JsonCodec<PeerHeader> = tagged<PeerHeader>('peerType', {
  global: routerPeer,
  rd: routerPeer,
  local: routerPeer,
  'loc-rib': locRibPeer,
  unknown: unknownPeer,
});

/** `peer 192.0.2.2 AS 65001 identifier 192.0.2.2 post-policy at 2023-11-14T22:13:20.000001Z`. */
export function formatPeerHeader(peer: PeerHeader): string {
  const distinguished = peer.distinguisher.some((octet) => octet !== 0);
  return [
    nameOf(peer),
    ...(distinguished ? [`distinguisher ${formatRouteDistinguisher(peer.distinguisher)}`] : []),
    `AS ${peer.asn} identifier ${formatIpv4(peer.bgpIdentifier)}`,
    ...flagWords(peer),
    ...(peer.seconds === 0 && peer.microseconds === 0 ? [] : [`at ${formatTime(peer.seconds, peer.microseconds)}`]),
  ].join(' ');
}

function nameOf(peer: PeerHeader): string {
  if (peer.peerType === 'loc-rib') return 'Loc-RIB';
  const address = formatAddress(peer.address);
  if (peer.peerType === 'unknown') return `peer of type ${peer.number} ${address}`;
  return `${peer.peerType === 'global' ? '' : `${peer.peerType} `}peer ${address}`;
}

function flagWords(peer: PeerHeader): readonly string[] {
  if (peer.peerType === 'unknown') return [`flags ${peer.flags}`];
  if (peer.peerType === 'loc-rib') return peer.filtered ? ['filtered'] : [];
  return [
    ...(peer.postPolicy ? ['post-policy'] : []),
    ...(peer.adjRibOut ? ['Adj-RIB-Out'] : []),
    ...(peer.legacyAsPath ? ['two-octet-as'] : []),
  ];
}
