import type { IpAddress } from '../../src/model/ip.ts';
import type { BfdSettings } from '../settings.ts';
import type { DiscardReason } from './demultiplex.ts';
import type { BfdState } from './packet.ts';

/** One session that shall be. Peer address, interface and `multihop` name it; all else may change while it runs. */
export interface BfdSessionSettings extends BfdSettings {
  readonly address: IpAddress;
  /** A link-local address needs it; with any other, packets of other interfaces are not the session's. */
  readonly interface?: string;
  /** Source address; default: the kernel's choice. */
  readonly localAddress?: IpAddress;
}

/** Which session is meant. */
export interface BfdSessionName {
  readonly address: IpAddress;
  readonly interface?: string;
  readonly multihop: boolean;
}

export interface BfdChange extends BfdSessionName {
  readonly state: 'Up' | 'Down';
  /** Why, in one sentence: `nothing heard for 900 ms (3 x 300 ms)`. */
  readonly diagnostic: string;
  /** It was Up until now. False with `Down`: it cannot even begin, `diagnostic` says why. */
  readonly wasUp: boolean;
  /**
   * The path to the peer, or the peer, failed: what runs over it should end. Only after an Up, and not where an operator
   * on either side, a restart of the peer, or a fault of our own, took BFD alone away. RFC 5882 §3.2, §4.3.2.
   */
  readonly isPathFailure: boolean;
  /** The peer's C bit: its BFD would survive a restart of its control plane. RFC 5882 §4.3. */
  readonly isPeerIndependent: boolean;
}

/** A snapshot; state and diagnostic are exact, counters may be a second old. */
export interface BfdSessionView extends BfdSessionName {
  readonly state: BfdState;
  readonly remoteState?: BfdState;
  readonly localDiscriminator: number;
  readonly remoteDiscriminator?: number;
  /** How often we send, before jitter. */
  readonly transmitMs: number;
  /** How often the peer sends at least, by what both said. */
  readonly receiveMs?: number;
  /** So long a silence is a failure. */
  readonly detectionMs?: number;
  /** Milliseconds since 1970. */
  readonly upSince?: number;
  /** How often it was Up and then was not. */
  readonly flaps: number;
  /** Why it last ceased to be Up. */
  readonly lastDiagnostic?: string;
  /** Why it cannot send or receive now. */
  readonly problem?: string;
  readonly packets: {
    readonly received: number;
    readonly sent: number;
    /** What the peer seems to have sent and counted for nothing. */
    readonly dropped: Readonly<Partial<Record<DiscardReason, number>>>;
  };
}

/** BFD for the whole speaker. */
export interface Bfd {
  /**
   * The whole desired set. What is in it unchanged is not touched, what is new begins, what is gone says AdminDown.
   * Of two with one name the one that detects faster counts. Throws InvalidValueError, and then nothing has changed.
   */
  setSessions(sessions: readonly BfdSessionSettings[]): void;
  /** The returned function unsubscribes. */
  onChange(listener: (change: BfdChange) => void): () => void;
  sessions(): readonly BfdSessionView[];
  /** What arrived and belonged to no session, by reason; may be a second old. */
  strangers(): Readonly<Partial<Record<DiscardReason, number>>>;
  /** Tells the peers that it is us and not the path (AdminDown), and ends the thread. */
  close(): Promise<void>;
}
