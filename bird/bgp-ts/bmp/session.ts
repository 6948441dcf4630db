import type { NegotiatedContexts } from '../message/negotiate.ts';
import type { CodecContext } from '../context.ts';
import type { DecodeResult } from '../message/table.ts';
import { decodeMessage } from '../message/table.ts';
import { bgpContext, peerUpContexts } from './bgp-context.ts';
import type { BmpMessage, PeerHeader } from './message.ts';
import { peerKey } from './peer-header.ts';
import { formatBmp } from './text.ts';

const MAX_PEERS = 65_536;

/**
 * What one BMP connection said about its peers, so that the BGP messages in it can be read: from a Peer Up to the same
 * peer's Peer Down. Of more than `maxPeers` the one that came up first is forgotten, and read as without ADD-PATH.
 */
export class BmpSession {
  readonly #maxPeers: number;
  /** By peerKey; one Peer Up is about both directions, so the O flag is no part of it (RFC 8671 §6.3). */
  readonly #peers = new Map<string, NegotiatedContexts>();

  constructor(maxPeers = MAX_PEERS) {
    this.#maxPeers = maxPeers;
  }

  /** Takes in every message of the connection, in order. */
  observe(message: BmpMessage): void {
    if (message.type === 'termination') this.#peers.clear();
    if (message.type !== 'peer-up' && message.type !== 'peer-down') return;
    const key = peerKey(message.peer);
    // Also before a Peer Up: what came up again is the youngest.
    this.#peers.delete(key);
    const contexts = message.type === 'peer-up' ? peerUpContexts(message) : undefined;
    if (contexts === undefined) return;
    this.#peers.set(key, contexts);
    const [oldest] = this.#peers.keys();
    if (this.#peers.size > this.#maxPeers && oldest !== undefined) this.#peers.delete(oldest);
  }

  /** How the BGP messages behind this header are to be read: as its Peer Up said, or as if there had been none. */
  contextOf(peer: PeerHeader): CodecContext {
    return bgpContext(peer, this.#peers.get(peerKey(peer)));
  }

  /** `formatBmp` with the right context. */
  format(message: BmpMessage): string {
    return formatBmp(message, 'peer' in message ? this.contextOf(message.peer) : undefined);
  }

  /** The BGP message that came with this per-peer header: of Route Monitoring, Peer Down, Peer Up or Route Mirroring. */
  decode(peer: PeerHeader, bgp: Uint8Array): DecodeResult {
    return decodeMessage(bgp, this.contextOf(peer));
  }
}
