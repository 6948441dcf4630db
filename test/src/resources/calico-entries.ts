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
  entry('ipreservations/routers', 'IPReservation', {
    metadata: stamps('routers'),
    spec: { reservedCIDRs: ['192.168.2.3', '10.0.2.0/24', 'cafe:f00d::/123'] },
  }),
  entry('tiers/default', 'Tier', {
    metadata: stamps('default'),
    spec: { order: 1_000_000, defaultAction: 'Deny' },
  }),
  entry('tiers/adminnetworkpolicy', 'Tier', {
    metadata: stamps('adminnetworkpolicy'),
    spec: { order: 1000, defaultAction: 'Pass' },
    status: { conditions: [] },
  }),
  entry('profiles/kns.kube-system', 'Profile', {
    metadata: stamps('kns.kube-system'),
    spec: {
      ingress: [{ action: 'Allow', source: {}, destination: {} }],
      egress: [{ action: 'Allow', source: {}, destination: {} }],
      labelsToApply: {
        'pcns.kubernetes.io/metadata.name': 'kube-system',
        'pcns.projectcalico.org/name': 'kube-system',
      },
    },
  }),
  entry('networkpolicies/production/allow-tcp-6379', 'NetworkPolicy', {
    metadata: stamps('allow-tcp-6379', { namespace: 'production' }),
    spec: {
      tier: 'default',
      selector: "role == 'database'",
      types: ['Ingress', 'Egress'],
      ingress: [
        {
          metadata: { annotations: { from: 'frontend' } },
          action: 'Allow',
          protocol: 'TCP',
          source: { selector: "role == 'frontend'", namespaceSelector: "environment in {'a', 'b'}" },
          destination: { ports: [6379, '8000:8080', 'redis'] },
        },
      ],
      egress: [{ action: 'Allow', source: {}, destination: {} }],
    },
  }),
  // Written by Calico's controllers for a policy of Kubernetes; tier and types are older than the fields.
  entry('networkpolicies/default/knp.default.access-nginx', 'NetworkPolicy', {
    metadata: stamps('knp.default.access-nginx', {
      namespace: 'default',
      labels: { 'projectcalico.org/tier': 'default' },
      annotations: { 'projectcalico.org/metadata': '{"uid":"1"}' },
    }),
    spec: {
      order: 1000,
      selector: "projectcalico.org/orchestrator == 'k8s' && app == 'nginx'",
      ingress: [
        {
          action: 'Allow',
          protocol: 'UDP',
          source: { nets: ['172.17.0.0/16'], notNets: ['172.17.1.0/24'] },
          destination: { ports: [53] },
        },
        { action: 'Allow', source: { selector: "run == 'access'", namespaceSelector: 'all()' }, destination: {} },
      ],
    },
  }),
  entry('globalnetworkpolicies/allow-ping', 'GlobalNetworkPolicy', {
    metadata: stamps('allow-ping'),
    spec: {
      tier: 'default',
      order: 10.5,
      selector: 'has(host-endpoint)',
      types: ['Ingress'],
      ingress: [
        { action: 'Allow', protocol: 'ICMP', icmp: { type: 8, code: 0 }, ipVersion: 4, source: {}, destination: {} },
        { action: 'Log', notProtocol: 132, source: { namespaceSelector: 'global()' }, destination: {} },
        { action: 'Deny', protocol: 'TCP', source: { notPorts: ['1:1023'] }, destination: {} },
        { action: 'Pass', source: { serviceAccounts: { names: ['api'], selector: "team == 'x'" } }, destination: {} },
      ],
      doNotTrack: true,
      applyOnForward: true,
      serviceAccountSelector: "role == 'x'",
      namespaceSelector: 'has(projectcalico.org/name)',
      performanceHints: ['AssumeNeededOnEveryNode'],
    },
  }),
  entry('networksets/default/external', 'NetworkSet', {
    metadata: stamps('external', { namespace: 'default', labels: { role: 'db' } }),
    spec: { nets: ['198.51.100.0/28', '203.0.113.7', '10.1.2.3/8'] },
  }),
  entry('globalnetworksets/bad', 'GlobalNetworkSet', {
    metadata: stamps('bad', { labels: { threat: 'feed' } }),
    spec: { nets: ['2001:db8::/32'] },
  }),
  entry('hostendpoints/node-a-eth0', 'HostEndpoint', {
    metadata: stamps('node-a-eth0', { labels: { 'host-endpoint': '' } }),
    spec: {
      node: 'node-a',
      interfaceName: 'eth0',
      expectedIPs: ['10.0.0.1', 'fd00::1'],
      profiles: ['projectcalico-default-allow'],
      ports: [{ name: 'some-port', port: 1234, protocol: 'TCP' }],
    },
  }),
  // calico-node writes reportingInterval, the manifests the rest.
  entry('felixconfigurations/default', 'FelixConfiguration', {
    metadata: stamps('default', { annotations: { 'operator.tigera.io/bpfEnabled': 'false' } }),
    spec: {
      bpfConnectTimeLoadBalancing: 'TCP',
      bpfConntrackTimeouts: { tcpEstablished: '1h', tcpFinsSeen: 'Auto' },
      bpfEnabled: false,
      bpfHostNetworkedNATWithoutCTLB: 'Enabled',
      bpfLogLevel: '',
      defaultEndpointToHostAction: 'Accept',
      externalNodesList: ['10.1.0.0/16', '10.2.0.1'],
      failsafeInboundHostPorts: [
        { protocol: 'TCP', port: 22 },
        { protocol: 'UDP', port: 68, net: '10.0.0.0/8' },
      ],
      failsafeOutboundHostPorts: [],
      featureDetectOverride: 'ChecksumOffloadBroken=true,SNATFullyRandom=',
      floatingIPs: 'Disabled',
      healthPort: 9099,
      healthTimeoutOverrides: [{ name: 'InternalDataplaneMainLoop', timeout: '1m30s' }],
      ipipEnabled: true,
      iptablesMarkMask: 4_278_190_080,
      kubeNodePortRanges: ['30000:32767', 8080],
      logSeverityScreen: 'Info',
      natPortRange: '32768:65535',
      nftablesMode: 'Auto',
      prometheusMetricsEnabled: true,
      reportingInterval: '0s',
      routeRefreshInterval: '1m30s',
      routeTableRanges: [
        { min: 65, max: 99 },
        { min: 256, max: 1000 },
      ],
      vxlanVNI: 4096,
      wireguardEnabled: true,
    },
  }),
  entry('felixconfigurations/node.node-a', 'FelixConfiguration', {
    metadata: stamps('node.node-a'),
    spec: { defaultEndpointToHostAction: 'Return', chainInsertMode: 'Insert' },
  }),
  entry('felixconfigurations/gpu', 'FelixConfiguration', {
    metadata: stamps('gpu'),
    spec: { nodeSelector: 'has(gpu)', ipipMTU: 8980 },
  }),
  entry('kubecontrollersconfigurations/default', 'KubeControllersConfiguration', {
    metadata: stamps('default'),
    spec: {
      logSeverityScreen: 'Info',
      healthChecks: 'Enabled',
      etcdV3CompactionPeriod: '10m0s',
      prometheusMetricsPort: 9094,
      controllers: {
        node: {
          reconcilerPeriod: '5m0s',
          syncLabels: 'Enabled',
          hostEndpoint: { autoCreate: 'Disabled' },
          leakGracePeriod: '15m0s',
        },
        policy: { reconcilerPeriod: '5m0s' },
        workloadEndpoint: { reconcilerPeriod: '5m0s' },
        serviceAccount: { reconcilerPeriod: '5m0s' },
        namespace: { reconcilerPeriod: '5m0s' },
        loadBalancer: { assignIPs: 'AllServices' },
        policyMigration: { enabled: 'Enabled' },
      },
    },
    status: { runningConfig: { logSeverityScreen: 'Info', controllers: {} }, environmentVars: { LOG_LEVEL: 'info' } },
  }),
  entry('caliconodestatuses/node-a', 'CalicoNodeStatus', {
    metadata: stamps('node-a'),
    spec: { node: 'node-a', classes: ['Agent', 'BGP', 'Routes'], updatePeriodSeconds: 10 },
    status: {
      lastUpdated: '2025-11-04T09:13:00Z',
      agent: {
        birdV4: {
          state: 'Ready',
          version: 'v0.3.3+birdv1.6.8',
          routerID: '10.0.0.1',
          lastBootTime: '2025-11-04 09:11:02',
          lastReconfigurationTime: '2025-11-04 09:11:05',
        },
        birdV6: {},
      },
      bgp: {
        numberEstablishedV4: 1,
        numberNotEstablishedV4: 0,
        numberEstablishedV6: 0,
        numberNotEstablishedV6: 0,
        peersV4: [{ peerIP: '10.0.0.2', type: 'NodeMesh', state: 'Established', since: '09:11:07' }],
      },
      routes: {
        routesV4: [
          {
            type: 'FIB',
            destination: '192.168.110.128/26',
            gateway: '10.0.0.2',
            interface: 'eth0',
            learnedFrom: { sourceType: 'NodeMesh', peerIP: '10.0.0.2' },
          },
        ],
      },
    },
  }),
  entry('caliconodestatuses/new', 'CalicoNodeStatus', {
    metadata: stamps('new'),
    spec: { node: 'node-b', classes: ['BGP'], updatePeriodSeconds: 0 },
    status: { lastUpdated: null, agent: {}, bgp: { peersV4: null }, routes: {} },
  }),
];
