/** Whose packet is it? RFC 5880 §6.3 and §6.8.6, RFC 5881 §3 and §5, RFC 5883 §4. Pure. */
import type { IpAddress } from '../../src/model/ip.ts';
import { formatIpAddress } from '../../src/model/ip.ts';
import type { Datagram, Hops } from './network.ts';
import type { ControlPacket, MalformedReason } from './packet.ts';
import { decodeControl } from './packet.ts';

/** Why a datagram counted for nothing. */
export type DiscardReason =
  | MalformedReason
  /** It crossed a router, or somebody farther away made it up. RFC 5881 §5. */
  | 'TTL is not 255'
  | 'unknown discriminator'
  /** A multihop packet for a single-hop session would get around the TTL. */
  | 'discriminator of a session on the other port'
  | 'no discriminator though Init or Up'
  | 'unknown peer'
  | 'authentication is not configured'
  | 'the session is AdminDown';

/** What a session is found by. */
export interface Addressed {
  readonly localDiscriminator: number;
  readonly peer: IpAddress;
  readonly hops: Hops;
  /** Set where only packets of one interface are the session's; -1 while that interface is not there. */
  readonly interfaceIndex: number | undefined;
}

/** `owner`: the session that the packet is for, or, of a discarded one, whose peer seems to have sent it. */
export type Verdict<T> =
  | { readonly packet: ControlPacket; readonly owner: T }
  | { readonly reason: DiscardReason; readonly owner: T | undefined };

const SINGLE_HOP_TTL = 255;

export class SessionIndex<T extends Addressed> {
  readonly #byDiscriminator = new Map<number, T>();
  readonly #byPeer = new Map<string, readonly T[]>();

  add(session: T): void {
    this.#byDiscriminator.set(session.localDiscriminator, session);
    this.#byPeer.set(peerKey(session.peer, session.hops), [...this.#sessionsWith(session), session]);
  }

  remove(session: T): void {
    this.#byDiscriminator.delete(session.localDiscriminator);
    const others = this.#sessionsWith(session).filter((other) => other !== session);
    if (others.length > 0) this.#byPeer.set(peerKey(session.peer, session.hops), others);
    else this.#byPeer.delete(peerKey(session.peer, session.hops));
  }

  hasDiscriminator(discriminator: number): boolean {
    return this.#byDiscriminator.has(discriminator);
  }

  judge(datagram: Datagram): Verdict<T> {
    const bySource = this.#bySource(datagram);
    const discard = (reason: DiscardReason, owner = bySource): Verdict<T> => ({ reason, owner });
    if (datagram.hops === 'single hop' && datagram.ttl !== SINGLE_HOP_TTL) return discard('TTL is not 255');
    const packet = decodeControl(datagram.octets);
    if (typeof packet === 'string') return discard(packet);
    const owner = packet.yourDiscriminator === 0 ? bySource : this.#byDiscriminator.get(packet.yourDiscriminator);
    if (packet.yourDiscriminator !== 0) {
      if (owner === undefined) return discard('unknown discriminator');
      if (owner.hops !== datagram.hops) return discard('discriminator of a session on the other port', owner);
    } else {
      if (packet.state === 'Init' || packet.state === 'Up') return discard('no discriminator though Init or Up');
      if (owner === undefined) return discard('unknown peer');
    }
    if (packet.authenticationPresent) return discard('authentication is not configured', owner);
    return { packet, owner };
  }

  /** A session that is bound to an interface is meant before one that is not. */
  #bySource({ source, hops, interfaceIndex }: Datagram): T | undefined {
    const candidates = this.#byPeer.get(peerKey(source, hops)) ?? [];
    return (
      candidates.find((session) => session.interfaceIndex === interfaceIndex) ??
      candidates.find((session) => session.interfaceIndex === undefined)
    );
  }

  #sessionsWith({ peer, hops }: T): readonly T[] {
    return this.#byPeer.get(peerKey(peer, hops)) ?? [];
  }
}

const peerKey = (peer: IpAddress, hops: Hops): string => `${formatIpAddress(peer)} ${hops}`;
