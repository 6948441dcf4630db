/** One container's connection to a network, as a runtime's call asks for it. */
import { InvalidValueError } from '../model/invalid.ts';
import type { IpAddress, IpFamily } from '../model/ip.ts';
import { parseInterfaceAddress, parseIpAddress } from '../model/ip.ts';
import type { CniArgs } from './environment.ts';
import { CNI_CODE, CniError } from './errors.ts';
import type { NetworkConfig } from './network-config.ts';

/** Whose interface it is: a pod's, or a container's of which the runtime tells no pod (`ctr`, `podman`, `cnitool`). */
export type Workload =
  | { readonly orchestrator: 'k8s'; readonly namespace: string; readonly pod: string }
  | { readonly orchestrator: 'cni'; readonly containerId: string };

/** Names or CIDRs of IP pools, and who asks for them. */
export interface AskedPools {
  readonly pools: readonly string[];
  readonly by: string;
}

export type AddressWish =
  /** One of each family; `available`: of those that a pool is there for. */
  | {
      readonly kind: 'assigned';
      readonly families: readonly IpFamily[] | 'available';
      readonly pools: { readonly [F in IpFamily]?: AskedPools };
    }
  | { readonly kind: 'given'; readonly addresses: readonly IpAddress[]; readonly by: string };

/** By these the specification has an attachment told from others. */
export interface AttachmentKey {
  readonly network: string;
  readonly containerId: string;
  readonly interfaceName: string;
}

export interface Attachment extends AttachmentKey {
  readonly netns: string;
  readonly workload: Workload;
  /** 0: what the tunnels of this host leave. */
  readonly mtu: number;
  readonly allowIpForwarding: boolean;
  readonly wish: AddressWish;
}

const ANNOTATIONS = 'io.kubernetes.cri.pod-annotations';
const CALICO = 'cni.projectcalico.org/';
/** Without them a pod would be another one than was asked for. */
const REFUSED = ['ipAddrsNoIpam', 'floatingIPs', 'hwAddr'] as const;

export const workloadOf = ({ podName, podNamespace }: CniArgs, containerId: string): Workload =>
  podName !== undefined && podNamespace !== undefined
    ? { orchestrator: 'k8s', namespace: podNamespace, pod: podName }
    : { orchestrator: 'cni', containerId };

/**
 * Which addresses, by Calico's order: what the pod's annotation asks for, the runtime's `ips`, the `args`, CNI_ARGS; else from
 * pools, the annotation's before the configuration's. Throws CniError with the key and the value.
 */
export function addressWish(config: NetworkConfig, args: CniArgs): AddressWish {
  const annotations = podAnnotations(config);
  for (const name of REFUSED) {
    const value = annotations[CALICO + name];
    if (value !== undefined) throw invalidWish(CALICO + name, value, 'is not supported');
  }
  const given =
    listAnnotation(annotations, 'ipAddrs') ??
    listOf('runtimeConfig.ips', config.runtimeConfig['ips']) ??
    listOf('args.cni.ips', config.args?.cni?.ips) ??
    (args.ip === undefined ? undefined : { list: [args.ip], by: 'CNI_ARGS: IP' });
  if (given !== undefined) return { kind: 'given', addresses: addressesOf(given), by: given.by };
  const { assign_ipv4, assign_ipv6, ipv4_pools, ipv6_pools } = config.ipam;
  const ipv4 = poolsOf(listAnnotation(annotations, 'ipv4pools') ?? listOf('ipam.ipv4_pools', ipv4_pools));
  const ipv6 = poolsOf(listAnnotation(annotations, 'ipv6pools') ?? listOf('ipam.ipv6_pools', ipv6_pools));
  return {
    kind: 'assigned',
    families: [...(assign_ipv4 ? ([4] as const) : []), ...(assign_ipv6 ? ([6] as const) : [])],
    pools: { ...(ipv4 && { 4: ipv4 }), ...(ipv6 && { 6: ipv6 }) },
  };
}

/** As containerd and CRI-O give them to a plugin whose `capabilities` ask for them. */
function podAnnotations({ runtimeConfig }: NetworkConfig): Readonly<Record<string, unknown>> {
  const annotations = runtimeConfig[ANNOTATIONS];
  return typeof annotations === 'object' && annotations !== null ? { ...annotations } : {};
}

interface Asked {
  readonly list: readonly string[];
  readonly by: string;
}

const invalidWish = (field: string, value: unknown, reason: string): CniError =>
  new CniError(CNI_CODE.invalidConfig, new InvalidValueError(field, value, reason).message);

/** Calico writes lists into annotations as JSON. */
function listAnnotation(annotations: Readonly<Record<string, unknown>>, name: string): Asked | undefined {
  const by = CALICO + name;
  const text = annotations[by];
  if (text === undefined || text === '') return undefined;
  if (typeof text !== 'string') throw invalidWish(by, text, 'is not text');
  try {
    return listOf(by, JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) throw invalidWish(by, text, 'is not a JSON list, as in ["10.0.0.1"]');
    throw error;
  }
}

/** Undefined where it is absent or has nothing in it. */
function listOf(by: string, value: unknown): Asked | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw invalidWish(by, value, 'is not a list');
  const list = value.map((item: unknown) => {
    if (typeof item !== 'string') throw invalidWish(by, value, 'has something in it that is not text');
    return item;
  });
  return list.length === 0 ? undefined : { list, by };
}

const poolsOf = (asked: Asked | undefined): AskedPools | undefined => asked && { pools: asked.list, by: asked.by };

/** One of each family at most, as Calico; the mask that a runtime may write behind an address means nothing here. */
function addressesOf({ list, by }: Asked): readonly IpAddress[] {
  const addresses = list.map((text) => {
    try {
      return text.includes('/') ? parseInterfaceAddress(text, by).address : parseIpAddress(text, by);
    } catch (error) {
      if (error instanceof InvalidValueError) throw new CniError(CNI_CODE.invalidConfig, error.message);
      throw error;
    }
  });
  for (const family of [4, 6] as const) {
    if (addresses.filter((address) => address.family === family).length > 1) {
      throw invalidWish(by, list, `has more than one IPv${family} address`);
    }
  }
  return addresses.toSorted((a, b) => a.family - b.family);
}
