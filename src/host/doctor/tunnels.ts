/** Whether what goes through the tunnels gets to the other nodes, and comes back. Pure. */
import { formatIpAddress, sameAddress } from '../../model/ip.ts';
import type { IpAddress } from '../../model/ip.ts';
import { PORT_UNREACHABLE, PROTOCOL_UNREACHABLE } from '../probe/answer.ts';
import type { Outcome, TunnelOutcome } from '../probe/probe.ts';
import { nameOf, outcomeText, summed } from './between-nodes.ts';
import type { NodeProbe } from './between-nodes.ts';
import type { Finding } from './finding.ts';
import { checkOf } from './finding.ts';

export interface Tunnel {
  readonly kind: 'ipip' | 'vxlan';
  /** `tunl0` */
  readonly link: string;
  /** Of VXLAN, UDP. */
  readonly port: number;
  /** Ours, inside it. */
  readonly address?: IpAddress;
  /** Our end can take packets out. */
  readonly isUp: boolean;
}

interface Words {
  readonly check: string;
  readonly title: string;
  /** What is on the wire. */
  readonly packets: string;
  readonly allow: string;
}

const wordsOf = ({ kind, port }: Tunnel): Words =>
  kind === 'ipip'
    ? {
        ...{ check: 'protocol 4', title: 'IP in IP', packets: 'protocol 4' },
        allow: 'protocol 4 (ipencap), not TCP or UDP port 4; some clouds never pass it: use VXLAN there',
      }
    : { check: 'VXLAN', title: 'VXLAN', packets: `UDP port ${port}`, allow: `UDP port ${port} (VXLAN)` };

/** `probes` are of one family, of those nodes that some pool reaches through the tunnel. */
export function judgeTunnel(probes: readonly NodeProbe[], tunnel: Tunnel): readonly Finding[] {
  const { check, title } = wordsOf(tunnel);
  return summed(
    checkOf(check),
    (count) => `${title} reaches ${count}, and their answers come back through it`,
    probes.map((one) => ({ one, finding: judgeOne(one, one[tunnel.kind] ?? { there: { kind: 'silent' } }, tunnel) })),
  );
}

function judgeOne(one: NodeProbe, { there, andBack }: TunnelOutcome, tunnel: Tunnel): Finding | string {
  const { check: name, packets, allow } = wordsOf(tunnel);
  const check = checkOf(name);
  const why = `packets between pods of the two nodes go through ${tunnel.link}, inside ${packets}, and are lost`;
  const evidence = [
    `ping: ${outcomeText(one.small)}`,
    `the same ping inside ${packets}, to be answered plainly: ${outcomeText(there)}`,
    andBack === undefined
      ? `not asked to answer through ${tunnel.link}: one of the two nodes has no address on it`
      : `from tunnel address to tunnel address, to be answered through ${tunnel.link}: ${outcomeText(andBack)}`,
  ];
  const isThere = there.kind === 'answered';
  if (andBack?.kind === 'answered' || (andBack === undefined && isThere))
    return `${nameOf(one)}: ${evidence.join('; ')}`;
  if (isThere) return judgeWayBack(one, tunnel, { why, evidence });
  if (there.kind === 'not sent') {
    return check.problem(`this host lets no packet of ${packets} out to ${nameOf(one)}`, {
      ...{ why, evidence, todo: `its own firewall: allow ${packets} in output (nft list ruleset, iptables-save)` },
    });
  }
  if (there.kind === 'refused') return judgeRefusal(one, there, { tunnel, why, evidence });
  if (one.small.kind !== 'answered') {
    return check.unknown(`${nameOf(one)} does not answer a ping, so nothing can be said of ${packets}`, {
      todo: 'is that host up, and may it answer a ping (ICMP echo)? Then ask again',
      evidence,
    });
  }
  return check.problem(`${packets} does not get from here to ${nameOf(one)}`, {
    why,
    todo: `let through from this host to ${one.node}: ${allow}. There in input, here in output, and in the security group of the cloud; the doctor of ${one.node} asks the other way`,
    evidence:
      one.address.family === 4
        ? [...evidence, 'with rp_filter strict there it would look the same if only the way back were blocked']
        : evidence,
  });
}

interface More {
  readonly why: string;
  readonly evidence: readonly string[];
}

/** They got it: the plain answer is there, and the one through the tunnel is not. */
function judgeWayBack(one: NodeProbe, tunnel: Tunnel, more: More): Finding {
  const { check: name, packets, allow } = wordsOf(tunnel);
  const check = checkOf(name);
  if (!tunnel.isUp) {
    return check.problem(
      `${nameOf(one)} is reached, and this host has no ${tunnel.link} that is up to take its answers out`,
      {
        ...{ ...more, todo: 'calicoctl-ts node status and calicoctl-ts routes say why the agent has not made it' },
      },
    );
  }
  const route =
    tunnel.address === undefined ? '' : `ip route get ${formatIpAddress(tunnel.address)} must lead to ${tunnel.link}; `;
  return check.problem(`${packets} gets from here to ${nameOf(one)}, but not from there to here`, {
    ...more,
    todo: `let through from ${one.node} to this host: ${allow}. There in output, here in input, and in the security group of the cloud. Or ${one.node} has no route back: there ${route}calicoctl-ts routes says why it is not there`,
  });
}

function judgeRefusal(
  one: NodeProbe,
  { by, why: word }: Outcome & { readonly kind: 'refused' },
  { tunnel, ...more }: More & { readonly tunnel: Tunnel },
): Finding {
  const { check: name, packets } = wordsOf(tunnel);
  const check = checkOf(name);
  const isItself = sameAddress(by, one.address);
  if (isItself && tunnel.kind === 'ipip' && word === PROTOCOL_UNREACHABLE) {
    return check.problem(`${nameOf(one)} got it and knows no protocol 4: its ipip module is not loaded`, {
      ...{ ...more, todo: 'there: calicoctl-ts node checksystem --for ipip, or its agent does not run' },
    });
  }
  if (isItself && word === PORT_UNREACHABLE) {
    return check.problem(
      `${nameOf(one)} refuses ${packets}: it has no ${tunnel.link} that is up, or its firewall rejects it`,
      {
        ...{
          ...more,
          todo: `there: ip link show ${tunnel.link}; calicoctl-ts node status, for its agent makes it; nft list ruleset`,
        },
      },
    );
  }
  const who = isItself ? `a firewall of ${nameOf(one)}` : `${formatIpAddress(by)}, on the way to ${nameOf(one)},`;
  return check.problem(`${who} refuses ${packets} from here`, {
    ...more,
    todo: `allow ${packets} there: it said '${word}'`,
  });
}
