/** What the kernel threw away before anybody could see it: evidence where a peer's TCP stays silent. Pure. */
import type { Clock } from '../../src/runtime/clock.ts';

/** Of this network namespace since it began, whoever it came from: only a change while a peer is silent says something. */
export interface TcpCounters {
  /** Not signed, where a password is set. */
  readonly md5NotFound: number;
  /** Signed, where no password is set. */
  readonly md5Unexpected: number;
  /** Signed with another password. */
  readonly md5Failure: number;
  /** From farther away than TTL security allows. */
  readonly minTtlDrop: number;
}

/** Undefined where this kernel does not tell. */
export type TcpEvidence = () => TcpCounters | undefined;

/** For what happens at about the same moment, as a thousand peers that are configured at once, one reading is enough. */
const FRESH_MS = 50;

/** `read`, but not more often than the moments that it tells apart. */
export function sharedEvidence(read: TcpEvidence, clock: Pick<Clock, 'now'>): TcpEvidence {
  let last: { readonly at: number; readonly counters: TcpCounters | undefined } | undefined;
  return () => {
    const now = clock.now();
    if (last === undefined || now - last.at > FRESH_MS) last = { at: now, counters: read() };
    return last.counters;
  };
}

const TCP_EXT = 'TcpExt:';

/** /proc/net/netstat: a line of names, then a line of numbers, for each group. A counter that this kernel lacks is 0. */
export function parseNetstat(text: string): TcpCounters | undefined {
  const [names, values] = text
    .split('\n')
    .filter((line) => line.startsWith(TCP_EXT))
    .map((line) => line.trim().split(/\s+/));
  if (names === undefined || values === undefined) return undefined;
  const value = (name: string): number => {
    const at = names.indexOf(name);
    return at < 0 ? 0 : Number(values[at] ?? 0);
  };
  return {
    md5NotFound: value('TCPMD5NotFound'),
    md5Unexpected: value('TCPMD5Unexpected'),
    md5Failure: value('TCPMD5Failure'),
    minTtlDrop: value('TCPMinTTLDrop'),
  };
}

/** The later of two readings: counters only grow. */
export function later(a: TcpCounters | undefined, b: TcpCounters | undefined): TcpCounters | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return {
    md5NotFound: Math.max(a.md5NotFound, b.md5NotFound),
    md5Unexpected: Math.max(a.md5Unexpected, b.md5Unexpected),
    md5Failure: Math.max(a.md5Failure, b.md5Failure),
    minTtlDrop: Math.max(a.minTtlDrop, b.minTtlDrop),
  };
}

/** What the kernel has dropped in a while, for want of a right signature or TTL. */
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

/** Nothing where the kernel does not tell. */
export function dropsSince(before: TcpCounters | undefined, now: TcpCounters | undefined): KernelDrops {
  const since = (name: keyof TcpCounters): number =>
    before === undefined || now === undefined ? 0 : now[name] - before[name];
  return {
    wrongSignature: since('md5Failure'),
    missingSignature: since('md5NotFound'),
    unexpectedSignature: since('md5Unexpected'),
    lowTtl: since('minTtlDrop'),
  };
}
