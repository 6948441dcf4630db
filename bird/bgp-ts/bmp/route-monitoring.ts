import { hex } from '../json/address.ts';
import { constant, record } from '../json/codec.ts';
import { formatBgp, takeBgpMessage, writeBgpMessage } from './bgp-message.ts';
import type { RouteMonitoring } from './message.ts';
import { decodePeerHeader, encodePeerHeader, formatPeerHeader, peerHeaderJson } from './peer-header.ts';
import type { BmpSpec } from './spec.ts';

/** RFC 7854 §4.6: per-peer header, one UPDATE. */
export const routeMonitoring: BmpSpec<RouteMonitoring> = {
  number: 0,
  decode: (body) => ({ type: 'route-monitoring', peer: decodePeerHeader(body), bgp: takeBgpMessage(body, 'update') }),
  encode: (out, { peer, bgp }) => {
    encodePeerHeader(out, peer);
    writeBgpMessage(out, bgp, 'update');
  },
  json: record<RouteMonitoring>({ type: constant('route-monitoring'), peer: peerHeaderJson, bgp: hex() }),
  line: ({ peer, bgp }, context) => ` ${formatPeerHeader(peer)}: ${formatBgp(bgp, context)}`,
};
