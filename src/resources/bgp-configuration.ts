import * as z from 'zod';
import { parseCommunity } from '../model/community.ts';
import { InvalidValueError } from '../model/invalid.ts';
import { formatPrefix, parsePrefix } from '../model/ip.ts';
import type { Fault } from './fields.ts';
import {
  asNumber,
  checkedText,
  fields,
  ipAddress,
  obeys,
  password,
  restartTime,
  routePriority,
  text,
  wholeNumber,
} from './fields.ts';
import type { KindSpec } from './kind.ts';
import { envelope, nameColumn, orDash } from './kind.ts';
import { once } from './once.ts';

/** AS number of a cluster that names none. */
export const DEFAULT_ASN = 64512;

/** What a node's routes have where no priority is set; the metric of kernel routes in Calico. */
export const DEFAULT_ROUTE_PRIORITY = 1024;

const SEVERITIES = ['Trace', 'Debug', 'Info', 'Warning', 'Error', 'Fatal'] as const;

/** Any case is understood, Calico's own is stored. */
export const logSeverity = text((value) => {
  const severity = SEVERITIES.find((candidate) => candidate.toLowerCase() === value.toLowerCase());
  if (severity === undefined) throw new InvalidValueError('', value, `is not one of ${SEVERITIES.join(', ')}`);
  return severity;
});

const communityName = once(() =>
  z.string().regex(/^[a-zA-Z0-9_.-]{1,128}$/, 'is not a name (letters, digits, "-", "_" and ".")'),
);

/** Calico's own words in front. */
const advertisedCidr = once(() =>
  text((value) => {
    try {
      return formatPrefix(parsePrefix(value));
    } catch (error) {
      if (!(error instanceof InvalidValueError)) throw error;
      throw new InvalidValueError('', value, `invalid CIDR value: ${error.reason}`);
    }
  }),
);

const communities = once(() =>
  z
    .array(
      fields('BGPConfiguration.spec.communities', {
        name: communityName(),
        value: checkedText((value) => parseCommunity(value)).meta({ samples: ['64512:100', '64512:1:2'] }),
      }),
    )
    .max(500, 'has more than 500 entries'),
);

const prefixAdvertisements = once(() =>
  z
    .array(
      fields('BGPConfiguration.spec.prefixAdvertisements', {
        cidr: advertisedCidr(),
        communities: z
          .array(z.string())
          .max(50, 'has more than 50 entries')
          .default([])
          .describe('names out of communities, or communities themselves'),
      }),
    )
    .max(500, 'has more than 500 entries'),
);

const CLUSTER = 'in `default` only';
const PRIORITY = { absent: DEFAULT_ROUTE_PRIORITY, description: CLUSTER };

const KEPT = 'kept; not acted upon yet';
const network = once(() => checkedText((value) => value === '' || parsePrefix(value)));

/** A service range. Calico passes over an empty one. */
const serviceRanges = (field: string) =>
  z.array(fields(`BGPConfiguration.spec.${field}`, { cidr: network().exactOptional() })).describe(KEPT);

const interfacePattern = once(() =>
  z
    .string()
    .regex(
      /^(?!\*$)[a-zA-Z0-9_.*-]{1,15}$/,
      'is not an interface name of at most 15 characters, "*" for any run of them',
    ),
);

const spec = once(() =>
  fields('BGPConfiguration.spec', {
    logSeverityScreen: logSeverity
      .meta({ enum: [...SEVERITIES] })
      .default('Info')
      .describe('of what bird logs'),
    nodeToNodeMeshEnabled: z.boolean().meta({ absent: true, description: CLUSTER }).exactOptional(),
    asNumber: asNumber.meta({ absent: DEFAULT_ASN, description: CLUSTER }).exactOptional(),
    listenPort: wholeNumber(1, 65535).meta({ absent: 179, description: 'where bird listens' }).exactOptional(),
    nodeMeshMaxRestartTime: restartTime.describe(CLUSTER).exactOptional(),
    nodeMeshPassword: password('BGPConfiguration.spec.nodeMeshPassword').describe(CLUSTER).exactOptional(),
    communities: communities().exactOptional().describe('names for use in prefixAdvertisements'),
    prefixAdvertisements: prefixAdvertisements().exactOptional().describe('communities for prefixes that we announce'),
    ipv4NormalRoutePriority: routePriority.meta(PRIORITY).exactOptional(),
    ipv6NormalRoutePriority: routePriority.meta(PRIORITY).exactOptional(),
    serviceClusterIPs: serviceRanges('serviceClusterIPs').exactOptional(),
    serviceExternalIPs: serviceRanges('serviceExternalIPs').exactOptional(),
    serviceLoadBalancerIPs: serviceRanges('serviceLoadBalancerIPs').exactOptional(),
    serviceLoadBalancerAggregation: z.enum(['Enabled', 'Disabled']).describe(KEPT).exactOptional(),
    bindMode: z
      .enum(['None', 'NodeIP'])
      .meta({ absent: 'None', description: `\`NodeIP\`: bird listens on the node's addresses alone; ${CLUSTER}` })
      .exactOptional(),
    ignoredInterfaces: z.array(interfacePattern()).describe(KEPT).exactOptional(),
    localWorkloadPeeringIPV4: ipAddress(4).describe(KEPT).exactOptional(),
    localWorkloadPeeringIPV6: ipAddress(6).describe(KEPT).exactOptional(),
    programClusterRoutes: z.string().describe(KEPT).exactOptional(),
  }),
);

type Spec = z.output<ReturnType<typeof spec>>;

const DEFAULT_ONLY = [
  'nodeToNodeMeshEnabled',
  'asNumber',
  'nodeMeshMaxRestartTime',
  'nodeMeshPassword',
  'ipv4NormalRoutePriority',
  'ipv6NormalRoutePriority',
  'serviceClusterIPs',
  'serviceExternalIPs',
  'serviceLoadBalancerIPs',
] as const satisfies readonly (keyof Spec)[];

function meshFaults(value: Spec): readonly Fault[] {
  if (value.nodeToNodeMeshEnabled !== false) return [];
  return (['nodeMeshPassword', 'nodeMeshMaxRestartTime'] as const)
    .filter((field) => value[field] !== undefined)
    .map((field) => [[field], 'cannot be set when nodeToNodeMeshEnabled is false'] as const);
}

function communityFaults({ communities: defined = [], prefixAdvertisements: used = [] }: Spec): readonly Fault[] {
  const isKnown = (community: string): boolean =>
    defined.some(({ name }) => name === community) || isCommunity(community);
  const unused: readonly Fault[] =
    defined.length > 0 && used.length === 0
      ? [[['communities'], 'communities are defined but not used in prefixAdvertisements']]
      : [];
  const unknown = used.flatMap(({ communities: own }, i) =>
    own.flatMap((community, k): readonly Fault[] =>
      isKnown(community)
        ? []
        : [[['prefixAdvertisements', i, 'communities', k], 'community used is invalid or not defined.']],
    ),
  );
  return [...unused, ...unknown];
}

function isCommunity(value: string): boolean {
  try {
    parseCommunity(value);
    return true;
  } catch {
    return false;
  }
}

/**
 * BGPConfiguration, named `default` or `node.<name>`; the latter overrides the port, the log level and the
 * prefixAdvertisements of one node.
 */
const schema = once(() =>
  envelope('BGPConfiguration', false, spec()).check(
    obeys(({ metadata, spec: value }) => {
      const misplaced = metadata.name === 'default' ? [] : DEFAULT_ONLY.filter((field) => value[field] !== undefined);
      const faults: readonly Fault[] = [
        ...misplaced.map((field): Fault => [[field], `Cannot set ${field} on a non default BGP Configuration.`]),
        ...meshFaults(value),
        ...communityFaults(value),
      ];
      return faults.map(([path, reason]): Fault => [['spec', ...path], reason]);
    }),
  ),
);

export type BgpConfiguration = z.output<ReturnType<typeof schema>>;

const columns: KindSpec<BgpConfiguration>['columns'] = [
  nameColumn,
  { heading: 'LOGSEVERITY', value: (r) => r.spec.logSeverityScreen },
  { heading: 'MESHENABLED', value: (r) => orDash(r.spec.nodeToNodeMeshEnabled) },
  { heading: 'ASNUMBER', value: (r) => orDash(r.spec.asNumber) },
];

const NO_SERVICES = { instead: 'service addresses are not announced yet' };
const NO_WORKLOADS = { instead: 'no node peers with its pods yet' };

export const bgpConfiguration: KindSpec<BgpConfiguration> = {
  kind: 'BGPConfiguration',
  plural: 'bgpconfigurations',
  aliases: ['bgpconfig', 'bgpconfigs'],
  namespaced: false,
  schema,
  unheeded: {
    serviceClusterIPs: NO_SERVICES,
    serviceExternalIPs: NO_SERVICES,
    serviceLoadBalancerIPs: NO_SERVICES,
    ignoredInterfaces: { instead: 'it changes nothing: routes of interfaces are not announced' },
    localWorkloadPeeringIPV4: NO_WORKLOADS,
    localWorkloadPeeringIPV6: NO_WORKLOADS,
    programClusterRoutes: { instead: "felix programs the cluster's routes", unless: 'Disabled' },
  },
  columns,
  wideColumns: columns,
};
