import { describe, expect, test } from 'vitest';
import { IPAM_CONFIG_KEY } from '../../../src/datastore/keys.ts';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import type { Json } from '../../../src/datastore/store.ts';
import type { AnyResource, FelixConfiguration, KindSpec } from '../../../src/resources/index.ts';
import {
  createResourceClient,
  felixConfigurationsOf,
  kindTable,
  resourcesFromEntries,
} from '../../../src/resources/index.ts';
import { manifest, resource } from '../../support/resources.ts';
import { refusal } from './refusal.ts';

const cells = (value: AnyResource): readonly string[] =>
  (kindTable[value.kind] as KindSpec<AnyResource>).wideColumns.map((column) => column.value(value, { globalAsn: 1 }));

describe('a FelixConfiguration', () => {
  const of = (spec: object, name = 'default'): string => refusal(manifest('FelixConfiguration', name, spec));

  test.each<[object, string]>([
    [{ vxlanVni: 1 }, `spec.vxlanVni = '1': is not a field of FelixConfiguration.spec; did you mean "vxlanVNI"?`],
    [{ ipipMtu: 1 }, `spec.ipipMtu = '1': is not a field of FelixConfiguration.spec; did you mean "ipipMTU"?`],
    [{ bpfEnable: 1 }, `spec.bpfEnable = '1': is not a field of FelixConfiguration.spec; did you mean "bpfEnabled"?`],
    [{ healthEnabled: 'true' }, "spec.healthEnabled = 'true': is not a boolean"],
    [{ healthPort: 65_536 }, "spec.healthPort = '65536': is not a whole number between 0 and 65535"],
    [{ healthHost: 'a b' }, "spec.healthHost = 'a b': is neither a host name nor an address"],
    [{ vxlanVNI: 16_777_216 }, "spec.vxlanVNI = '16777216': is not a whole number between 0 and 16777215"],
    [{ deviceRouteProtocol: 256 }, "spec.deviceRouteProtocol = '256': is not a whole number between 0 and 255"],
    [
      { ipv4NormalRoutePriority: 0 },
      "spec.ipv4NormalRoutePriority = '0': is not a whole number between 1 and 2147483646",
    ],
    [{ istioDSCPMark: 1e21 }, "spec.istioDSCPMark = '1e+21': is larger than 9007199254740991"],
    [{ istioDSCPMark: -1e21 }, "spec.istioDSCPMark = '-1e+21': is smaller than -9007199254740991"],
    [{ istioDSCPMark: [] }, "spec.istioDSCPMark = '[]': is not a DSCP"],
    [{ routeRefreshInterval: 90 }, "spec.routeRefreshInterval = '90': is not a string"],
    [{ routeRefreshInterval: '90' }, "spec.routeRefreshInterval = '90': is not a duration such as 120s or 2m0s"],
    [{ routeRefreshInterval: '10us' }, "spec.routeRefreshInterval = '10us': is shorter than 1ms, and not 0"],
    [{ natOutgoingAddress: 'fd00::1' }, "spec.natOutgoingAddress = 'fd00::1': is not an IPv4 address"],
    [{ natOutgoingAddress: '' }, 'accepted'],
    [
      { deviceRouteSourceAddressIPv6: '1.1.1.1' },
      "spec.deviceRouteSourceAddressIPv6 = '1.1.1.1': is not an IPv6 address",
    ],
    [
      { natOutgoingExclusions: 'None' },
      "spec.natOutgoingExclusions = 'None': is not one of IPPoolsOnly, IPPoolsAndHostIPs",
    ],
    [
      { natPortRange: '9:8' },
      "spec.natPortRange = '9:8': is not a port or a range of ports from 1 to 65535, such as 80 or 8080:8089",
    ],
    [{ kubeNodePortRanges: ['http'] }, "spec.kubeNodePortRanges[0] = 'http': is not a port or a range of ports"],
    [{ kubeNodePortRanges: [1, 2, 3, 4, 5, 6, 7] }, 'accepted'],
    [{ kubeNodePortRanges: [1, 2, 3, 4, 5, 6, 7, 8] }, "'[1,2,3,4,5,6,7,8]': has more than 7 entries"],
    [{ externalNodesList: ['fd00::/8'] }, "spec.externalNodesList[0] = 'fd00::/8': is not IPv4"],
    [{ interfacePrefix: 'cali,tap' }, 'accepted'],
    [
      { interfacePrefix: 'cali,' },
      "spec.interfacePrefix = 'cali,': is not a list of prefixes of at most 15 characters",
    ],
    [{ openstackRegion: 'a'.repeat(47) }, 'is not a DNS label of at most 46 characters'],
    [{ logActionRateLimit: '10/week' }, "spec.logActionRateLimit = '10/week': is not a rate such as 10/second"],
    [{ featureGates: 'a=b,c' }, "spec.featureGates = 'a=b,c': is not a list of name=value, separated by commas"],
    [{ failsafeInboundHostPorts: [{ protocol: 'ICMP', port: 1 }] }, ".protocol = 'ICMP': is not one of TCP, UDP, SCTP"],
    [{ failsafeInboundHostPorts: [{ protocol: 'TCP' }] }, "spec.failsafeInboundHostPorts[0].port = '': is required"],
    [{ healthTimeoutOverrides: [{ name: 'x' }] }, "spec.healthTimeoutOverrides[0].timeout = '': is required"],
    [
      { bpfConntrackTimeouts: { tcpSynSent: 'auto' } },
      "spec.bpfConntrackTimeouts.tcpSynSent = 'auto': is not a duration",
    ],
    [
      { routeTableRange: { min: 0, max: 1 } },
      "spec.routeTableRange.min = '0': is not a whole number between 1 and 250",
    ],
    [{ routeTableRange: { min: 9, max: 8 } }, "spec.routeTableRange.max = '8': is before min"],
    [{ routeTableRanges: [{ min: 9, max: 8 }] }, "spec.routeTableRanges[0].max = '8': is before min"],
    [{ routeTableRanges: [{ min: 1, max: 65_536 }] }, 'are 65536 tables, more than 65535'],
    [{ routeTableRanges: [{ min: 2, max: 65_536 }] }, 'accepted'],
    [
      { routeTableRange: { min: 1, max: 2 }, routeTableRanges: [{ min: 1, max: 2 }] },
      `spec.routeTableRange = '{"min":1,"max":2}': cannot be set beside routeTableRanges`,
    ],
  ])('with %j: %s', (spec, message) => {
    expect(of(spec)).toContain(message);
  });

  test('selects nodes, unless its name says which', () => {
    const spec = { nodeSelector: 'has(gpu)' };
    expect(of(spec, 'gpu')).toBe('accepted');
    for (const name of ['default', 'node.a']) {
      expect(of(spec, name)).toBe(
        `spec.nodeSelector = 'has(gpu)': cannot be set in ${name}, whose nodes its name says`,
      );
    }
  });

  test('has Calico’s spelling of what may be written in any case, and Go’s of durations', () => {
    const written = { chainInsertMode: 'append', logSeveritySys: 'NONE', routeRefreshInterval: '90s', bpfLogLevel: '' };
    expect(resource('FelixConfiguration', 'default', written).spec).toEqual({
      chainInsertMode: 'Append',
      logSeveritySys: 'None',
      routeRefreshInterval: '1m30s',
      bpfLogLevel: '',
    });
  });

  test('fills nothing in: a weaker one would be hidden', () => {
    expect(resource('FelixConfiguration', 'node.a').spec).toEqual({});
  });
});

describe('the FelixConfigurations of a node', () => {
  const all = (...list: readonly FelixConfiguration[]) => new Map(list.map((one) => [one.metadata.name, one]));
  const selecting = (name: string, nodeSelector: string, creationTimestamp: string) => {
    const made = resource('FelixConfiguration', name, { nodeSelector });
    return { ...made, metadata: { ...made.metadata, creationTimestamp } };
  };
  const names = (
    configurations: ReadonlyMap<string, FelixConfiguration>,
    node: Parameters<typeof felixConfigurationsOf>[0],
  ) => felixConfigurationsOf(node, configurations).map(({ metadata }) => metadata.name);

  test('are its own, the oldest that selects it, and the cluster’s', () => {
    const configurations = all(
      resource('FelixConfiguration', 'default'),
      resource('FelixConfiguration', 'node.a'),
      resource('FelixConfiguration', 'node.b'),
      resource('FelixConfiguration', 'nobody'),
      selecting('a-young', 'has(gpu)', '2026-01-02T00:00:00Z'),
      selecting('twin', 'has(gpu)', '2026-01-01T00:00:00Z'),
      selecting('old', 'has(gpu)', '2026-01-01T00:00:00Z'),
      selecting('other', '!has(gpu)', '2020-01-01T00:00:00Z'),
    );
    expect(names(configurations, { name: 'a', labels: { gpu: '' } })).toEqual(['node.a', 'old', 'default']);
    expect(names(configurations, { name: 'c' })).toEqual(['other', 'default']);
    expect(names(all(), { name: 'c' })).toEqual([]);
  });
});

describe('an IPAMConfiguration', () => {
  const read = (value: Json) => resourcesFromEntries([{ key: IPAM_CONFIG_KEY, value, revision: 9 }]);

  test('is what IPAM has on record, with its revision', () => {
    const record = { strict_affinity: true, auto_allocate_blocks: true, maxBlocksPerHost: 4, ipCooldownSeconds: 30 };
    const found = read({ ...record, kubeVirtVMAddressPersistence: null, future: 1 }).resources.IPAMConfiguration.get(
      'default',
    )!;
    expect(found.metadata).toEqual({ name: 'default', resourceVersion: '9' });
    expect(found.spec).toEqual({
      strictAffinity: true,
      autoAllocateBlocks: true,
      maxBlocksPerHost: 4,
      ipCooldownSeconds: 30,
    });
    expect(cells(found)).toEqual(['default', 'true', 'true', '4']);
  });

  test.each<[Json, readonly string[]]>([
    [{}, ['default', 'false', 'true', '0']],
    [null, ['default', 'false', 'true', '0']],
    [{ strict_affinity: true, auto_allocate_blocks: false, maxBlocksPerHost: 0 }, ['default', 'true', 'false', '0']],
  ])('of the record %j shows %j', (value, expected) => {
    expect(cells(read(value).resources.IPAMConfiguration.get('default')!)).toEqual(expected);
  });

  test('of a record that breaks a rule is told as unreadable', () => {
    expect(read({ strict_affinity: 'yes' }).unreadable).toEqual([
      { key: IPAM_CONFIG_KEY, reason: "error with field spec.strictAffinity = 'yes': is not a boolean" },
    ]);
  });

  test.each<[object, string]>([
    [{ autoAllocateBlocks: false }, "spec.autoAllocateBlocks = 'false': cannot be false when strictAffinity is false"],
    [{ maxBlocksPerHost: 4 }, "spec.maxBlocksPerHost = '4': needs strictAffinity: a node could borrow beyond it"],
    [{ strictAffinity: true, maxBlocksPerHost: 1_000_001 }, 'is not a whole number between 0 and 1000000'],
    [{ ipCooldownSeconds: 1201 }, "spec.ipCooldownSeconds = '1201': is not a whole number between 0 and 1200"],
  ])('with %j: %s', (spec, message) => {
    expect(refusal(manifest('IPAMConfiguration', 'default', spec))).toContain(message);
  });

  test('has one name', () => {
    expect(refusal(manifest('IPAMConfiguration', 'other'))).toBe(
      "metadata.name = 'other': is not default, the only name there is",
    );
  });

  test('is listed and got, and never written: it would lie where IPAM does not look', async () => {
    const store = new MemoryStore();
    const client = createResourceClient(store);
    expect(await client.list('IPAMConfiguration')).toEqual([]);
    await store.create(IPAM_CONFIG_KEY, { strict_affinity: true });
    expect((await client.list('IPAMConfiguration')).map(({ spec }) => spec.strictAffinity)).toEqual([true]);
    const found = await client.get('IPAMConfiguration', 'default');
    for (const write of [client.create(found), client.update(found), client.delete('IPAMConfiguration', 'default')]) {
      await expect(write).rejects.toThrow('is the configuration of IPAM, which is not written as a resource');
    }
    expect((await store.get(IPAM_CONFIG_KEY))?.value).toEqual({ strict_affinity: true });
    await expect(client.get('IPAMConfiguration', 'other')).rejects.toThrow('resource does not exist');
  });
});

describe('a CalicoNodeStatus', () => {
  const SPEC = { node: 'n', classes: ['BGP'], updatePeriodSeconds: 10 };
  const of = (spec: object): string => refusal(manifest('CalicoNodeStatus', 's', { ...SPEC, ...spec }));

  test.each<[object, string]>([
    [{ node: undefined }, "spec.node = '': is required"],
    [{ classes: undefined }, "spec.classes = '': is required"],
    [{ classes: [] }, "spec.classes = '[]': has no entry"],
    [{ classes: ['BGP', 'BGP'] }, "spec.classes[1] = 'BGP': is there twice"],
    [{ classes: ['bgp'] }, "spec.classes[0] = 'bgp': is not one of Agent, BGP, Routes"],
    [{ updatePeriodSeconds: undefined }, "spec.updatePeriodSeconds = '': is required"],
    [{ updatePeriodSeconds: 86_401 }, "spec.updatePeriodSeconds = '86401': is not a whole number between 0 and 86400"],
  ])('with %j: %s', (spec, message) => {
    expect(of(spec)).toBe(message);
  });

  test('keeps what a newer node writes into it', () => {
    const status = { bgp: { peersV4: [{ state: 'Dreaming', extra: 1 }] }, more: {} };
    const document = { ...manifest('CalicoNodeStatus', 's', SPEC), status };
    expect(refusal(document)).toBe('accepted');
    expect(cells(resource('CalicoNodeStatus', 's', { ...SPEC, classes: ['Agent', 'BGP'] }))).toEqual([
      's',
      'n',
      'Agent,BGP',
    ]);
  });
});

describe('a KubeControllersConfiguration', () => {
  test.each<[object, string]>([
    [{ controllers: { nod: {} } }, `spec.controllers.nod = '{}': is not a field of`],
    [
      { controllers: { node: { leakGracePeriod: 15 } } },
      "spec.controllers.node.leakGracePeriod = '15': is not a string",
    ],
    [{ healthChecks: 'On' }, "spec.healthChecks = 'On': is not one of Enabled, Disabled"],
    [{ prometheusMetricsPort: -1 }, "spec.prometheusMetricsPort = '-1': is not a whole number between 0 and 65535"],
  ])('with %j: %s', (spec, message) => {
    expect(refusal(manifest('KubeControllersConfiguration', 'default', spec))).toContain(message);
  });

  test('is completed as Calico completes it', () => {
    expect(resource('KubeControllersConfiguration', 'default').spec).toEqual({
      healthChecks: 'Enabled',
      controllers: {},
    });
  });
});
