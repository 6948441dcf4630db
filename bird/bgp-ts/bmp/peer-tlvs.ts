import type { PeerTlv } from './message.ts';
import { textTlv, tlvList } from './tlv.ts';

/** Peer Up and Peer Down share a registry, which since RFC 9736 §3 is not that of Initiation. RFC 8671 §6.3.1, RFC 9069 §5.2.1. */
export const peerTlvs = tlvList<PeerTlv>({
  string: textTlv(0, 'string'),
  'vrf-table-name': textTlv(3, 'vrf-table-name'),
  'admin-label': textTlv(4, 'admin-label'),
});
