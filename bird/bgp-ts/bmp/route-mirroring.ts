import type { CodecContext } from '../context.ts';
import { hex } from '../json/address.ts';
import { constant, record } from '../json/codec.ts';
import { formatBgp } from './bgp-message.ts';
import type { MirroringTlv, RouteMirroring } from './message.ts';
import { decodePeerHeader, encodePeerHeader, formatPeerHeader, peerHeaderJson } from './peer-header.ts';
import type { BmpSpec } from './spec.ts';
import type { TlvSpec } from './tlv.ts';
import { codeTlv, tlvList } from './tlv.ts';

type BgpMessageTlv = Extract<MirroringTlv, { readonly name: 'bgp-message' }>;

/** Any bytes: it may be the very message that the router could not read. */
const bgpMessage: TlvSpec<BgpMessageTlv> = {
  type: 0,
  decode: (value) => ({ name: 'bgp-message', bgp: value }),
  encode: (out, { bgp }) => out.bytes(bgp),
  json: record<BgpMessageTlv>({ name: constant('bgp-message'), bgp: hex() }),
  line: ({ bgp }, context) => formatBgp(bgp, context),
};

const tlvs = tlvList<MirroringTlv>({
  'bgp-message': bgpMessage,
  information: codeTlv(1, 'information', ['errored PDU', 'messages lost']),
});

/** RFC 7854 §4.7: per-peer header, TLVs. That the BGP message must be the last of them is not checked. */
export const routeMirroring: BmpSpec<RouteMirroring> = {
  number: 6,
  decode: (body) => ({ type: 'route-mirroring', peer: decodePeerHeader(body), tlvs: tlvs.decode(body) }),
  encode: (out, message) => {
    encodePeerHeader(out, message.peer);
    tlvs.encode(out, message.tlvs);
  },
  json: record<RouteMirroring>({ type: constant('route-mirroring'), peer: peerHeaderJson, tlvs: tlvs.json }),
  line: ({ peer, tlvs: list }, context: CodecContext) => ` ${formatPeerHeader(peer)}:${tlvs.line(list, context)}`,
};
