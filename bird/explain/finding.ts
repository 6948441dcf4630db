/** What goes into an explanation, and what comes out. */
import type { PeerView } from '../view.ts';

/** A word for programs; the verdict is for people. */
export type PeerCause =
  | 'established'
  | 'just started'
  | 'shut down here'
  | 'shut down by the peer'
  | 'wrong AS'
  | 'wrong identifier'
  | 'wrong hold time'
  | 'no common family'
  | 'wrong role'
  | 'wrong version'
  | 'nobody listens'
  | 'no route'
  | 'no such source address'
  | 'no answer'
  | 'wrong password'
  | 'wrong TTL'
  | 'both wait'
  | 'no OPEN'
  | 'not configured at the peer'
  | 'not configured here'
  | 'connection lost'
  | 'silence'
  | 'prefix limit'
  | 'path failure'
  | 'malformed message'
  | 'configuration change'
  | 'refused by the peer'
  | 'unknown';

/** What the kernel has dropped lately for want of a right signature or TTL, all connections of the host together. */
export interface KernelDrops {
  /** Signed, but with another key: TCPMD5Failure. */
  readonly wrongSignature: number;
  /** Not signed where we ask for it: TCPMD5NotFound. */
  readonly missingSignature: number;
  /** Signed where we have no key: TCPMD5Unexpected. */
  readonly unexpectedSignature: number;
  /** Came from farther than GTSM allows: TCPMinTTLDrop. */
  readonly lowTtl: number;
}

export interface PeerEvidence {
  readonly view: PeerView;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly drops: KernelDrops;
}

/** What one rule found. */
export interface Finding {
  readonly cause: PeerCause;
  /** One sentence. */
  readonly verdict: string;
  readonly evidence?: readonly string[];
  readonly next: readonly string[];
}

export interface PeerExplanation extends Finding {
  readonly evidence: readonly string[];
}
