/** Why an address is no peer of this node: which resource names it, and what keeps that resource from this node. Pure. */
import type { IpAddress } from '../model/ip.ts';
import { formatIpAddress, sameAddress } from '../model/ip.ts';
import type { Labels } from '../model/selector.ts';
import { matchesSelector, parseSelector, selectorLabels } from '../model/selector.ts';
import { parsePeerIp } from '../resources/index.ts';
import type { BgpPeer, Resources } from '../resources/index.ts';
import { bgpNodes, byName } from './bgp-nodes.ts';
import type { BgpNode } from './bgp-nodes.ts';
import type { Omitted } from './peers.ts';

/** One sentence for each resource that could have made the address a peer of `nodeName`; never empty. */
export function whyNoPeer(
  address: IpAddress,
  {
    resources,
    nodeName,
    omitted,
  }: { readonly resources: Resources; readonly nodeName: string; readonly omitted: readonly Omitted[] },
): readonly string[] {
  const nodes = bgpNodes(resources);
  const self = nodes.get(nodeName);
  if (self === undefined) return [`Node(${nodeName}) is not in the datastore, so it has no peers`];
  const text = formatIpAddress(address);
  if (self.addresses.some((own) => sameAddress(own, address))) return [`${text} is an address of this node itself`];
  const owner = [...nodes.values()].find((node) => node.addresses.some((own) => sameAddress(own, address)));
  const left = omitted
    .filter(({ peer }) => peer === text || (owner !== undefined && peer === `Node(${owner.name})`) || isForAll(peer))
    .map(({ origin, peer, reason }) => `${origin}: ${peer === text ? reason : `${peer}: ${reason}`}`);
  const peers = byName(resources.BGPPeer.values()).flatMap((peer) => ofPeer(peer, { address, self, owner }));
  const sentences = [...left, ...peers];
  if (sentences.length > 0) return [...new Set(sentences)];
  return [
    owner === undefined
      ? `no BGPPeer names ${text}, and no Node has that address`
      : `${text} is Node(${owner.name}), and no BGPPeer selects it`,
  ];
}

const isForAll = (peer: string): boolean => peer === 'every peer' || peer === 'node-to-node mesh';

interface Question {
  readonly address: IpAddress;
  readonly self: BgpNode;
  readonly owner: BgpNode | undefined;
}

/** Nothing where the BGPPeer has nothing to do with the address. */
function ofPeer(peer: BgpPeer, { address, self, owner }: Question): readonly string[] {
  const { spec } = peer;
  const name = `BGPPeer(${peer.metadata.name})`;
  const isNamed = isSet(spec.peerIP) && sameAddress(parsePeerIp(spec.peerIP).address, address);
  const isSelected = isSet(spec.peerSelector) && owner !== undefined;
  if (!isNamed && !isSelected) return [];
  const notHere = whyNotThisNode(peer, self);
  if (isNamed) return notHere === undefined ? [] : [`${name} names ${formatIpAddress(address)}, but ${notHere}`];
  const mismatch = owner === undefined ? undefined : mismatchText('peerSelector', spec.peerSelector!, owner);
  const reasons = [mismatch, notHere].filter((reason) => reason !== undefined);
  return reasons.length === 0 ? [] : [`${name}: ${reasons.join('; ')}`];
}

function whyNotThisNode({ spec }: BgpPeer, self: BgpNode): string | undefined {
  if (isSet(spec.node)) return spec.node === self.name ? undefined : `is for Node(${spec.node}) alone`;
  return isSet(spec.nodeSelector) ? mismatchText('nodeSelector', spec.nodeSelector, self) : undefined;
}

/** `nodeSelector "rack == 'a'" does not match Node(n1), whose rack is 'b'`; undefined where it matches. */
function mismatchText(field: string, text: string, { name, labels }: BgpNode): string | undefined {
  const selector = parseSelector(text);
  if (matchesSelector(selector, labels)) return undefined;
  const asked = selectorLabels(selector).map((label) => labelText(label, labels));
  return `its ${field} "${text}" does not match Node(${name})${asked.length === 0 ? '' : `: ${asked.join(', ')}`}`;
}

const labelText = (label: string, labels: Labels): string =>
  Object.hasOwn(labels, label) ? `label ${label} is '${labels[label]}'` : `label ${label} is not there`;

const isSet = (text: string | undefined): text is string => text !== undefined && text !== '';
