import { z } from 'zod';
import { InvalidValueError } from '../model/invalid.ts';
import { formatPrefix, isHostPrefix, parsePrefix } from '../model/ip.ts';
import { parseResourceName } from '../model/resource-name.ts';
import { checkedText, fields, macAddress, text } from './fields.ts';
import type { KindSpec } from './kind.ts';
import { envelope, nameColumn } from './kind.ts';

const hostNetwork = text((value) => {
  const prefix = parsePrefix(value);
  if (!isHostPrefix(prefix)) throw new InvalidValueError('', value, 'is not a single address (/32 or /128)');
  return formatPrefix(prefix);
});

const shape = {
  orchestrator: z.string(),
  workload: z.string().exactOptional(),
  node: checkedText((value) => parseResourceName(value)),
  containerID: z.string().exactOptional(),
  pod: z.string().exactOptional(),
  endpoint: z.string(),
  ipNetworks: z.array(hostNetwork).default([]),
  interfaceName: z.string().regex(/^[^\s/]{1,15}$/, 'is not an interface name of at most 15 characters'),
  mac: macAddress.exactOptional(),
};

type Spec = z.output<z.ZodObject<typeof shape>>;

type NameParts = 'orchestrator' | 'node' | 'endpoint' | 'pod' | 'containerID' | 'workload';

/** The one name an endpoint may have: its parts, each `-` in them doubled. */
export function workloadEndpointName(spec: Pick<Spec, NameParts>): string {
  const { orchestrator, node, endpoint, pod = '', containerID = '', workload = '' } = spec;
  const owner = { k8s: pod, cni: containerID, libnetwork: 'libnetwork' }[orchestrator] ?? workload;
  return [node, orchestrator, owner, endpoint].map((part) => part.replaceAll('-', '--')).join('-');
}

/** What the names of a pod's endpoints on a node begin with. So do those of pods whose names go on from there: `web` and `web-0`. */
export const podEndpointsPrefix = (node: string, pod: string): string =>
  workloadEndpointName({ orchestrator: 'k8s', node, pod, endpoint: '' });

const schema = envelope(
  'WorkloadEndpoint',
  true,
  fields('WorkloadEndpoint.spec', shape, [
    'serviceAccountName',
    'ipNATs',
    'ipv4Gateway',
    'ipv6Gateway',
    'profiles',
    'ports',
    'allowSpoofedSourcePrefixes',
    'qosControls',
  ]),
).check((ctx) => {
  const expected = workloadEndpointName(ctx.value.spec);
  if (ctx.value.metadata.name === expected) return;
  const message = `is not the name that follows from the endpoint's spec; that is ${expected}`;
  ctx.issues.push({ code: 'custom', path: ['metadata', 'name'], input: ctx.value.metadata.name, message });
});

export type WorkloadEndpoint = z.output<typeof schema>;

const workload = { heading: 'WORKLOAD', value: ({ spec }: WorkloadEndpoint) => spec.pod ?? spec.workload ?? '' };
const node = { heading: 'NODE', value: ({ spec }: WorkloadEndpoint) => spec.node };
const networks = { heading: 'NETWORKS', value: ({ spec }: WorkloadEndpoint) => spec.ipNetworks.join(',') };
const hostInterface = { heading: 'INTERFACE', value: ({ spec }: WorkloadEndpoint) => spec.interfaceName };

export const workloadEndpoint: KindSpec<WorkloadEndpoint> = {
  kind: 'WorkloadEndpoint',
  plural: 'workloadendpoints',
  aliases: ['wep', 'weps'],
  namespaced: true,
  schema,
  columns: [workload, node, networks, hostInterface],
  wideColumns: [
    nameColumn,
    workload,
    node,
    networks,
    hostInterface,
    // Headings that scripts count on; both fields are refused above, so there is nothing to print.
    { heading: 'PROFILES', value: () => '' },
    { heading: 'NATS', value: () => '' },
  ],
};
