import { z } from 'zod';
import { asNumber, fields, restartTime, text, wholeNumber } from './fields.ts';
import { InvalidValueError } from '../model/invalid.ts';
import type { KindSpec } from './kind.ts';
import { envelope, nameColumn, orDash } from './kind.ts';

/** AS number of a cluster that names none. */
export const DEFAULT_ASN = 64512;

const SEVERITIES = ['Trace', 'Debug', 'Info', 'Warning', 'Error', 'Fatal'] as const;

/** Any case is understood, Calico's own is stored. */
export const logSeverity = text((value) => {
  const severity = SEVERITIES.find((candidate) => candidate.toLowerCase() === value.toLowerCase());
  if (severity === undefined) throw new InvalidValueError('', value, `is not one of ${SEVERITIES.join(', ')}`);
  return severity;
});

const spec = fields(
  'BGPConfiguration.spec',
  {
    logSeverityScreen: logSeverity.default('Info'),
    /** Absent: true. */
    nodeToNodeMeshEnabled: z.boolean().exactOptional(),
    /** Absent: DEFAULT_ASN. */
    asNumber: asNumber.exactOptional(),
    /** Absent: 179. */
    listenPort: wholeNumber(1, 65535).exactOptional(),
    nodeMeshMaxRestartTime: restartTime.exactOptional(),
  },
  [
    'serviceClusterIPs',
    'serviceExternalIPs',
    'serviceLoadBalancerIPs',
    'serviceLoadBalancerAggregation',
    'communities',
    'prefixAdvertisements',
    'nodeMeshPassword',
    'bindMode',
    'ignoredInterfaces',
    'localWorkloadPeeringIPV4',
    'localWorkloadPeeringIPV6',
    'programClusterRoutes',
    'ipv4NormalRoutePriority',
    'ipv6NormalRoutePriority',
  ],
);

const DEFAULT_ONLY = ['nodeToNodeMeshEnabled', 'asNumber', 'nodeMeshMaxRestartTime'] as const;

/** BGPConfiguration, named `default` or `node.<name>`; the latter overrides the port and the log level of one node. */
const schema = envelope('BGPConfiguration', false, spec).check((ctx) => {
  if (ctx.value.metadata.name === 'default') return;
  for (const field of DEFAULT_ONLY.filter((name) => ctx.value.spec[name] !== undefined)) {
    const message = `Cannot set ${field} on a non default BGP Configuration.`;
    ctx.issues.push({ code: 'custom', path: ['spec', field], input: ctx.value.spec[field], message });
  }
});

export type BgpConfiguration = z.output<typeof schema>;

const columns: KindSpec<BgpConfiguration>['columns'] = [
  nameColumn,
  { heading: 'LOGSEVERITY', value: (r) => r.spec.logSeverityScreen },
  { heading: 'MESHENABLED', value: (r) => orDash(r.spec.nodeToNodeMeshEnabled) },
  { heading: 'ASNUMBER', value: (r) => orDash(r.spec.asNumber) },
];

export const bgpConfiguration: KindSpec<BgpConfiguration> = {
  kind: 'BGPConfiguration',
  plural: 'bgpconfigurations',
  aliases: ['bgpconfig', 'bgpconfigs'],
  namespaced: false,
  schema,
  columns,
  wideColumns: columns,
};
