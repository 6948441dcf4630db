import type { Speaker } from '../../bird/index.ts';
import type { RouteReport } from '../api/contract.ts';
import type { Prefix } from '../model/ip.ts';
import { formatPrefix, parsePrefix } from '../model/ip.ts';
import type { BgpBackground } from '../speaker/bgp-answers.ts';
import { longestAround } from '../speaker/longest.ts';
import { whyNoPeer } from './absent-peer.ts';
import type { Knowledge } from './cluster-view.ts';
import { ownRoutes } from './own-routes.ts';
import type { Omitted } from './peers.ts';

export interface BackgroundSources {
  speaker(): Speaker | undefined;
  knowledge(): Knowledge;
  /** The datastore was read; until then `knowledge` is empty and means nothing. */
  isInSync(): boolean;
  /** Peers that were asked for and are not there, as computed last. */
  omitted(): readonly Omitted[];
  routes(): readonly RouteReport[];
}

/** What this agent knows of the cluster and the kernel, where the speaker's own answers end. */
export const agentBackground = (sources: BackgroundSources): BgpBackground => ({
  speaker: () => sources.speaker(),
  whyNoPeer: (address) => {
    if (!sources.isInSync()) return ['the datastore has not been read yet, so there are no peers yet'];
    const { resources, node } = sources.knowledge();
    return whyNoPeer(address, { resources, nodeName: node, omitted: sources.omitted() });
  },
  ownRoute: (asked) => ownRoute(sources.knowledge(), asked),
  kernelRoute: (asked) => {
    const routes = sources.routes().map((report) => ({ report, prefix: parsePrefix(report.prefix) }));
    return longestAround(routes, asked)?.report;
  },
});

function ownRoute(knowledge: Knowledge, asked: Prefix): string | undefined {
  const { originated, withheld } = ownRoutes(knowledge);
  const told = originated.map(({ prefix, reason }) => ({ prefix, text: `tells ${formatPrefix(prefix)}: ${reason}` }));
  const kept = withheld.map(({ prefix, reason }) => ({
    prefix,
    text: `does not tell ${formatPrefix(prefix)}: ${reason}`,
  }));
  return longestAround([...told, ...kept], asked)?.text;
}
