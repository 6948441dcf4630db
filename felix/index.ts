/** The dataplane's only door: the one writer to the kernel. It knows no BGP; README.md tells how it works. */
import type { Dataplane, DataplaneSettings } from './contract.ts';
import type { DataplanePorts } from './dataplane.ts';
import { NodeDataplane } from './dataplane.ts';
import { createLinuxKernel } from './linux-kernel.ts';

export type {
  Dataplane,
  DataplaneHealth,
  DataplaneSettings,
  DataplaneTally,
  FightStatus,
  HostAddress,
  HostInterface,
  PassCounts,
  RepairStatus,
  RouteCount,
  TunnelStatus,
  WorkloadInterface,
  WorkloadNames,
  WorkloadSight,
} from './contract.ts';
export { ROUTE_CLASSES } from './desired.ts';
export type { DesiredRoute, RouteClass, RouteStatus, RouteTarget } from './desired.ts';
export { TUNNEL_LINKS, encapDecision } from './calc/encap.ts';
export { tunnelsOf } from './calc/tunnels.ts';
export type { TunnelNeed } from './calc/tunnels.ts';
export { tunnelMac } from './calc/tunnel-mac.ts';
export { hostInterfaces } from './host-interfaces.ts';
export { createLinuxKernel } from './linux-kernel.ts';
export type { LinuxKernelOptions } from './linux-kernel.ts';
export type { Kernel } from './kernel.ts';
export { KernelError } from './kernel.ts';
export { HOST_LINK_LOCAL, HOST_MAC, IPV4_GATEWAY } from './workload-interface.ts';
export type { NatStatus } from './nat/nat-table.ts';
export type { Nftables } from './nat/nftables.ts';
export { NftablesUnavailableError } from './nat/nftables.ts';
export { removeNatTable } from './nat/remove.ts';
export { subjectText as natSubjectText } from './nat/plan.ts';
export { createLinuxNftables } from './nat/linux-nftables.ts';
export { EMPTY_RECORD, recordingKernel } from './recording-kernel.ts';
export type { HostMemory, HostRecord } from './recording-kernel.ts';
export { carryOut, readUninstallPlan, stepText } from './uninstall.ts';
export type { UninstallPlan, UninstallStep } from './uninstall.ts';
export { addressOf } from './inputs.ts';
export type { ClusterNode, DataplaneInputs, EncapMode, LocalEndpoint, PeerGateway, Pool } from './inputs.ts';

type Optional<T, K extends keyof T> = Omit<T, K> & Partial<Pick<T, K>>;

/** The dataplane over the given kernel; where no way into pods' namespaces is given, the real one. */
export const createDataplane = (
  settings: DataplaneSettings,
  ports: Optional<DataplanePorts, 'openNamespace'>,
): Dataplane => new NodeDataplane(settings, { openNamespace: (netns) => createLinuxKernel({ netns }), ...ports });
