/** Ways to BGP peers that a BGPPeer's `reachableBy` names. Calico has BIRD make them, as static routes. */
import type { IpAddress, Prefix } from '../../src/model/ip.ts';
import { formatIpAddress, hostPrefix } from '../../src/model/ip.ts';
import type { Hop } from '../desired.ts';
import type { DataplaneInputs, PeerGateway } from '../inputs.ts';
import { prefixId } from '../routes/route-id.ts';
import type { HostView } from './host-view.ts';
import { resolveNextHop } from './host-view.ts';
import type { Course } from './planned-route.ts';
import type { ForeignByPrefix } from './refusal.ts';
import { foreignByPrefix, refuseTakeover } from './refusal.ts';
import type { RoutePlanBuilder } from './route-plan.ts';

/** Adds the host routes to such peers. */
export function planPeerGateways(
  inputs: Pick<DataplaneInputs, 'peerGateways'>,
  host: HostView,
  plan: Pick<RoutePlanBuilder, 'add'>,
): void {
  const { peerGateways = [] } = inputs;
  if (peerGateways.length === 0) return;
  const foreign = foreignByPrefix(host);
  for (const each of peerGateways) plan.add(prefixId(hostPrefix(each.peer)), courseOf(each, host, foreign));
}

/** A way through which next hops may be resolved: it depends on no other route of ours. */
export interface PeerWay {
  readonly prefix: Prefix;
  readonly hops: readonly [Hop];
}

/**
 * Those of them that packets can take now: what such a peer tells has the peer itself for its next hop. In the order in which
 * `precedence` has them, so that of two for one peer the programmed one comes first.
 */
export function peerWays(
  { peerGateways = [] }: Pick<DataplaneInputs, 'peerGateways'>,
  host: HostView,
): readonly PeerWay[] {
  const inOrder = peerGateways.toSorted((a, b) => (reasonOf(a) < reasonOf(b) ? -1 : 1));
  return inOrder.flatMap(({ peer, gateway }) => {
    const way = wayTo(gateway, host);
    return 'hop' in way ? [{ prefix: hostPrefix(peer), hops: [way.hop] as const }] : [];
  });
}

const reasonOf = ({ peer, gateway, origin }: PeerGateway): string =>
  `${origin} says that ${formatIpAddress(peer)} is reachable by ${formatIpAddress(gateway)}`;

function courseOf(wanted: PeerGateway, host: HostView, foreign: ForeignByPrefix): Course {
  const prefix = hostPrefix(wanted.peer);
  const way = wayTo(wanted.gateway, host);
  const route = {
    class: 'peer-gateway',
    target: { kind: 'via', hops: 'hop' in way ? [way.hop] : [] },
    reason: reasonOf(wanted),
  } as const;
  const refusal = refuseTakeover(prefix, { foreign, host });
  if (refusal !== undefined) return { route, unresolved: refusal, isRefused: true };
  return { route, ...('error' in way && { unresolved: way.error }) };
}

/** The gateway must be a neighbour: the kernel takes no other. */
function wayTo(gateway: IpAddress, host: HostView): { readonly hop: Hop } | { readonly error: string } {
  const resolution = resolveNextHop(host, { address: gateway });
  if ('error' in resolution) return resolution;
  if (resolution.isOnLink) return { hop: resolution.hop };
  return { error: `${formatIpAddress(gateway)} is on no link of this host: ${resolution.reason}` };
}
