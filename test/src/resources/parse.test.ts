import { describe, expect, test } from 'vitest';
import type { AnyResource } from '../../../src/resources/index.ts';
import { InvalidResourceError, kindByAlias, KINDS, kindTable, parseResource } from '../../../src/resources/index.ts';
import { manifest, resource } from '../../support/resources.ts';

const refusal = (document: unknown): string => {
  try {
    parseResource(document);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidResourceError);
    return (error as Error).message;
  }
  return 'accepted';
};

const PEER = { peerIP: '172.30.1.1', asNumber: 65001 };

describe('a resource is refused with the field, the value and the reason', () => {
  test.each<[string, object, string]>([
    [
      'BGPPeer',
      { ...PEER, asNumber: '4294967296' },
      "spec.asNumber = '4294967296': is not an AS number between 1 and 4294967295",
    ],
    ['BGPPeer', { ...PEER, asNumber: 0 }, "spec.asNumber = '0': is not an AS number between 1 and 4294967295"],
    ['BGPPeer', { ...PEER, asNumber: 1.1 }, "spec.asNumber = '1.1': is not an AS number between 1 and 4294967295"],
    ['BGPPeer', { ...PEER, asNumber: true }, "spec.asNumber = 'true': is not an AS number between 1 and 4294967295"],
    ['BGPPeer', { peerIP: '172.30.1.1' }, "spec.asNumber = '': is required when peerIP is set"],
    [
      'BGPPeer',
      { ...PEER, asNumbr: 1 },
      `spec.asNumbr = '1': is not a field of BGPPeer.spec; did you mean "asNumber"?`,
    ],
    [
      'BGPPeer',
      { ...PEER, ASNUMBER: 1 },
      `spec.ASNUMBER = '1': is not a field of BGPPeer.spec; did you mean "asNumber"?`,
    ],
    ['BGPPeer', { ...PEER, bfd: true }, "spec.bfd = 'true': is not a field of BGPPeer.spec"],
    [
      'BGPPeer',
      { ...PEER, reachableBy: 'fd00::1' },
      "spec.reachableBy = 'fd00::1': ReachableBy and PeerIP address family mismatched",
    ],
    ['BGPPeer', { peerIP: 'no', asNumber: 1, reachableBy: '10.0.0.1' }, "spec.peerIP = 'no': is not an IP address"],
    [
      'BGPPeer',
      { peerSelector: 'all()', reachableBy: '10.0.0.1' },
      "spec.reachableBy = '10.0.0.1': reachableBy must be empty when peerIP is empty",
    ],
    [
      'BGPPeer',
      { ...PEER, localWorkloadSelector: 'all()' },
      "spec.peerIP = '172.30.1.1': peerIP must be empty when localWorkloadSelector is set",
    ],
    [
      'BGPPeer',
      { peerSelector: 'all()', localWorkloadSelector: 'all()' },
      "spec.peerSelector = 'all()': peerSelector must be empty when localWorkloadSelector is set",
    ],
    [
      'BGPPeer',
      { localWorkloadSelector: 'all()' },
      "spec.asNumber = '': asNumber is required when localWorkloadSelector is set",
    ],
    ['BGPPeer', { ...PEER, ttlSecurity: 256 }, "spec.ttlSecurity = '256': is not a whole number between 0 and 255"],
    [
      'BGPPeer',
      { ...PEER, filters: ['No'] },
      `spec.filters[0] = 'No': is not a lower-case DNS name (letters, digits, "-" and ".")`,
    ],
    ['BGPPeer', { ...PEER, password: {} }, "spec.password.secretKeyRef = '': is required"],
    [
      'BGPPeer',
      { ...PEER, password: { secretKeyRef: { name: 'bgp', key: '..' } } },
      "spec.password.secretKeyRef.key = '..': is not the key of a Secret",
    ],
    [
      'BGPPeer',
      { ...PEER, password: { secretKeyRef: { name: 'a/b', key: 'k' } } },
      `spec.password.secretKeyRef.name = 'a/b': is not a lower-case DNS name (letters, digits, "-" and ".")`,
    ],
    ['BGPPeer', { ...PEER, peerIP: '172.30.1.1:0' }, "spec.peerIP = '172.30.1.1:0': has no port between 1 and 65535"],
    [
      'BGPPeer',
      { ...PEER, node: 'a', nodeSelector: 'all()' },
      "spec.nodeSelector = 'all()': node and nodeSelector cannot both be set",
    ],
    [
      'BGPPeer',
      { peerIP: '1.1.1.1', asNumber: 1, peerSelector: 'all()' },
      "-  spec.peerSelector = 'all()': peerIP and peerSelector cannot both be set",
    ],
    [
      'BGPPeer',
      { peerSelector: 'all()', asNumber: 1 },
      "spec.asNumber = '1': asNumber must be empty when peerSelector is set",
    ],
    [
      'BGPPeer',
      { ...PEER, keepOriginalNextHop: true, nextHopMode: 'Self' },
      "spec.keepOriginalNextHop = 'true': keepOriginalNextHop and nextHopMode cannot both be set",
    ],
    [
      'BGPPeer',
      { ...PEER, nodeSelector: 'rack = 1' },
      `spec.nodeSelector = 'rack = 1': is not a selector: expected an operator after "rack" at position 6, found "= 1"`,
    ],
    ['BGPPeer', { ...PEER, maxRestartTime: 120 }, "spec.maxRestartTime = '120': is not a string"],
    [
      'BGPPeer',
      { ...PEER, maxRestartTime: '2 min' },
      "spec.maxRestartTime = '2 min': is not a duration such as 120s or 2m0s",
    ],
    ['BGPPeer', { ...PEER, keepaliveTime: '0s' }, "spec.keepaliveTime = '0s': is not between 1s and 21845s"],
    ['BGPPeer', { ...PEER, keepaliveTime: '999ms' }, "spec.keepaliveTime = '999ms': is not between 1s and 21845s"],
    ['BGPPeer', { ...PEER, keepaliveTime: '21846s' }, "spec.keepaliveTime = '21846s': is not between 1s and 21845s"],
    ['BGPPeer', { ...PEER, maxRestartTime: '4096s' }, "spec.maxRestartTime = '4096s': is not between 0s and 4095s"],
    ['BGPPeer', { ...PEER, maxRestartTime: '2h' }, "spec.maxRestartTime = '2h': is not between 0s and 4095s"],
    [
      'BGPConfiguration',
      { nodeMeshMaxRestartTime: '1h8m16s' },
      "spec.nodeMeshMaxRestartTime = '1h8m16s': is not between 0s and 4095s",
    ],
    ['BGPPeer', { ...PEER, nextHopMode: 'self' }, "spec.nextHopMode = 'self': is not one of Auto, Self, Keep"],
    ['IPPool', {}, "spec.cidr = '': is required"],
    [
      'IPPool',
      { cidr: '192.168.0.1/16' },
      "spec.cidr = '192.168.0.1/16': has host bits set; the network is 192.168.0.0/16",
    ],
    ['IPPool', { cidr: '192.168.0.0/33' }, "spec.cidr = '192.168.0.0/33': has no prefix length between 0 and 32"],
    ['IPPool', { cidr: '192.168.0.0' }, "spec.cidr = '192.168.0.0': is not a CIDR: it has no prefix length"],
    [
      'IPPool',
      { cidr: '169.254.8.0/24' },
      "spec.cidr = '169.254.8.0/24': overlaps the link local range 169.254.0.0/16",
    ],
    ['IPPool', { cidr: 'fe80::/64' }, "spec.cidr = 'fe80::/64': overlaps the link local range fe80::/10"],
    [
      'IPPool',
      { cidr: '10.0.0.0/16', blockSize: 19 },
      "spec.blockSize = '19': block size must be between 20 and 32 for IPv4",
    ],
    [
      'IPPool',
      { cidr: '10.0.0.0/16', blockSize: 33 },
      "spec.blockSize = '33': block size must be between 20 and 32 for IPv4",
    ],
    [
      'IPPool',
      { cidr: 'fd00::/64', blockSize: 26 },
      "spec.blockSize = '26': block size must be between 116 and 128 for IPv6",
    ],
    ['IPPool', { cidr: '10.0.0.0/28' }, "spec.cidr = '10.0.0.0/28': is smaller than one block of size 26"],
    [
      'IPPool',
      { cidr: 'fd00::/64', ipipMode: 'Always' },
      "spec.ipipMode = 'Always': IPIP is not supported on an IPv6 IP pool",
    ],
    [
      'IPPool',
      { cidr: '10.0.0.0/16', ipipMode: 'Always', vxlanMode: 'CrossSubnet' },
      "spec.vxlanMode = 'CrossSubnet': ipipMode and vxlanMode cannot both be enabled: ipipMode is Always",
    ],
    ['IPPool', { cidr: '10.0.0.0/16', natOutgoing: 'yes' }, "spec.natOutgoing = 'yes': is not a boolean"],
    [
      'IPPool',
      { cidr: '10.0.0.0/16', nodeSelector: '!global()' },
      "spec.nodeSelector = '!global()': may not contain global()",
    ],
    [
      'IPPool',
      { cidr: '10.0.0.0/16', allowedUses: ['LoadBalancer', 'Workload'] },
      `spec.allowedUses = '["LoadBalancer","Workload"]': LoadBalancer stands alone`,
    ],
    [
      'IPPool',
      { cidr: '10.0.0.0/16', allowedUses: ['LoadBalancer'], ipipMode: 'Always' },
      "spec.ipipMode = 'Always': a pool for LoadBalancer has no encapsulation",
    ],
    [
      'IPPool',
      { cidr: '10.0.0.0/16', allowedUses: ['LoadBalancer'], nodeSelector: "rack == 'a'" },
      "spec.nodeSelector = 'rack == 'a'': a pool for LoadBalancer is for all nodes: all()",
    ],
    [
      'IPPool',
      { cidr: '192.168.0.0/16', namespaceSelector: "team == 'red'" },
      "spec.namespaceSelector = 'team == 'red'': tunnels have no namespace: allowedUses may not have Tunnel, and is Workload, Tunnel",
    ],
    ['IPPool', { cidr: '10.0.0.0/16', disabled: 'yes' }, "spec.disabled = 'yes': is not a boolean"],
    ['Node', { bgp: {} }, "spec.bgp = '{}': Spec.BGP should not be empty"],
    ['Node', { bgp: { ipv4Address: 'fd00::1/64' } }, "spec.bgp.ipv4Address = 'fd00::1/64': is not an IPv4 address"],
    [
      'Node',
      { bgp: { ipv4Adress: '10.0.0.1/24' } },
      `spec.bgp.ipv4Adress = '10.0.0.1/24': is not a field of Node.spec.bgp; did you mean "ipv4Address"?`,
    ],
    [
      'Node',
      { addresses: [{ address: '10.0.0.1' }, { address: 'x' }] },
      "spec.addresses[1].address = 'x': is not an IP address",
    ],
    ['StagedNetworkPolicy', {}, "kind = 'StagedNetworkPolicy': is not a kind that is supported"],
    ['BGPConfiguration', { listenPort: 0 }, "spec.listenPort = '0': is not a whole number between 1 and 65535"],
    [
      'BGPConfiguration',
      { logSeverityScreen: 'loud' },
      "spec.logSeverityScreen = 'loud': is not one of Trace, Debug, Info, Warning, Error, Fatal",
    ],
  ])('%s %j', (kind, spec, message) => {
    expect(refusal(manifest(kind, 'x', spec))).toContain(message);
  });

  test('all faults are told at once', () => {
    expect(refusal(manifest('BGPPeer', 'A_b', { ...PEER, bfd: 1, reachableBy: 2 }))).toBe(
      [
        'error with the following fields:',
        `-  metadata.name = 'A_b': is not a lower-case DNS name (letters, digits, "-" and ".")`,
        "-  spec.reachableBy = '2': is not a string",
        "-  spec.bfd = '1': is not a field of BGPPeer.spec",
      ].join('\n'),
    );
  });

  test('a field that is not known hides no other fault, and is not taken for an empty object', () => {
    expect(refusal(manifest('BGPPeer', 'p', { ...PEER, keepaliveTime: '0s', colour: 1, asNumber: '' }))).toBe(
      [
        'error with the following fields:',
        "-  spec.asNumber = '': is not an AS number between 1 and 4294967295",
        "-  spec.keepaliveTime = '0s': is not between 1s and 21845s",
        "-  spec.colour = '1': is not a field of BGPPeer.spec",
      ].join('\n'),
    );
    expect(refusal(manifest('Node', 'n', { bgp: { ipv4Adress: '10.0.0.1/24' } }))).toBe(
      `error with field spec.bgp.ipv4Adress = '10.0.0.1/24': is not a field of Node.spec.bgp; did you mean "ipv4Address"?`,
    );
  });

  test('a configuration of one node may not set what is the cluster’s', () => {
    const spec = { asNumber: 64513, listenPort: 1790 };
    expect(refusal(manifest('BGPConfiguration', 'node.node-a1', spec))).toBe(
      "error with field spec.asNumber = '64513': Cannot set asNumber on a non default BGP Configuration.",
    );
    expect(refusal(manifest('BGPConfiguration', 'node.node-a1', { listenPort: 1790 }))).toBe('accepted');
    expect(refusal(manifest('BGPConfiguration', 'default', spec))).toBe('accepted');
  });

  test.each<[unknown, string]>([
    ['text', "document = 'text': is not an object with apiVersion, kind, metadata and spec"],
    [{ kind: 'IPPool' }, "apiVersion = '': is not projectcalico.org/v3"],
    [manifest('BGPPer', 'x'), `kind = 'BGPPer': is not a kind that is supported; did you mean "BGPPeer"?`],
    [manifest('Pod', 'x'), "kind = 'Pod': is not a kind that is supported"],
    [{ ...manifest('Node', 'x'), extra: 1 }, "extra = '1': is not a field of Node"],
    [{ ...manifest('Node', 'x'), metadata: {} }, "metadata.name = '': is required"],
    [manifest('Node', { name: 'x', labels: { 'a b': 'c' } }), "metadata.labels.a b = 'c': is not a label name"],
    [manifest('Node', { name: 'x', labels: { a: '-' } }), "metadata.labels.a = '-': is not a label value"],
    [
      { ...manifest('Node', 'x'), metadata: { name: 'x', namespace: 'y' } },
      "metadata.namespace = 'y': namespace should not be specified for a non-namespaced resource. Node is not a namespaced resource",
    ],
  ])('%j', (document, message) => {
    expect(refusal(document)).toBe(`error with field ${message}`);
  });
});

describe('a resource is completed as Calico completes it', () => {
  test('an IPv4 pool', () => {
    expect(resource('IPPool', 'p', { cidr: '192.168.0.0/16' }).spec).toEqual({
      cidr: '192.168.0.0/16',
      ipipMode: 'Never',
      vxlanMode: 'Never',
      natOutgoing: false,
      disabled: false,
      disableBGPExport: false,
      blockSize: 26,
      nodeSelector: 'all()',
      allowedUses: ['Workload', 'Tunnel'],
      assignmentMode: 'Automatic',
    });
  });

  test('an IPv6 pool has smaller blocks, and a disabled one may be too small for them', () => {
    expect(resource('IPPool', 'p', { cidr: 'FD00:0:0::/64' }).spec).toMatchObject({
      cidr: 'fd00::/64',
      blockSize: 122,
    });
    expect(resource('IPPool', 'p', { cidr: '10.0.0.0/28', disabled: true }).spec.blockSize).toBe(26);
  });

  test('AS numbers become numbers and durations become Go’s', () => {
    expect(resource('BGPPeer', 'p', { ...PEER, maxRestartTime: '4095s' }).spec.maxRestartTime).toBe('1h8m15s');
    const spec = { ...PEER, asNumber: '1.10', maxRestartTime: '120s', keepaliveTime: '1500ms' };
    expect(resource('BGPPeer', 'p', spec).spec).toMatchObject({
      asNumber: 65546,
      maxRestartTime: '2m0s',
      keepaliveTime: '1.5s',
    });
  });

  test('an empty spec, null stamps and empty maps are nothing', () => {
    const document = {
      ...manifest('Node', 'x'),
      metadata: { name: 'x', creationTimestamp: null, labels: {} },
      spec: null,
    };
    expect(parseResource(document)).toEqual({ ...document, metadata: { name: 'x' }, spec: {} });
  });

  test('a workload endpoint is in a namespace and has the name that its spec gives it', () => {
    const spec = {
      orchestrator: 'k8s',
      node: 'node-a1',
      pod: 'web-1',
      endpoint: 'eth0',
      interfaceName: 'cali0123456789a',
    };
    const name = 'node--a1-k8s-web--1-eth0';
    const endpoint = resource('WorkloadEndpoint', name, { ...spec, ipNetworks: ['192.168.0.1'] });
    expect(endpoint.metadata.namespace).toBe('default');
    expect(endpoint.spec.ipNetworks).toEqual(['192.168.0.1/32']);
    expect(refusal(manifest('WorkloadEndpoint', 'other', spec))).toContain(
      `metadata.name = 'other': is not the name that follows from the endpoint's spec; that is ${name}`,
    );
    expect(refusal(manifest('WorkloadEndpoint', name, { ...spec, ipNetworks: ['10.0.0.0/24'] }))).toContain(
      "spec.ipNetworks[0] = '10.0.0.0/24': is not a single address (/32 or /128)",
    );
  });

  test('what was accepted is accepted again, unchanged', () => {
    const all: readonly AnyResource[] = [
      resource('IPPool', 'p', { cidr: 'fd00::/64' }),
      resource('BGPPeer', 'p', { ...PEER, maxRestartTime: '90s', localASNumber: '2.3' }),
      resource('BGPConfiguration', 'default', { asNumber: '64513', logSeverityScreen: 'DEBUG' }),
      resource('ClusterInformation', 'default', { datastoreReady: true }),
    ];
    for (const value of all) expect(parseResource(value)).toEqual(value);
  });
});

describe('the table of kinds', () => {
  test('finds a kind by its name, its plural and its aliases, whatever the case', () => {
    for (const kind of KINDS) {
      const { plural, aliases } = kindTable[kind];
      for (const word of [kind, plural, ...aliases]) expect(kindByAlias(word.toUpperCase())).toBe(kind);
    }
    expect(kindByAlias('somekind')).toBeUndefined();
  });

  test('has no word that means two kinds', () => {
    const words = KINDS.flatMap((kind) => [kind.toLowerCase(), kindTable[kind].plural, ...kindTable[kind].aliases]);
    expect(new Set(words).size).toBe(words.length);
  });
});
