import * as z from 'zod';
import { InvalidValueError } from '../model/invalid.ts';
import { parseInterfaceAddress, parseIpAddress } from '../model/ip.ts';
import type { IpFamily } from '../model/ip.ts';
import { checkedText, fields, wholeNumber } from './fields.ts';
import {
  anyDuration,
  caseless,
  choice,
  duration,
  ENABLED,
  failsafePorts,
  flag,
  list,
  matching,
  number,
  ports,
  words,
} from './felix-values.ts';
import { once } from './once.ts';
import { portOrRange } from './traffic-fields.ts';

/** Fields of FelixConfiguration by subject; those of the eBPF dataplane are in felix-bpf-fields.ts. */

const UINT32 = [0, 4_294_967_295] as const;
const PORT = [0, 65_535] as const;
const MTU = [0, 65_535] as const;
const SIZE = [0, 2_147_483_647] as const;
const GO = [-1, Number.MAX_SAFE_INTEGER] as const;
const PRIORITY = [1, 2_147_483_646] as const;

const HOST: readonly [RegExp, string] = [/^[a-zA-Z0-9:._+-]{0,64}$/, 'is neither a host name nor an address'];
const INTERFACE: readonly [RegExp, string] = [
  /^[a-zA-Z0-9:._+-]{0,15}$/,
  'is not an interface name of at most 15 characters',
];

const SEVERITIES = ['Trace', 'Debug', 'Info', 'Warning', 'Error', 'Fatal'] as const;
const severity = (description: string) => choice(SEVERITIES, 'Info', description);

/** An empty text is as good as none. */
const address = (family: IpFamily, description: string) =>
  checkedText((value) => {
    if (value === '' || parseIpAddress(value).family === family) return;
    throw new InvalidValueError('', value, `is not an IPv${family} address`);
  })
    .describe(description)
    .exactOptional();

const ipv4Network = once(() =>
  checkedText((value) => {
    if (parseInterfaceAddress(value).address.family !== 4) throw new InvalidValueError('', value, 'is not IPv4');
  }),
);

const tables = (owner: string, max: number) =>
  fields(`FelixConfiguration.spec.${owner}`, { min: wholeNumber(1, max), max: wholeNumber(1, max) });

export const routeFields = once(() => ({
  deviceRouteProtocol: number([0, 255], 3, "the protocol of routes to local workloads; Felix's others have 80"),
  deviceRouteSourceAddress: address(4, 'source hint of IPv4 routes to workloads'),
  deviceRouteSourceAddressIPv6: address(6, 'source hint of IPv6 routes to workloads'),
  ipForwarding: choice(ENABLED, 'Enabled', "whether the host's forwarding is switched on"),
  ipv4ElevatedRoutePriority: number(PRIORITY, 512, 'metric of routes during a live migration'),
  ipv4NormalRoutePriority: number(PRIORITY, 1024, 'metric of routes; that of BGPConfiguration must be the same'),
  ipv6ElevatedRoutePriority: number(PRIORITY, 512, 'metric of routes during a live migration'),
  ipv6NormalRoutePriority: number(PRIORITY, 1024, 'metric of routes; that of BGPConfiguration must be the same'),
  liveMigrationRouteConvergenceTime: duration('30s', 'how long a route stays elevated after a live migration'),
  localSubnetL2Reachability: choice(
    ['Disabled', 'PodsAndLoadBalancers'],
    'Disabled',
    "whether ARP and NDP are answered for addresses in the host's subnet",
  ),
  localSubnetL2ReachabilityRefreshInterval: duration('2m0s'),
  netlinkTimeout: duration('10s', 'how long the kernel may take to answer'),
  programClusterRoutes: choice(
    ['Enabled', 'Disabled', 'EnabledIPIPOnly', 'EnabledNoEncapOnly'],
    'EnabledIPIPOnly',
    'which routes to other nodes Felix writes, beside those over VXLAN',
  ),
  removeExternalRoutes: flag(true, "whether others' routes on workload interfaces are removed"),
  routeRefreshInterval: duration('1m30s', 'between full comparisons with the kernel; 0: none'),
  routeSource: choice(['CalicoIPAM', 'WorkloadIPs'], 'CalicoIPAM', 'where routes to other nodes come from'),
  routeSyncDisabled: flag(false, 'leaves all routes alone'),
  routeTableRange: tables('routeTableRange', 250).describe('superseded by routeTableRanges').exactOptional(),
  routeTableRanges: list(
    tables('routeTableRanges', UINT32[1]),
    [{ min: 1, max: 250 }],
    'routing tables that may be used',
  ),
}));

export const interfaceFields = once(() => ({
  interfaceExclude: words('kube-ipvs0', 'not host endpoints: names and /patterns/, separated by commas'),
  interfacePrefix: matching(
    [/^[a-zA-Z0-9_-]{1,15}(,[a-zA-Z0-9_-]{1,15})*$/, 'is not a list of prefixes of at most 15 characters'],
    'cali',
    'how the interfaces of workloads begin; several are separated by commas',
  ),
  interfaceRefreshInterval: duration('1m30s', 'between full listings of the interfaces; 0: none'),
  mtuIfacePattern: words('^((en|wl|ww|sl|ib)[Pcopsvx].*|(eth|wlan|wwan).*)', "interfaces whose MTU is the host's"),
  requireMTUFile: flag(false),
}));

export const tunnelFields = once(() => ({
  allowIPIPPacketsFromWorkloads: flag(false, 'whether workloads may send IPIP'),
  allowVXLANPacketsFromWorkloads: flag(false, 'whether workloads may send VXLAN'),
  externalNodesList: list(ipv4Network(), [], 'others whose tunnel packets are let in'),
  ipipEnabled: flag(undefined, 'absent: as the pools need it'),
  ipipMTU: number(MTU, 0, "0: the parent's less 20"),
  vxlanEnabled: flag(undefined, 'absent: as the pools need it'),
  vxlanMTU: number(MTU, 0, "0: the parent's less 50"),
  vxlanMTUV6: number(MTU, 0, "0: the parent's less 70"),
  vxlanPort: number(PORT, 4789, 'UDP'),
  vxlanVNI: number([0, 16_777_215], 4096),
  wireguardEnabled: flag(false),
  wireguardEnabledV6: flag(false),
  wireguardHostEncryptionEnabled: flag(false),
  wireguardInterfaceName: matching(INTERFACE, 'wireguard.cali'),
  wireguardInterfaceNameV6: matching(INTERFACE, 'wg-v6.cali'),
  wireguardKeepAlive: duration('0s', '0: none'),
  wireguardListeningPort: number(PORT, 51_820, 'UDP'),
  wireguardListeningPortV6: number(PORT, 51_821, 'UDP'),
  wireguardMTU: number(MTU, 0, "0: the parent's less 60"),
  wireguardMTUV6: number(MTU, 0, "0: the parent's less 80"),
  wireguardRoutingRulePriority: number(SIZE, 99),
  wireguardThreadingEnabled: flag(false),
}));

export const natFields = once(() => ({
  floatingIPs: choice(ENABLED, 'Disabled', 'whether floating addresses other than those of OpenStack are programmed'),
  kubeNodePortRanges: list(portOrRange, ['30000:32767'], 'node ports, where kube-proxy uses IPVS').check((ctx) => {
    if (ctx.value.length <= 7) return;
    ctx.issues.push({ code: 'custom', input: ctx.value, message: 'has more than 7 entries' });
  }),
  natOutgoingAddress: address(4, "what natOutgoing puts in the place of the outgoing interface's address"),
  natOutgoingExclusions: choice(
    ['IPPoolsOnly', 'IPPoolsAndHostIPs'],
    'IPPoolsOnly',
    'destinations to which packets keep their source in spite of natOutgoing',
  ),
  natPortRange: ports(undefined, 'source ports that natOutgoing gives to TCP and UDP'),
}));

export const healthFields = once(() => ({
  dataplaneWatchdogTimeout: duration('1m30s', 'superseded by healthTimeoutOverrides'),
  healthEnabled: flag(false, 'whether /liveness and /readiness are answered'),
  healthHost: matching(HOST, 'localhost'),
  healthPort: number(PORT, 9099),
  healthTimeoutOverrides: list(
    fields('FelixConfiguration.spec.healthTimeoutOverrides', { name: z.string(), timeout: anyDuration }),
    [],
    'how long a part may be silent before it counts as failed',
  ),
  prometheusGoMetricsEnabled: flag(true),
  prometheusMetricsCAFile: words(),
  prometheusMetricsCertFile: words(),
  prometheusMetricsClientAuth: choice(
    ['NoClientCert', 'RequireAnyClientCert', 'VerifyClientCertIfGiven', 'RequireAndVerifyClientCert'],
    'NoClientCert',
  ),
  prometheusMetricsEnabled: flag(false, 'whether /metrics is answered'),
  prometheusMetricsHost: matching(HOST, '', 'absent: all addresses'),
  prometheusMetricsKeyFile: words(),
  prometheusMetricsPort: number(PORT, 9091),
  prometheusProcessMetricsEnabled: flag(true),
  prometheusWireGuardMetricsEnabled: flag(true),
}));

export const logFields = once(() => ({
  flowLogsCollectorDebugTrace: flag(false),
  flowLogsFlushInterval: duration('5m0s'),
  flowLogsGoldmaneServer: words(),
  flowLogsLocalReporter: choice(ENABLED, 'Disabled'),
  flowLogsPolicyEvaluationMode: choice(['None', 'Continuous'], 'Continuous'),
  logActionRateLimit: matching(
    [/^([1-9]\d{0,3}\/(second|minute|hour|day))?$/, 'is not a rate such as 10/second'],
    undefined,
    'how often the action Log may be taken',
  ),
  logActionRateLimitBurst: number([0, 9999], 5),
  logDebugFilenameRegex: words(),
  logFilePath: words('/var/log/calico/felix.log', '`none`: no file'),
  logPrefix: matching([/^[a-zA-Z0-9%: /_-]*$/, 'has more than letters, digits and "%: /_-"'], 'calico-packet'),
  logSeverityFile: severity('of what goes into the file'),
  logSeverityScreen: severity('of what goes to standard output'),
  logSeveritySys: caseless([...SEVERITIES, 'None'])
    .meta({ enum: [...SEVERITIES, 'None'], absent: 'Info', description: 'of what goes to syslog' })
    .exactOptional(),
}));

const VERDICT = ['Accept', 'Return'] as const;
const REFUSAL = ['Drop', 'Reject'] as const;

export const policyFields = once(() => ({
  chainInsertMode: choice(['Insert', 'Append'], 'Insert', "where Felix's rules go in the kernel's chains"),
  defaultEndpointToHostAction: choice(['Drop', 'Accept', 'Return'], 'Drop', 'for packets from workloads to the host'),
  disableConntrackInvalidCheck: flag(false),
  failsafeInboundHostPorts: failsafePorts('failsafeInboundHostPorts', [
    'TCP 22',
    'UDP 68',
    'TCP 179',
    'TCP 2379',
    'TCP 2380',
    'TCP 5473',
    'TCP 6443',
    'TCP 6666',
    'TCP 6667',
  ]),
  failsafeOutboundHostPorts: failsafePorts('failsafeOutboundHostPorts', [
    'UDP 53',
    'UDP 67',
    'TCP 179',
    'TCP 2379',
    'TCP 2380',
    'TCP 5473',
    'TCP 6443',
    'TCP 6666',
    'TCP 6667',
  ]),
  genericXDPEnabled: flag(false),
  ipsetsRefreshInterval: duration('1m30s'),
  iptablesBackend: choice(['Legacy', 'NFT', 'Auto'], 'Auto'),
  iptablesFilterAllowAction: choice(VERDICT, 'Accept'),
  iptablesFilterDenyAction: choice(REFUSAL, 'Drop'),
  iptablesLockProbeInterval: duration('50ms'),
  iptablesMangleAllowAction: choice(VERDICT, 'Accept'),
  iptablesMarkMask: number(UINT32, 0xffff_0000),
  iptablesNATOutgoingInterfaceFilter: matching(INTERFACE),
  iptablesPostWriteCheckInterval: duration('5s'),
  iptablesRefreshInterval: duration('3m0s'),
  maxIpsetSize: number(SIZE, 1_048_576),
  nftablesFilterAllowAction: choice(VERDICT, 'Accept'),
  nftablesFilterDenyAction: choice(REFUSAL, 'Drop'),
  nftablesMangleAllowAction: choice(VERDICT, 'Accept'),
  nftablesMarkMask: number(UINT32, 0xffff_0000),
  nftablesMode: choice(['Disabled', 'Enabled', 'Auto'], 'Auto'),
  nftablesRefreshInterval: duration('3m0s'),
  policySyncPathPrefix: words(),
  serviceLoopPrevention: choice(
    ['Drop', 'Reject', 'Disabled'],
    'Drop',
    'for packets to service addresses that nobody has',
  ),
  sidecarAccelerationEnabled: flag(false),
  workloadSourceSpoofing: choice(['Disabled', 'Any'], 'Disabled'),
  xdpEnabled: flag(true),
  xdpRefreshInterval: duration('1m30s'),
}));

export const reportFields = once(() => ({
  endpointReportingDelay: duration('1s'),
  endpointReportingEnabled: flag(false),
  endpointStatusPathPrefix: words('/var/run/calico', 'where the status of endpoints is written; empty: nowhere'),
  reportingInterval: duration('30s', 'between reports of the status; 0: none'),
  reportingTTL: duration('1m30s'),
  usageReportingEnabled: flag(true),
  usageReportingInitialDelay: duration('5m0s'),
  usageReportingInterval: duration('24h0m0s'),
}));

const KEY_VALUES: readonly [RegExp, string] = [
  /^([\w-]+=[^=,]*(,[\w-]+=[^=,]*)*)?,?$/,
  'is not a list of name=value, separated by commas',
];

export const processFields = once(() => ({
  awsSrcDstCheck: choice(['DoNothing', 'Enable', 'Disable'], 'DoNothing'),
  cgroupV2Path: words(),
  dataplaneDriver: words('calico-iptables-plugin'),
  debugDisableLogDropping: flag(false),
  debugHost: matching(HOST, 'localhost'),
  debugMemoryProfilePath: words(),
  debugPort: number(PORT),
  debugSimulateCalcGraphHangAfter: duration('0s'),
  debugSimulateDataplaneApplyDelay: duration('0s'),
  debugSimulateDataplaneHangAfter: duration('0s'),
  featureDetectOverride: matching(KEY_VALUES),
  featureGates: matching(KEY_VALUES),
  goGCThreshold: number(GO, 40),
  goMaxProcs: number(GO, -1),
  goMemoryLimitMB: number(GO, -1),
  ipv6Support: flag(true),
  istioAmbientMode: choice(ENABLED, 'Disabled'),
  istioDSCPMark: z.union([z.int(), z.string()], { error: 'is not a DSCP' }).meta({ absent: 23 }).exactOptional(),
  metadataAddr: words('127.0.0.1'),
  metadataPort: number(PORT, 8775),
  openstackRegion: matching([/^([a-z0-9]([-a-z0-9]{0,44}[a-z0-9])?)?$/, 'is not a DNS label of at most 46 characters']),
  useInternalDataplaneDriver: flag(true),
  windowsManageFirewallRules: choice(ENABLED, 'Disabled'),
}));

/** Calico had them once; a FelixConfiguration of an older cluster still may. */
export const formerFields = once(() => ({
  bpfKubeProxyEndpointSlicesEnabled: flag(),
  iptablesLockFilePath: words(),
  iptablesLockTimeout: duration(),
}));
