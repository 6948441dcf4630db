import type { z } from 'zod';
import { logSeverity } from './bgp-configuration.ts';
import { duration, fields, wholeNumber } from './fields.ts';
import type { KindSpec } from './kind.ts';
import { envelope, nameColumn } from './kind.ts';

/** The fields of Calico that concern routing, tunnels, health and metrics, and that we do not honour yet. */
const NOT_YET =
  `programClusterRoutes deviceRouteProtocol removeExternalRoutes deviceRouteSourceAddress deviceRouteSourceAddressIPv6
  routeSource routeTableRanges routeTableRange routeSyncDisabled interfaceRefreshInterval netlinkTimeout interfacePrefix
  interfaceExclude ipv4NormalRoutePriority ipv6NormalRoutePriority ipv4ElevatedRoutePriority ipv6ElevatedRoutePriority
  liveMigrationRouteConvergenceTime ipipEnabled vxlanEnabled vxlanMTUV6 wireguardMTU wireguardMTUV6 mtuIfacePattern
  ipForwarding localSubnetL2Reachability externalNodesList wireguardEnabled wireguardEnabledV6 wireguardListeningPort
  wireguardListeningPortV6 wireguardInterfaceName wireguardInterfaceNameV6 wireguardRoutingRulePriority healthEnabled
  healthHost healthPort healthTimeoutOverrides prometheusMetricsEnabled prometheusMetricsHost prometheusMetricsPort
  prometheusGoMetricsEnabled prometheusProcessMetricsEnabled prometheusWireGuardMetricsEnabled debugHost debugPort
  dataplaneWatchdogTimeout reportingInterval reportingTTL endpointReportingEnabled endpointReportingDelay
  endpointStatusPathPrefix failsafeInboundHostPorts failsafeOutboundHostPorts defaultEndpointToHostAction`.split(/\s+/);

const schema = envelope(
  'FelixConfiguration',
  false,
  fields(
    'FelixConfiguration.spec',
    {
      logSeverityScreen: logSeverity.exactOptional(),
      routeRefreshInterval: duration.exactOptional(),
      /** 0: from the MTU of the host. */
      ipipMTU: wholeNumber(0, 65535).exactOptional(),
      vxlanMTU: wholeNumber(0, 65535).exactOptional(),
      vxlanPort: wholeNumber(1, 65535).exactOptional(),
      vxlanVNI: wholeNumber(1, 16_777_215).exactOptional(),
    },
    NOT_YET,
  ),
);

export type FelixConfiguration = z.output<typeof schema>;

export const felixConfiguration: KindSpec<FelixConfiguration> = {
  kind: 'FelixConfiguration',
  plural: 'felixconfigurations',
  aliases: ['felixconfig', 'felixconfigs'],
  namespaced: false,
  schema,
  columns: [nameColumn],
  wideColumns: [nameColumn],
};
