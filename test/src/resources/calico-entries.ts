import type { Json } from '../../../src/datastore/store.ts';

/** Entries as Calico v3 writes them into etcd: its keys, its order of fields, what it fills in and what it leaves empty. */

const RESOURCES = '/calico/resources/v3/projectcalico.org';

const stamps = (name: string, more: Readonly<Record<string, Json>> = {}): Json => ({
  name,
  uid: '3a5d1c5e-44a1-4b7c-8a29-0fd4a4b0f3f1',
  creationTimestamp: '2025-11-04T09:12:44Z',
  ...more,
});

const entry = (path: string, kind: string, body: Readonly<Record<string, Json>>): readonly [string, Json] => [
  `${RESOURCES}/${path}`,
  { kind, apiVersion: 'projectcalico.org/v3', ...body },
];

export const CALICO_ENTRIES: readonly (readonly [string, Json])[] = [
  entry('workloadendpoints/default/node--a-k8s-web--7d9f-eth0', 'WorkloadEndpoint', {
    metadata: stamps('node--a-k8s-web--7d9f-eth0', {
      generateName: 'web-',
      namespace: 'default',
      labels: {
        app: 'web',
        'pod-template-hash': '7d9f',
        'projectcalico.org/namespace': 'default',
        'projectcalico.org/orchestrator': 'k8s',
        'projectcalico.org/serviceaccount': 'default',
      },
    }),
    spec: {
      orchestrator: 'k8s',
      node: 'node-a',
      containerID: '8f3b6a0c55f0e8a2f3',
      pod: 'web-7d9f',
      endpoint: 'eth0',
      serviceAccountName: 'default',
      ipNetworks: ['192.168.17.3/32', 'fd00::11:3/128'],
      profiles: ['kns.default', 'ksa.default.default'],
      interfaceName: 'cali5b1f3c2d1e0',
      ports: [
        { name: 'http', protocol: 'TCP', port: 8080, hostPort: 0, hostIP: '' },
        { name: '', protocol: 'UDP', port: 53, hostPort: 5353, hostIP: '10.0.0.1' },
      ],
    },
  }),
  entry('workloadendpoints/openstack-region-one/node--a-openstack-vm-port', 'WorkloadEndpoint', {
    metadata: stamps('node--a-openstack-vm-port', { namespace: 'openstack-region-one' }),
    spec: {
      orchestrator: 'openstack',
      workload: 'vm',
      node: 'node-a',
      endpoint: 'port',
      ipNetworks: ['10.65.0.2/32'],
      ipNATs: [{ internalIP: '10.65.0.2', externalIP: '203.0.113.9', source: 'openstack' }],
      ipv4Gateway: '10.65.0.1',
      interfaceName: 'tap0f3e2d1c-aa',
      mac: 'fa:16:3e:10:20:30',
      allowSpoofedSourcePrefixes: ['198.51.100.0/24'],
      qosControls: { ingressBandwidth: 1_000_000, egressMaxConnections: 500 },
    },
  }),
  entry('nodes/node-a', 'Node', {
    metadata: stamps('node-a', { labels: { 'kubernetes.io/hostname': 'node-a', rack: 'r1' } }),
    spec: {
      bgp: { ipv4Address: '10.0.0.1/24', ipv4IPIPTunnelAddr: '192.168.17.1' },
      orchRefs: [{ nodeName: 'node-a', orchestrator: 'k8s' }],
      wireguard: { interfaceIPv4Address: '192.168.17.2' },
      addresses: [
        { address: '10.0.0.1/24', type: 'CalicoNodeIP' },
        { address: '10.0.0.1', type: 'InternalIP' },
      ],
      interfaces: [{ name: 'eth0', addresses: ['10.0.0.1'] }],
    },
    status: { wireguardPublicKey: 'jlkVyQYooZYzI2wFfNhSZez5eWh44yfq1wKVjLvSXgY=', podCIDRs: ['10.244.0.0/24'] },
  }),
];
