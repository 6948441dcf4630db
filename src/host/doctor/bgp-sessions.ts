/** Whether the BGP sessions are up, and where not, whether TCP gets to the peer. Pure; who is to be dialled is said here, too. */
import { addressOf } from '../../../felix/index.ts';
import type { PeerStatus } from '../../api/contract.ts';
import { formatIpAddress, parseIpAddress } from '../../model/ip.ts';
import type { IpAddress } from '../../model/ip.ts';
import type { DialOutcome } from '../probe/dial.ts';
import type { Finding } from './finding.ts';
import { checkOf } from './finding.ts';
import type { ClusterFacts, HostFacts } from './host-facts.ts';

const check = checkOf('BGP sessions');

/** Whom we cannot tell about without dialling. */
export interface Callee {
  readonly address: IpAddress;
  readonly port: number;
  /** `node-b (172.30.7.12)` */
  readonly name: string;
  /** What the agent says of its session; absent: no agent answers. */
  readonly peer?: PeerStatus;
}

/** The agent's peers that are down; without an agent the nodes of the mesh. `names`: of these nodes alone. */
export function calleesOf(facts: HostFacts, names?: readonly string[]): readonly Callee[] {
  const { agent, cluster } = facts;
  const nodes = 'unknown' in cluster ? [] : addressesOf(cluster);
  const isAsked = (node: string | undefined): boolean =>
    names === undefined || (node !== undefined && names.includes(node));
  if (!('absent' in agent)) {
    return agent.bgp.peers.filter(isDown).flatMap((peer) => {
      const node = nodes.find(({ address }) => formatIpAddress(address) === peer.address)?.node;
      // A link-local peer (fe80::1%eth0) is the agent's to explain.
      if (peer.address.includes('%') || !isAsked(node)) return [];
      const name = node === undefined ? peer.address : `${node} (${peer.address})`;
      return [{ address: parseIpAddress(peer.address), port: peer.port, name, peer }];
    });
  }
  if ('unknown' in cluster || !cluster.bgp.hasMesh) return [];
  return nodes
    .filter(({ node }) => isAsked(node))
    .map(({ node, address }) => ({
      ...{ address, port: cluster.bgp.portOf(node), name: `${node} (${formatIpAddress(address)})` },
    }));
}

/** Of the families that this node has an address in, too. */
const addressesOf = ({
  self,
  others,
}: ClusterFacts): readonly { readonly node: string; readonly address: IpAddress }[] =>
  others.flatMap((node) =>
    ([4, 6] as const).flatMap((family) => {
      const address = addressOf(node, family)?.address;
      const isShared = self !== undefined && addressOf(self, family) !== undefined;
      return address === undefined || !isShared ? [] : [{ node: node.name, address }];
    }),
  );

const isDown = ({ state }: PeerStatus): boolean => state !== 'Established';

export interface Dialled {
  readonly callee: Callee;
  readonly outcome: DialOutcome;
}

export function judgeSessions({ agent, cluster }: HostFacts, dialled: readonly Dialled[]): readonly Finding[] {
  const hasPasswords = !('unknown' in cluster) && cluster.bgp.hasPasswords;
  if ('absent' in agent) {
    const isRiddle = !('unknown' in cluster) && !cluster.bgp.hasMesh;
    if (isRiddle) return [check.unknown('there is no mesh, and only an agent knows the peers of this node')];
    return judgeWithoutAgent(dialled, hasPasswords);
  }
  const { peers } = agent.bgp;
  if (peers.length === 0) return [check.ok('this node has no peers')];
  const up = peers.filter((peer) => !isDown(peer)).length;
  const told = up === 0 ? [] : [check.ok(`${up} of ${peers.length} peers are Established`)];
  return [...told, ...dialled.map((one) => judgeDown(one, hasPasswords))];
}

function judgeDown({ callee: { name, port, address, peer }, outcome }: Dialled, hasPasswords: boolean): Finding {
  const lastError = peer?.lastError === undefined ? '' : `, ${peer.lastError}`;
  return check.problem(`no session with ${name}: ${reasonOf(outcome, port, hasPasswords)}`, {
    why: 'routes of that peer are not learned, and it learns none of ours',
    todo: `${remedyOf(outcome, port)}calicoctl-ts peer explain ${formatIpAddress(address)} says more`,
    evidence: [`the agent: ${peer?.state ?? 'unknown'}${lastError}`, dialText(port, outcome)],
  });
}

function judgeWithoutAgent(dialled: readonly Dialled[], hasPasswords: boolean): readonly Finding[] {
  const well = dialled.filter(({ outcome }) => outcome.kind === 'connected').map(({ callee }) => callee.name);
  const told = `the BGP port of ${well.length} of ${dialled.length} addresses of nodes answers from here`;
  return [
    ...(well.length === 0 ? [] : [check.ok(told, well)]),
    ...dialled
      .filter(({ outcome }) => outcome.kind !== 'connected')
      .map(({ callee: { name, port }, outcome }) => {
        const isRiddle = outcome.kind === 'silent' && hasPasswords;
        return check[isRiddle ? 'unknown' : 'problem'](`${name}: ${reasonOf(outcome, port, hasPasswords)}`, {
          ...(!isRiddle && { why: 'an agent here could not dial it' }),
          todo: `${remedyOf(outcome, port)}start the agent here: calicoctl-ts peer explain says more then`,
          evidence: [dialText(port, outcome)],
        });
      }),
  ];
}

const dialText = (port: number, outcome: DialOutcome): string =>
  `connect from here to port ${port}: ${outcomeText(outcome)}`;

const outcomeText = (outcome: DialOutcome): string => {
  if (outcome.kind === 'failed') return outcome.code;
  return outcome.kind === 'connected' ? 'it answers' : 'no answer to three tries';
};

function reasonOf(outcome: DialOutcome, port: number, hasPasswords: boolean): string {
  if (outcome.kind === 'connected') return `TCP port ${port} there answers from here, so it is not the way there`;
  if (outcome.kind === 'silent') {
    const password = hasPasswords ? ', or it answers only who has its password' : '';
    return `TCP from here to port ${port} there gets no answer${password}`;
  }
  switch (outcome.code) {
    case 'ECONNREFUSED':
      return `nobody listens on TCP port ${port} there`;
    case 'EPERM':
    case 'EACCES':
      return `this host lets no TCP to port ${port} out`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `it cannot be reached (${outcome.code})`;
    default:
      return `TCP port ${port} there cannot be dialled (${outcome.code})`;
  }
}

function remedyOf(outcome: DialOutcome, port: number): string {
  if (outcome.kind === 'connected') return '';
  if (outcome.kind === 'silent') {
    return `let TCP port ${port} through from this host to it and, for either side may dial, from it to this host: firewalls of both, and the security group of the cloud; `;
  }
  switch (outcome.code) {
    case 'ECONNREFUSED':
      return 'is its agent up (calicoctl-ts node status there), and does it listen on that address? ';
    case 'EPERM':
    case 'EACCES':
      return `allow TCP port ${port} in output of this host's firewall; `;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `is that host up, its address right (calicoctl-ts get node), and no firewall here that refuses TCP port ${port}? `;
    default:
      return '';
  }
}
