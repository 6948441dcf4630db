/** What a link is, as far as it matters to whether other nodes can send to an address on it. */
import type { HostInterface } from '../../felix/index.ts';

/** Names that Calico's first-found passes over (calico/node, interfaces excluded by default), whatever is behind them. */
const CALICO_PASSES_OVER =
  /^(docker|cbr|dummy|podman|virbr|lxcbr|veth|lo|br-|cali|tunl|flannel|kube-ipvs|cni|vxlan\.calico|vxlan-v6\.calico|wireguard\.cali|wg-v6\.cali|nodelocaldns)/;

/** Kinds as the kernel names them (IFLA_INFO_KIND). */
const BRIDGES = new Set(['bridge', 'openvswitch']);
const PAIRS = new Set(['veth', 'netkit', 'vxcan']);
const TUNNELS = new Set([
  ...['ipip', 'ip6tnl', 'sit', 'gre', 'gretap', 'ip6gre', 'ip6gretap', 'erspan', 'ip6erspan', 'vti', 'vti6', 'xfrm'],
  ...['vxlan', 'geneve', 'bareudp', 'gtp', 'amt', 'wireguard', 'tun'],
]);
const WITHOUT_WIRE = new Set(['dummy', 'ifb', 'vrf', 'nlmon']);

export const isPassedOverByName = ({ name }: HostInterface): boolean => CALICO_PASSES_OVER.test(name);

/** What a link is that is no way out of the host by itself, in words; undefined for hardware, bonds, VLANs and their like. */
export function specialKind({ kind }: HostInterface): string | undefined {
  if (kind === undefined) return undefined;
  if (BRIDGES.has(kind)) return 'a bridge';
  if (PAIRS.has(kind)) return `one end of a ${kind} pair`;
  if (TUNNELS.has(kind)) return `a tunnel (${kind})`;
  return WITHOUT_WIRE.has(kind) ? `without a wire (${kind})` : undefined;
}

/**
 * A host without hardware of its own is a container, and one end of a pair is its way out: a node of kind or of minikube.
 * Everywhere else it is the way to a pod.
 */
export const isPairOfContainer = ({ kind }: HostInterface, interfaces: readonly HostInterface[]): boolean =>
  kind !== undefined && PAIRS.has(kind) && !interfaces.some((each) => each.kind === undefined && each.name !== 'lo');
