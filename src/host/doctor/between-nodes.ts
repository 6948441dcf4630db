/** What the answers of other nodes mean, for full packets. Pure. Everything here was asked from this host: of the other way their own doctor tells. */
import type { IpAddress } from '../../model/ip.ts';
import { formatIpAddress } from '../../model/ip.ts';
import type { Outcome, ProbeResult } from '../probe/probe.ts';
import type { Check, Finding } from './finding.ts';
import { checkOf } from './finding.ts';

/** One address of one node, and what became of the questions. */
export interface NodeProbe extends ProbeResult {
  readonly node: string;
  readonly address: IpAddress;
}

/** The interface that carries our address of the family. */
export interface ProbedFrom {
  readonly mtu: number;
  readonly link: string;
}

/** `probes` are of one family. */
export function judgeMtu(probes: readonly NodeProbe[], from: ProbedFrom): readonly Finding[] {
  return summed(
    checkOf('mtu between nodes'),
    (count) => `full packets from here reach ${count}`,
    probes.map((one) => ({ one, finding: judgeOne(one, from) })),
  );
}

/** A finding, or how it is known that all is well. */
export interface Judged {
  readonly one: NodeProbe;
  readonly finding: Finding | string;
}

/** The nodes where all is well are one line, since there may be thousands: `words` says it of `2 of 3 nodes (IPv6)`. */
export function summed(check: Check, words: (count: string) => string, judged: readonly Judged[]): readonly Finding[] {
  const well = judged.map(({ finding }) => finding).filter((finding) => typeof finding === 'string');
  const rest = judged.map(({ finding }) => finding).filter((finding) => typeof finding !== 'string');
  if (well.length === 0) return rest;
  const family = judged[0]?.one.address.family === 6 ? ' (IPv6)' : '';
  return [check.ok(words(`${well.length} of ${judged.length} nodes${family}`), well), ...rest];
}

export const nameOf = ({ node, address }: Pick<NodeProbe, 'node' | 'address'>): string =>
  `${node} (${formatIpAddress(address)})`;

export function outcomeText(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'answered':
      return `answered after ${outcome.ms.toFixed(1)} ms`;
    case 'refused': {
      const mtu = outcome.mtu === undefined ? '' : `, ${outcome.mtu} octets would fit`;
      return `${formatIpAddress(outcome.by)} says ${outcome.why}${mtu}`;
    }
    case 'silent':
      return 'no answer to three tries';
    case 'not sent':
      return `this host did not send it: ${outcome.why}`;
  }
}

function judgeOne(one: NodeProbe, { mtu, link }: ProbedFrom): Finding | string {
  const check = checkOf('mtu between nodes');
  const { small, large } = one;
  const evidence = [
    `ping of 84 octets: ${outcomeText(small)}`,
    `ping of ${mtu} octets, not to be fragmented: ${outcomeText(large)}`,
  ];
  if (large.kind === 'answered') return `${nameOf(one)}: ${outcomeText(large)}`;
  if (small.kind !== 'answered') {
    return check.unknown(`${nameOf(one)} does not answer a ping, so nothing can be said of what reaches it`, {
      todo: 'is that host up, and may it answer a ping (ICMP echo)? Then ask again',
      evidence,
    });
  }
  const fits = large.kind === 'refused' && large.mtu !== undefined ? `, only ${large.mtu}` : '';
  return check.problem(`packets of ${mtu} octets, the MTU of ${link}, do not get from here to ${nameOf(one)}${fits}`, {
    why: 'the nodes, or what lies between them, have mixed MTUs: connections come up and hang at the first full packet',
    todo: 'one MTU on all of them (ip link shows it), or FELIX_IPINIPMTU, FELIX_VXLANMTU and FELIX_VXLANMTUV6 for the smallest',
    evidence,
  });
}
