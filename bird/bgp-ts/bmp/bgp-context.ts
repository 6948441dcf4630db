import type { NegotiatedContexts } from '../message/negotiate.ts';
import { negotiatedContexts } from '../message/negotiate.ts';
import type { CodecContext } from '../context.ts';
import type { Open } from '../message/message.ts';
import { decodeMessage } from '../message/table.ts';
import type { PeerHeader, PeerUp } from './message.ts';

/**
 * For BGP messages of which nothing is known. A station takes any length, and what a peer may not send (LOCAL_PREF from
 * outside) it wants to see all the more. Without a Peer Up there is no ADD-PATH, no extended next hop and one label.
 */
export const stationContext: CodecContext = {
  fourOctetAs: true,
  addPath: new Set(),
  extendedNextHop: new Set(),
  extendedMessage: true,
  external: false,
  ownRoutes: true,
};

/** What the two OPENs of a Peer Up settle, for both directions; undefined where one of them does not decode. */
export function peerUpContexts({ sentOpen, receivedOpen }: PeerUp): NegotiatedContexts | undefined {
  const sent = openOf(sentOpen);
  const received = openOf(receivedOpen);
  return sent === undefined || received === undefined ? undefined : negotiatedContexts(sent, received);
}

/**
 * The context for BGP messages behind this per-peer header. Of the OPENs' two directions the O flag takes what the
 * router sends (RFC 8671 §5), else what it receives. The A flag alone says how AS_PATH is written: the router may
 * have rewritten it (RFC 7854 §4.2).
 */
export function bgpContext(peer: PeerHeader, contexts?: NegotiatedContexts): CodecContext {
  const isRouter = 'adjRibOut' in peer;
  const direction = isRouter && peer.adjRibOut ? contexts?.send : contexts?.receive;
  const { addPath, extendedNextHop, multipleLabels } = direction ?? stationContext;
  return {
    ...stationContext,
    addPath,
    extendedNextHop,
    ...(multipleLabels !== undefined && { multipleLabels }),
    fourOctetAs: !(isRouter && peer.legacyAsPath),
  };
}

function openOf(bgp: Uint8Array): Open | undefined {
  const result = decodeMessage(bgp, stationContext);
  return result.kind === 'ok' && result.message.type === 'open' ? result.message : undefined;
}
