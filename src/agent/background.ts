import type { Speaker } from '../../bird/index.ts';
import type { RouteReport } from '../api/contract.ts';
import { formatPrefix } from '../model/ip.ts';
import type { BgpBackground } from '../speaker/bgp-answers.ts';
import { whyNoPeer } from './absent-peer.ts';
import type { Knowledge } from './cluster-view.ts';
import { nodeRoutes } from './node-routes.ts';
import type { Omitted } from './peers.ts';

export interface BackgroundSources {
  speaker(): Speaker | undefined;
  knowledge(): Knowledge;
  /** Peers that were asked for and are not there, as computed last. */
  omitted(): readonly Omitted[];
  routes(): readonly RouteReport[];
}

/** What this agent knows of the cluster and the kernel, where the speaker's own answers end. */
export const agentBackground = (sources: BackgroundSources): BgpBackground => ({
  speaker: () => sources.speaker(),
  whyNoPeer: (address) => {
    const { resources, node } = sources.knowledge();
    return whyNoPeer(address, { resources, nodeName: node, omitted: sources.omitted() });
  },
  ownRoute: (prefix) => ownRoute(sources.knowledge(), prefix),
  kernelRoute: (prefix) => sources.routes().find((route) => route.prefix === prefix),
});

function ownRoute(knowledge: Knowledge, prefix: string): string | undefined {
  const { originated, withheld } = nodeRoutes(knowledge);
  const told = originated.find((route) => formatPrefix(route.prefix) === prefix);
  if (told !== undefined) return `told to the peers: ${told.reason}`;
  const kept = withheld.find((route) => formatPrefix(route.prefix) === prefix);
  return kept === undefined ? undefined : `not told to any peer: ${kept.reason}`;
}
