import { afis } from '../iana.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import { encodeUtf8, legibleUtf8 } from '../utf8.ts';
import type { RecordCodec } from './codec.ts';
import { addressOctets, afiOf, readAsn, writeAsn } from './field.ts';
import type { IndexedPeer, PeerIndexTable } from './record.ts';

/** Peer type bits, RFC 6396 §4.3.1. */
const IPV6 = 0x01;
const FOUR_OCTET_AS = 0x02;

/** PEER_INDEX_TABLE, RFC 6396 §4.3.1. */
export const peerIndexTable: RecordCodec<PeerIndexTable> = {
  writes: () => true,
  decode: (body) => ({
    type: 'peer-index-table',
    collectorBgpIdentifier: body.u32(),
    viewName: legibleUtf8(body.take(body.u16())),
    peers: Array.from({ length: body.u16() }, () => decodePeer(body)),
  }),
  encode: (out, { collectorBgpIdentifier, viewName, peers }) => {
    out.u32(collectorBgpIdentifier, 'collector BGP identifier');
    out.prefixed(2, () => out.bytes(encodeUtf8(viewName, 'view name')));
    out.u16(peers.length, 'peer count');
    for (const peer of peers) encodePeer(out, peer);
  },
};

function decodePeer(body: Reader): IndexedPeer {
  const peerType = body.u8();
  const fourOctetAs = (peerType & FOUR_OCTET_AS) !== 0;
  return {
    bgpIdentifier: body.u32(),
    address: body.take(addressOctets((peerType & IPV6) === 0 ? afis.ipv4 : afis.ipv6)),
    asn: readAsn(body, fourOctetAs),
    fourOctetAs,
  };
}

function encodePeer(out: Writer, { bgpIdentifier, address, asn, fourOctetAs }: IndexedPeer): void {
  out.u8((afiOf(address) === afis.ipv6 ? IPV6 : 0) | (fourOctetAs ? FOUR_OCTET_AS : 0));
  out.u32(bgpIdentifier, 'peer BGP identifier');
  out.bytes(address);
  writeAsn(out, fourOctetAs, [asn, 'peer AS']);
}
