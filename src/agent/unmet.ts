/** What resources ask of a node and do not get. Pure. */
import { unheededFields } from '../resources/index.ts';
import type { Resources } from '../resources/index.ts';
import { byName } from './bgp-nodes.ts';
import type { BgpNode } from './bgp-nodes.ts';
import { appliesTo } from './peerings.ts';
import type { ComputedPeers, Omitted } from './peers.ts';

/**
 * One sentence each: peers that are left out or come without something, fields of this node's resources that nothing goes
 * by, and BGPConfigurations that no node reads. What the resources mean, such as a mesh that is off, is not among them.
 */
export function unmetWishes(
  resources: Resources,
  self: BgpNode | undefined,
  computed: ComputedPeers,
): readonly string[] {
  const { BGPConfiguration, BGPPeer } = resources;
  const own = byName(BGPConfiguration.values()).filter(
    ({ metadata: { name } }) => name === 'default' || name === `node.${self?.name ?? ''}`,
  );
  const peers = byName(BGPPeer.values()).filter((peer) => self !== undefined && appliesTo(peer, self));
  const unread = byName(BGPConfiguration.values()).filter(
    ({ metadata: { name } }) => name !== 'default' && !name.startsWith('node.'),
  );
  return [
    ...computed.omitted.filter(({ isMeant }) => isMeant !== true).map(omittedText),
    ...computed.incomplete.map(omittedText),
    ...[...own, ...peers].flatMap(unheededFields),
    ...unread.map(
      ({ metadata: { name } }) =>
        `BGPConfiguration(${name}): nothing goes by it, for its name is neither default nor node.NAME`,
    ),
  ];
}

const omittedText = ({ origin, peer, reason }: Omitted): string => `${origin}: ${peer}: ${reason}`;
