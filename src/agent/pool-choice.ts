import { choosePools, passedOverText } from '../ipam/index.ts';
import type { IpamPool, PoolChoice, RuledPool, TunnelKind } from '../ipam/index.ts';
import { parsePrefix } from '../model/ip.ts';
import type { IpFamily } from '../model/ip.ts';
import type { Labels } from '../model/selector.ts';
import type { IpPool, Resources } from '../resources/index.ts';
import type { Knowledge } from './cluster-view.ts';

/** The labels of a namespace stand in its Profile, behind this; so does Calico keep them in etcd. */
const NAMESPACE_LABEL = 'pcns.';

/** An IPPool in IPAM's words. */
export const ruledPool = ({ metadata, spec }: IpPool): RuledPool => ({
  name: metadata.name,
  cidr: parsePrefix(spec.cidr),
  blockSize: spec.blockSize,
  disabled: spec.disabled,
  allowedUses: spec.allowedUses,
  assignmentMode: spec.assignmentMode,
  nodeSelector: spec.nodeSelector,
  ...(spec.namespaceSelector !== undefined && { namespaceSelector: spec.namespaceSelector }),
});

/** Those of which a pod may have an address that it asks for by name, whatever their selectors and mode say. */
export const givingPools = ({ resources }: Knowledge): readonly RuledPool[] =>
  allPools(resources).filter(({ disabled, allowedUses }) => !disabled && allowedUses.includes('Workload'));

const allPools = (resources: Resources): readonly RuledPool[] => [...resources.IPPool.values()].map(ruledPool);

const labelsOfNode = ({ node, resources }: Knowledge): Labels => resources.Node.get(node)?.metadata.labels ?? {};

/** Whose address it is to be, as far as the pools ask. */
export interface PodApplicant {
  readonly namespace: string;
  /** Names or CIDRs of pools that the pod asks for. */
  readonly pools?: readonly string[];
  /** Absent: either. */
  readonly family?: IpFamily;
}

/** Pools that a pod of this node takes its address from, and why from no other. Throws InvalidValueError for pools it may not ask for. */
export function workloadPools(knowledge: Knowledge, { namespace, pools, family }: PodApplicant): PoolChoice<RuledPool> {
  const labels = namespaceLabels(knowledge.resources, namespace);
  return choosePools(allPools(knowledge.resources), {
    use: 'Workload',
    node: knowledge.node,
    nodeLabels: labelsOfNode(knowledge),
    namespace: { name: namespace, ...(labels && { labels }) },
    ...(pools && { requested: pools }),
    ...(family && { family }),
  });
}

/** The pools that `workloadPools` chose. Throws one sentence that has the reason of each pool, where it chose none. */
export function requireWorkloadPools(knowledge: Knowledge, pod: PodApplicant): readonly IpamPool[] {
  const { chosen, passedOver } = workloadPools(knowledge, pod);
  if (chosen.length > 0) return chosen;
  const { node } = knowledge;
  throw new Error(
    `no ippool gives ${pod.family === undefined ? '' : `IPv${pod.family} `}addresses to pods of ${node} in namespace ${pod.namespace}: ${passedOverText(passedOver)}`,
  );
}

/** Undefined where no Profile tells them. */
function namespaceLabels({ Profile }: Resources, namespace: string): Labels | undefined {
  const profile = Profile.get(`kns.${namespace}`);
  if (profile === undefined) return undefined;
  const labels = Object.entries(profile.spec.labelsToApply ?? {}).flatMap(([label, value]) =>
    label.startsWith(NAMESPACE_LABEL) ? [[label.slice(NAMESPACE_LABEL.length), value] as const] : [],
  );
  return Object.fromEntries(labels);
}

/** Pools that this node takes tunnel addresses of `kind` from; none in a family that the node has no address of. */
export function tunnelPools(knowledge: Knowledge, kind: TunnelKind): readonly RuledPool[] {
  const { node, resources } = knowledge;
  const family = kind === 'vxlan-v6' ? 6 : 4;
  const { ipv4Address, ipv6Address } = resources.Node.get(node)?.spec.bgp ?? {};
  if ((family === 4 ? ipv4Address : ipv6Address) === undefined) return [];
  const pools = [...resources.IPPool.values()]
    .filter(({ spec }) => (kind === 'ipip' ? spec.ipipMode : spec.vxlanMode) !== 'Never')
    .map(ruledPool);
  return choosePools(pools, { use: 'Tunnel', node, nodeLabels: labelsOfNode(knowledge), family }).chosen;
}
