/** What the kernel threw away before anybody could see it: evidence where a peer's TCP stays silent. Pure. */

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
