import { describe, expect, test } from 'vitest';
import { kindTable } from '../../../src/resources/index.ts';
import { manifest, resource } from '../../support/resources.ts';
import { refusal } from './refusal.ts';

const ALLOW = { action: 'Allow' };
const service = { services: { name: 's', namespace: 'n' } };

/** Said of one rule, wherever it stands. */
const ofRule = (rule: object, kind = 'NetworkPolicy', list = 'ingress'): string =>
  refusal(manifest(kind, 'p', { [list]: [ALLOW, { ...ALLOW, ...rule }] }));

describe('a rule', () => {
  const at = 'spec.ingress[1]';

  test.each<[object, string]>([
    [{ action: 'allow' }, `${at}.action = 'allow': is not one of Allow, Deny, Log, Pass`],
    [{ protocl: 'TCP' }, `${at}.protocl = 'TCP': is not a field of Rule; did you mean "protocol"?`],
    [{ ipVersion: 5 }, `${at}.ipVersion = '5': is not one of 4, 6`],
    [{ ipVersion: '4' }, `${at}.ipVersion = '4': is not one of 4, 6`],
    [
      { protocol: 'any' },
      `${at}.protocol = 'any': is not a protocol: a number between 1 and 255, or one of TCP, UDP, ICMP, ICMPv6, SCTP, UDPLite`,
    ],
    [{ notProtocol: 256 }, `${at}.notProtocol = '256': is not a protocol: a number between 1 and 255, or one of`],
    [{ protocol: 0 }, `${at}.protocol = '0': is not a protocol`],
    [{ protocol: 6.5 }, `${at}.protocol = '6.5': is not a protocol`],
    [{ protocol: true }, `${at}.protocol = 'true': is not a protocol`],
    [{ protocol: 'ICMP', icmp: { code: 1 } }, `${at}.icmp.code = '1': cannot be set without type`],
    [{ notICMP: { type: 255 } }, `${at}.notICMP.type = '255': is not a whole number between 0 and 254`],
    [{ icmp: { type: 8 } }, `${at}.icmp = '{"type":8}': needs the protocol ICMP or ICMPv6`],
    [{ protocol: 'TCP', icmp: { type: 8 } }, `${at}.icmp = '{"type":8}': needs the protocol ICMP or ICMPv6`],
    [{ protocol: 1, ipVersion: 6 }, `${at}.ipVersion = '6': must be 4 with the protocol 1`],
    [{ notProtocol: 'ICMPv6', ipVersion: 4 }, `${at}.ipVersion = '4': must be 6 with the protocol ICMPv6`],
    [{ protocol: 'icmpv6', icmp: { type: 128, code: 0 }, ipVersion: 6 }, 'accepted'],
    [{ protocol: 58, icmp: {} }, 'accepted'],
    [{ protocol: 'TCP', http: { methods: ['GET'] } }, 'accepted'],
    [{ http: { paths: [{ prefix: '/a' }, { exact: '/b/c' }] } }, 'accepted'],
    [{ action: 'Deny', http: {} }, `${at}.http = '{}': is only for rules that Allow`],
    [{ protocol: 17, http: {} }, `${at}.protocol = '17': must be TCP or absent in a rule with http`],
    [{ http: { methods: ['GET', 'GET'] } }, `${at}.http.methods[1] = 'GET': is there twice`],
    [{ http: { paths: [{}] } }, `${at}.http.paths[0] = '{}': has neither or both of exact and prefix`],
    [
      { http: { paths: [{ exact: '/', prefix: '/' }] } },
      `${at}.http.paths[0] = '{"exact":"/","prefix":"/"}': has neither or both of exact and prefix`,
    ],
    [{ http: { paths: [{ exact: '/a?b' }] } }, `${at}.http.paths[0].exact = '/a?b': is not the path of a URL`],
    [
      { metadata: { annotations: { 'a b': '' } } },
      `${at}.metadata.annotations.a b = '': is not the name of an annotation`,
    ],
  ])('with %j: %s', (rule, message) => {
    expect(ofRule(rule)).toContain(message);
  });

  test.each<[object, string]>([
    [{ source: { ports: [80] } }, `${at}.source.ports = '[80]': needs a protocol that has ports: TCP, UDP or SCTP`],
    [
      { protocol: 'UDPLite', destination: { notPorts: [80] } },
      `${at}.destination.notPorts = '[80]': needs a protocol that has ports: TCP, UDP or SCTP`,
    ],
    [{ source: { ports: [] } }, 'accepted'],
    [{ protocol: 132, source: { ports: [80], notPorts: ['1:79', 'http'] } }, 'accepted'],
  ])('has ports only with protocols that have some: %j: %s', (rule, message) => {
    expect(ofRule(rule)).toBe(message);
  });

  test.each<[unknown, unknown]>([
    [80, 80],
    ['80', 80],
    ['8080:8089', '8080:8089'],
    ['80:80', 80],
    ['https', 'https'],
    [0, undefined],
    [65_536, undefined],
    ['0:10', undefined],
    ['10:9', undefined],
    ['10:65536', undefined],
    ['Https', undefined],
    ['a:b', undefined],
    ['', undefined],
    [1.5, undefined],
    [null, undefined],
  ])('has a port %j, stored as %j', (written, stored) => {
    const ingress = [{ ...ALLOW, protocol: 'TCP', destination: { ports: [written] } }];
    const message = refusal(manifest('NetworkPolicy', 'p', { ingress }));
    if (stored === undefined) expect(message).toMatch(/^spec\.ingress\[0\]\.destination\.ports\[0\] = '.*': is /);
    else expect(resource('NetworkPolicy', 'p', { ingress }).spec.ingress?.[0]?.destination?.ports).toEqual([stored]);
  });

  test.each<[object, string]>([
    [{ source: { nets: ['10.0.0.0'] } }, `${at}.source.nets[0] = '10.0.0.0': is not a CIDR: it has no prefix length`],
    [
      { source: { nets: ['10.0.0.1/8'] } },
      `${at}.source.nets[0] = '10.0.0.1/8': has host bits set; the network is 10.0.0.0/8`,
    ],
    [{ source: { nets: ['10.0.0.0/8', '10.0.0.0/8'] } }, `${at}.source.nets[1] = '10.0.0.0/8': is there twice`],
    [
      { source: { nets: ['10.0.0.0/8'], notNets: ['fd00::/8'] } },
      `${at}.source.notNets[0] = 'fd00::/8': is not of the IP version of 10.0.0.0/8 in the same rule`,
    ],
    [
      { source: { nets: ['fd00::/8'] }, destination: { nets: ['fd01::/16', '10.0.0.0/8'] } },
      `${at}.destination.nets[1] = '10.0.0.0/8': is not of the IP version of fd00::/8 in the same rule`,
    ],
    [
      { ipVersion: 6, source: { nets: ['10.0.0.0/8'] } },
      `${at}.source.nets[0] = '10.0.0.0/8': is not of the rule's ipVersion, 6`,
    ],
    [{ ipVersion: 6, source: { nets: ['fd00::/8'] } }, 'accepted'],
  ])('has networks of one IP version: %j: %s', (rule, message) => {
    expect(ofRule(rule)).toBe(message);
  });

  test('has 256 networks and 50 ports in a list, and not one more', () => {
    const nets = Array.from({ length: 257 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
    expect(ofRule({ source: { nets: nets.slice(1) } })).toBe('accepted');
    expect(ofRule({ source: { nets } })).toContain(': has more than 256 entries');
    const ports = Array.from({ length: 51 }, (_, i) => i + 1);
    expect(ofRule({ protocol: 'TCP', source: { ports: ports.slice(1) } })).toBe('accepted');
    expect(ofRule({ protocol: 'TCP', source: { ports } })).toContain(': has more than 50 entries');
  });

  test.each<[object, string]>([
    [
      { source: { selector: 'a = 1' } },
      `${at}.source.selector = 'a = 1': is not a selector: expected an operator after "a" at position 3, found "= 1"`,
    ],
    [{ source: { notSelector: '!global()' } }, `${at}.source.notSelector = '!global()': may not contain global()`],
    [{ source: { namespaceSelector: 'global()' } }, 'accepted'],
    [{ source: { namespaceSelector: ' global( ) ' } }, 'accepted'],
    [
      { source: { namespaceSelector: 'global() || all()' } },
      `${at}.source.namespaceSelector = 'global() || all()': combines global() with another selector`,
    ],
    [
      { source: { namespaceSelector: '!global()' } },
      `${at}.source.namespaceSelector = '!global()': combines global() with another selector`,
    ],
    [
      { source: { serviceAccounts: { names: ['a', 'a'] } } },
      `${at}.source.serviceAccounts.names[1] = 'a': is there twice`,
    ],
    [{ source: { services: {} } }, `${at}.source.services.name = '': is required`],
    [
      { source: { ...service, selector: 'all()', nets: ['10.0.0.0/8'], notSelector: '' } },
      `${at}.source.services = '{"name":"s","namespace":"n"}': cannot be set beside selector, nets`,
    ],
    [
      { source: { ...service, namespaceSelector: 'all()', serviceAccounts: {}, notNets: [] } },
      `${at}.source.services = '{"name":"s","namespace":"n"}': cannot be set beside namespaceSelector, serviceAccounts`,
    ],
  ])('selects: %j: %s', (rule, message) => {
    expect(ofRule(rule)).toBe(message);
  });
});

describe.each(['NetworkPolicy', 'GlobalNetworkPolicy'])('a %s', (kind) => {
  test.each<[object, string]>([
    [
      { egress: [{ ...ALLOW, source: service }] },
      `spec.egress[0].source.services = '{"name":"s","namespace":"n"}': cannot be set in the source of an egress rule`,
    ],
    [
      { ingress: [{ ...ALLOW, destination: service }] },
      `spec.ingress[0].destination.services = '{"name":"s","namespace":"n"}': cannot be set in the destination of an ingress rule`,
    ],
    [{ egress: [{ ...ALLOW, http: {} }] }, "spec.egress[0].http = '{}': is only for ingress rules"],
    [
      { egress: [{ ...ALLOW, protocol: 'TCP', destination: { ...service, ports: [80] } }] },
      "spec.egress[0].destination.ports = '[80]': cannot be set beside services, which have ports of their own",
    ],
    [{ ingress: [{ ...ALLOW, protocol: 'TCP', source: { ...service, ports: [80] } }] }, 'accepted'],
    [{ types: ['Ingress', 'Ingress'] }, "spec.types[1] = 'Ingress': is there twice"],
    [{ types: ['ingress'] }, "spec.types[0] = 'ingress': is not one of Ingress, Egress"],
    [{ selector: 'global()' }, "spec.selector = 'global()': may not contain global()"],
    [{ order: '1' }, "spec.order = '1': is not a number"],
    [{ tier: 'A' }, `spec.tier = 'A': is not a lower-case DNS name (letters, digits, "-" and ".")`],
    [{ performanceHints: ['Hurry'] }, "spec.performanceHints[0] = 'Hurry': is not one of AssumeNeededOnEveryNode"],
    [{ ordr: 1 }, `spec.ordr = '1': is not a field of ${kind}.spec; did you mean "order"?`],
  ])('with %j: %s', (spec, message) => {
    expect(refusal(manifest(kind, 'p', spec))).toBe(message);
  });

  test.each<[object, readonly string[]]>([
    [{}, ['Ingress']],
    [{ types: [] }, ['Ingress']],
    [{ egress: [] }, ['Ingress']],
    [{ ingress: [ALLOW] }, ['Ingress']],
    [{ egress: [ALLOW] }, ['Egress']],
    [{ ingress: [ALLOW], egress: [ALLOW] }, ['Ingress', 'Egress']],
    [{ types: ['Egress'], ingress: [ALLOW] }, ['Egress']],
  ])('%j is of the types %j, in the default tier', (spec, types) => {
    const policy = resource(kind as 'NetworkPolicy', 'p', spec);
    expect(policy.spec).toMatchObject({ tier: 'default', types });
  });

  test('has 1024 rules in each direction, and not one more', () => {
    const rules = Array.from({ length: 1025 }, () => ALLOW);
    expect(refusal(manifest(kind, 'p', { egress: rules.slice(1) }))).toBe('accepted');
    expect(refusal(manifest(kind, 'p', { egress: rules }))).toContain('has more than 1024 entries');
  });

  test('is shown with its tier, and wide with its order and selector', () => {
    const cells = (spec: object) => {
      const policy = resource(kind as 'NetworkPolicy', 'p', spec);
      return kindTable[kind as 'NetworkPolicy'].wideColumns.map(({ value }) => value(policy, { globalAsn: 1 }));
    };
    expect(kindTable[kind as 'NetworkPolicy'].columns.map(({ heading }) => heading)).toEqual(['NAME', 'TIER']);
    expect(cells({})).toEqual(['p', 'default', '-', '']);
    expect(cells({ tier: 't', order: 0.5, selector: 'all()' })).toEqual(['p', 't', '0.5', 'all()']);
  });
});

describe('a GlobalNetworkPolicy', () => {
  test.each<[object, string]>([
    [{ preDNAT: true, applyOnForward: true }, 'accepted'],
    [{ doNotTrack: true }, "spec.applyOnForward = '': must be true when preDNAT or doNotTrack is"],
    [
      { preDNAT: true, doNotTrack: true, applyOnForward: true },
      "spec.preDNAT = 'true': cannot be true when doNotTrack is",
    ],
    [
      { preDNAT: true, applyOnForward: true, types: ['Ingress', 'Egress'] },
      `spec.types = '["Ingress","Egress"]': cannot have Egress when preDNAT is true`,
    ],
    [
      { preDNAT: true, applyOnForward: true, egress: [ALLOW], types: ['Ingress'] },
      `spec.egress = '[{"action":"Allow"}]': cannot have rules when preDNAT is true`,
    ],
    [{ namespaceSelector: 'global()' }, "spec.namespaceSelector = 'global()': may not contain global()"],
    [
      { ingress: [{ ...ALLOW, source: { services: { name: 's' } } }] },
      "spec.ingress[0].source.services.namespace = '': is required in a policy that has no namespace itself",
    ],
    [
      { egress: [ALLOW, { ...ALLOW, destination: { services: { name: 's' } } }] },
      "spec.egress[1].destination.services.namespace = '': is required in a policy that has no namespace itself",
    ],
  ])('with %j: %s', (spec, message) => {
    expect(refusal(manifest('GlobalNetworkPolicy', 'p', spec))).toBe(message);
  });
});

test('a NetworkPolicy has none of the fields for host endpoints', () => {
  expect(refusal(manifest('NetworkPolicy', 'p', { preDNAT: true }))).toBe(
    "spec.preDNAT = 'true': is not a field of NetworkPolicy.spec",
  );
});

describe('a Profile', () => {
  test('has rules and labels, and is shown with its labels', () => {
    const labelsToApply = { 'pcns.projectcalico.org/name': 'default', 'pcns.a': '' };
    const profile = resource('Profile', 'kns.default', { ingress: [ALLOW], egress: [ALLOW], labelsToApply });
    expect(kindTable.Profile.wideColumns.map(({ value }) => value(profile, { globalAsn: 1 }))).toEqual([
      'kns.default',
      'pcns.projectcalico.org/name=default,pcns.a=',
    ]);
  });

  test.each<[object, string]>([
    [{ labelsToApply: { 'a b': 'c' } }, "spec.labelsToApply.a b = 'c': is not a label name"],
    [{ labelsToApply: { a: 'b c' } }, "spec.labelsToApply.a = 'b c': is not a label value"],
    [{ egress: [{ action: 'Allow', protocol: 'x' }] }, "spec.egress[0].protocol = 'x': is not a protocol"],
  ])('with %j: %s', (spec, message) => {
    expect(refusal(manifest('Profile', 'p', spec))).toContain(message);
  });
});

describe('a Tier', () => {
  test.each<[string, object, string]>([
    ['default', {}, 'accepted'],
    ['default', { order: 1 }, "spec.order = '1': must be 1000000 in the tier default"],
    ['default', { defaultAction: 'Pass' }, "spec.defaultAction = 'Pass': must be Deny in the tier default"],
    ['kube-admin', { order: 1000, defaultAction: 'Pass' }, 'accepted'],
    ['kube-admin', { order: 1000 }, "spec.defaultAction = '': must be Pass in the tier kube-admin"],
    ['kube-baseline', { defaultAction: 'Pass' }, "spec.order = '': must be 10000000 in the tier kube-baseline"],
    ['a', { defaultAction: 'Allow' }, "spec.defaultAction = 'Allow': is not one of Pass, Deny"],
    ['a.b', {}, 'metadata.name = \'a.b\': is not the name of a tier: at most 63 characters without a "."'],
    ['a'.repeat(63), {}, 'accepted'],
    ['a'.repeat(64), {}, `is not the name of a tier`],
  ])('%s with %j: %s', (name, spec, message) => {
    expect(refusal(manifest('Tier', name, spec))).toContain(message);
  });

  test('that has no order goes with the default tier', () => {
    expect(resource('Tier', 'a').spec).toEqual({ order: 1_000_000, defaultAction: 'Deny' });
  });
});
