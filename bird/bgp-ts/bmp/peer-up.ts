import { address, formatAddress, hex } from '../json/address.ts';
import { constant, record, u16 } from '../json/codec.ts';
import { formatBgp, takeBgpMessage, writeBgpMessage } from './bgp-message.ts';
import type { PeerUp } from './message.ts';
import {
  decodeAddress,
  decodePeerHeader,
  encodeAddress,
  encodePeerHeader,
  formatPeerHeader,
  hasIpv4Address,
  peerHeaderJson,
} from './peer-header.ts';
import { peerTlvs } from './peer-tlvs.ts';
import type { BmpSpec } from './spec.ts';

/** RFC 7854 §4.10: per-peer header, our side of the connection, the two OPENs, TLVs. */
export const peerUp: BmpSpec<PeerUp> = {
  number: 3,
  decode: (body) => {
    const peer = decodePeerHeader(body);
    return {
      type: 'peer-up',
      peer,
      localAddress: decodeAddress(body, hasIpv4Address(peer)),
      localPort: body.u16(),
      remotePort: body.u16(),
      sentOpen: takeBgpMessage(body, 'open'),
      receivedOpen: takeBgpMessage(body, 'open'),
      tlvs: peerTlvs.decode(body),
    };
  },
  encode: (out, message) => {
    encodePeerHeader(out, message.peer);
    encodeAddress(out, message.peer, ['local address', message.localAddress]);
    out.u16(message.localPort, 'local port');
    out.u16(message.remotePort, 'remote port');
    writeBgpMessage(out, message.sentOpen, 'open');
    writeBgpMessage(out, message.receivedOpen, 'open');
    peerTlvs.encode(out, message.tlvs);
  },
  json: record<PeerUp>({
    type: constant('peer-up'),
    peer: peerHeaderJson,
    localAddress: address,
    localPort: u16,
    remotePort: u16,
    sentOpen: hex(),
    receivedOpen: hex(),
    tlvs: peerTlvs.json,
  }),
  line: (message, context) => {
    const ports = `local ${formatAddress(message.localAddress)} port ${message.localPort} remote port ${message.remotePort}`;
    const opens = `sent ${formatBgp(message.sentOpen, context)} received ${formatBgp(message.receivedOpen, context)}`;
    return ` ${formatPeerHeader(message.peer)}: ${ports} ${opens}${peerTlvs.line(message.tlvs, context)}`;
  },
};
