import * as z from 'zod';
import { InvalidValueError } from '../model/invalid.ts';
import { formatPrefix, isHostPrefix, parseIpAddress, parsePrefix, sameAddress } from '../model/ip.ts';
import { checkedText, fields, ipAddress, macAddress, resourceName, text, wholeNumber } from './fields.ts';
import type { KindSpec } from './kind.ts';
import { envelope, nameColumn } from './kind.ts';
import { once } from './once.ts';
import { portNameOrNone, portNumber, portProtocol } from './traffic-fields.ts';

const hostNetwork = once(() =>
  text((value) => {
    const prefix = parsePrefix(value);
    if (!isHostPrefix(prefix)) throw new InvalidValueError('', value, 'is not a single address (/32 or /128)');
    return formatPrefix(prefix);
  }),
);

const singleAddress = (value: string) => parseIpAddress(value.replace(/\/(32|128)$/, ''));

/** A port of the container: its name, and the port of the host that leads to it, if any. */
const containerPort = once(() =>
  fields('WorkloadEndpoint.spec.ports', {
    name: portNameOrNone.default(''),
    protocol: portProtocol,
    port: portNumber,
    hostPort: wholeNumber(0, 65_535).default(0).describe('0: none'),
    hostIP: checkedText((value) => value === '' || singleAddress(value)).default(''),
  }).check((ctx) => {
    if (ctx.value.name !== '' || ctx.value.hostPort !== 0) return;
    ctx.issues.push({ code: 'custom', path: ['name'], input: '', message: 'is required where there is no hostPort' });
  }),
);

const nat = once(() =>
  fields('WorkloadEndpoint.spec.ipNATs', {
    internalIP: checkedText(singleAddress),
    externalIP: checkedText(singleAddress),
    source: z.string().exactOptional().describe('`openstack`: a floating IP of OpenStack'),
  }).check((ctx) => {
    const { internalIP, externalIP } = ctx.value;
    if (singleAddress(internalIP).family === singleAddress(externalIP).family) return;
    const message = `is not of the IP version of ${internalIP}`;
    ctx.issues.push({ code: 'custom', path: ['externalIP'], input: externalIP, message });
  }),
);

const shape = once(() => ({
  orchestrator: z.string().describe('`k8s`, `cni`, `libnetwork`, `openstack` …'),
  workload: z.string().exactOptional(),
  node: resourceName,
  containerID: z.string().exactOptional(),
  pod: z.string().exactOptional(),
  endpoint: z.string().describe('the interface inside: `eth0`'),
  serviceAccountName: z.string().exactOptional(),
  ipNetworks: z.array(hostNetwork()).default([]),
  ipNATs: z.array(nat()).exactOptional().describe('floating addresses; not programmed yet'),
  ipv4Gateway: ipAddress(4).exactOptional(),
  ipv6Gateway: ipAddress(6).exactOptional(),
  profiles: z.array(resourceName).exactOptional().describe('in order; not enforced yet'),
  interfaceName: z.string().regex(/^[^\s/]{1,15}$/, 'is not an interface name of at most 15 characters'),
  mac: macAddress.exactOptional(),
  ports: z.array(containerPort()).exactOptional().describe('names that rules use; not used yet'),
  allowSpoofedSourcePrefixes: z
    .array(checkedText((value) => (value.includes('/') ? parsePrefix(value) : parseIpAddress(value))))
    .exactOptional()
    .describe('not enforced yet'),
  qosControls: z.record(z.string(), z.unknown()).exactOptional().describe('carried along unread'),
}));

type Spec = z.output<z.ZodObject<ReturnType<typeof shape>>>;

type NameParts = 'orchestrator' | 'node' | 'endpoint' | 'pod' | 'containerID' | 'workload';

/** The one name an endpoint may have: its parts, each `-` in them doubled. */
export function workloadEndpointName(spec: Pick<Spec, NameParts>): string {
  const { orchestrator, node, endpoint, pod = '', containerID = '', workload = '' } = spec;
  const owner = { k8s: pod, cni: containerID, libnetwork: 'libnetwork' }[orchestrator] ?? workload;
  return [node, orchestrator, owner, endpoint].map((part) => part.replaceAll('-', '--')).join('-');
}

/** What the names of a workload's endpoints on a node begin with. So do those of others whose names go on from there: `web` and `web-0`. */
export const endpointsPrefix = (workload: Omit<Pick<Spec, NameParts>, 'endpoint'>): string =>
  workloadEndpointName({ ...workload, endpoint: '' });

/** Whether an endpoint of this name is one of that node. */
export const isEndpointOf = (name: string, node: string): boolean => {
  const start = `${node.replaceAll('-', '--')}-`;
  return name.startsWith(start) && name[start.length] !== '-';
};

const spec = once(() =>
  fields('WorkloadEndpoint.spec', shape()).check((ctx) => {
    for (const [i, { internalIP }] of (ctx.value.ipNATs ?? []).entries()) {
      const address = singleAddress(internalIP);
      if (ctx.value.ipNetworks.some((network) => sameAddress(parsePrefix(network).address, address))) continue;
      const path = ['ipNATs', i, 'internalIP'];
      ctx.issues.push({ code: 'custom', path, input: internalIP, message: 'is none of ipNetworks' });
    }
  }),
);

const schema = once(() =>
  envelope('WorkloadEndpoint', true, spec()).check((ctx) => {
    const expected = workloadEndpointName(ctx.value.spec);
    if (ctx.value.metadata.name === expected) return;
    const message = `is not the name that follows from the endpoint's spec; that is ${expected}`;
    ctx.issues.push({ code: 'custom', path: ['metadata', 'name'], input: ctx.value.metadata.name, message });
  }),
);

export type WorkloadEndpoint = z.output<ReturnType<typeof schema>>;

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
    { heading: 'PROFILES', value: ({ spec: { profiles = [] } }) => profiles.join(',') },
    { heading: 'NATS', value: ({ spec: { ipNATs = [] } }) => ipNATs.map(({ externalIP }) => externalIP).join(',') },
  ],
};
