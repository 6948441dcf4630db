/** What goes into an explanation, and what comes out. */
import type { KernelDrops } from '../peer/tcp-counters.ts';
import type { PeerView } from '../view.ts';

export type { KernelDrops } from '../peer/tcp-counters.ts';

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
  | 'cannot connect'
  | 'no answer'
  | 'wrong password'
  | 'wrong TTL'
  | 'both wait'
  | 'no OPEN'
  | 'no KEEPALIVE'
  | 'not configured at the peer'
  | 'not configured here'
  | 'connection lost'
  | 'silence'
  | 'prefix limit'
  | 'path failure'
  | 'malformed message'
  | 'configuration change'
  | 'refused by the peer'
  | 'out of resources'
  | 'unknown';

export interface PeerEvidence {
  readonly view: PeerView;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly drops: KernelDrops;
  /** How many other peers are down: the kernel does not say whose segments it dropped. */
  readonly othersDown: number;
  /** Why the listeners do not have the peer's password, so that it cannot connect to us. */
  readonly refusedPassword?: string;
}

/** What one rule found. */
export interface Finding {
  readonly cause: PeerCause;
  /** One sentence. */
  readonly verdict: string;
  readonly evidence?: readonly string[];
  /** The likeliest first. */
  readonly next: readonly string[];
}

export interface PeerExplanation extends Finding {
  readonly evidence: readonly string[];
}
