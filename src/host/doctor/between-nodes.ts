/** What the answers of other nodes mean: whether full packets and packets of protocol 4 get there. Pure. */
import { formatIpv4 } from '../../model/ip.ts';
import type { Outcome, ProbeResult } from '../probe/probe.ts';
import type { Check, Finding } from './finding.ts';
import { checkOf } from './finding.ts';
import type { NodeFacts } from './host-facts.ts';

export interface NodeProbe extends ProbeResult {
  readonly node: NodeFacts['name'];
}

export interface ProbedWith {
  readonly mtu: number;
  readonly link: string;
  /** Some pool sends through tunl0; else nobody needs protocol 4. */
  readonly wantsIpip: boolean;
}

/** ICMP unreachable, RFC 792 and 1812. */
const CODES: ReadonlyMap<number, string> = new Map([
  [0, 'network unreachable'],
  [1, 'host unreachable'],
  [2, 'protocol unreachable'],
  [3, 'port unreachable'],
  [4, 'fragmentation needed'],
  [9, 'network prohibited'],
  [10, 'host prohibited'],
  [13, 'prohibited by a filter'],
]);
const PROTOCOL_UNREACHABLE = 2;
const PORT_UNREACHABLE = 3;

export function judgeProbes(probes: readonly NodeProbe[], used: ProbedWith): readonly Finding[] {
  return [
    ...summed(
      checkOf('mtu between nodes'),
      'full packets reach',
      probes.map((one) => judgeMtu(one, used)),
    ),
    ...(used.wantsIpip
      ? summed(checkOf('protocol 4'), 'IP in IP reaches', probes.map(judgeIpip))
      : [checkOf('protocol 4').ok('no pool uses IPIP, so nobody needs it')]),
  ];
}

/** The names of the nodes where all is well are one line, since there may be thousands. */
function summed(check: Check, words: string, findings: readonly (Finding | string)[]): readonly Finding[] {
  const well = findings.filter((finding) => typeof finding === 'string');
  const rest = findings.filter((finding) => typeof finding !== 'string');
  if (well.length === 0) return rest;
  return [check.ok(`${words} ${well.length} of ${findings.length} nodes`, well), ...rest];
}

const nameOf = ({ node, address }: NodeProbe): string => `${node} (${formatIpv4(address)})`;

function outcomeText(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'answered':
      return `answered after ${outcome.ms.toFixed(1)} ms`;
    case 'refused': {
      const mtu = outcome.mtu === undefined ? '' : `, ${outcome.mtu} octets would fit`;
      return `${formatIpv4(outcome.by)} says ${CODES.get(outcome.code) ?? `ICMP unreachable ${outcome.code}`}${mtu}`;
    }
    case 'silent':
      return 'no answer to three tries';
    case 'not sent':
      return `this host did not send it: ${outcome.why}`;
  }
}

function judgeMtu(one: NodeProbe, { mtu, link }: ProbedWith): Finding | string {
  const check = checkOf('mtu between nodes');
  const { small, large } = one;
  const evidence = [
    `ping of 84 octets: ${outcomeText(small)}`,
    `ping of ${mtu} octets, not to be fragmented: ${outcomeText(large)}`,
  ];
  if (large.kind === 'answered') return `${nameOf(one)}: ${outcomeText(large)}`;
  if (small.kind !== 'answered') {
    return check.unknown(`${nameOf(one)} does not answer a ping, so nothing can be said of what reaches it`, {
      evidence,
    });
  }
  const fits = large.kind === 'refused' && large.mtu !== undefined ? `, only ${large.mtu}` : '';
  return check.problem(`packets of ${mtu} octets, the MTU of ${link}, do not reach ${nameOf(one)}${fits}`, {
    why: 'the nodes, or what lies between them, have mixed MTUs: connections come up and hang at the first full packet',
    todo: 'one MTU on all of them, or FELIX_IPINIPMTU and FELIX_VXLANMTU for the smallest',
    evidence,
  });
}

function judgeIpip(one: NodeProbe): Finding | string {
  const check = checkOf('protocol 4');
  const { small, ipip } = one;
  const evidence = [`ping: ${outcomeText(small)}`, `the same ping inside protocol 4: ${outcomeText(ipip)}`];
  if (ipip.kind === 'answered') return `${nameOf(one)}: ${outcomeText(ipip)}`;
  const why = 'packets between pods of the two nodes go through tunl0, inside protocol 4, and are lost';
  if (ipip.kind === 'not sent') {
    return check.problem(`this host lets no packet of protocol 4 out to ${nameOf(one)}`, {
      ...{ why, evidence, todo: 'its own firewall: allow protocol 4 (ipencap) in output' },
    });
  }
  if (ipip.kind === 'refused') return judgeRefusal(one, ipip, { why, evidence });
  if (small.kind !== 'answered') {
    return check.unknown(`${nameOf(one)} does not answer a ping, so nothing can be said of protocol 4`, { evidence });
  }
  return check.problem(`protocol 4 does not reach ${nameOf(one)}, or no answer comes back`, {
    ...{ why, evidence },
    todo: 'allow protocol 4 (ipencap), not TCP or UDP port 4, between the nodes: in both firewalls and the security group of the cloud; some clouds never pass it: use VXLAN there',
  });
}

function judgeRefusal(
  one: NodeProbe,
  { by, code }: Outcome & { readonly kind: 'refused' },
  more: { readonly why: string; readonly evidence: readonly string[] },
): Finding {
  const check = checkOf('protocol 4');
  const isItself = by === one.address;
  if (isItself && code === PROTOCOL_UNREACHABLE) {
    const todo = 'there: calicoctl-ts node checksystem --for ipip, or its agent does not run';
    return check.problem(`${nameOf(one)} got it and knows no protocol 4: its ipip module is not loaded`, {
      ...more,
      todo,
    });
  }
  if (isItself && code === PORT_UNREACHABLE) {
    const todo = 'there: ip link show tunl0, calicoctl-ts routes';
    return check.problem(`${nameOf(one)} got it and has no tunl0 that is up`, { ...more, todo });
  }
  const who = isItself ? `a firewall of ${nameOf(one)}` : `a firewall at ${formatIpv4(by)}`;
  return check.problem(`${who} refuses protocol 4`, { ...more, todo: 'allow protocol 4 (ipencap) there' });
}
