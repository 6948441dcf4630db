import { describe, expect, test } from 'vitest';
import type { AnyResource, KindSpec } from '../../../src/resources/index.ts';
import { kindTable } from '../../../src/resources/index.ts';
import { manifest, resource } from '../../support/resources.ts';
import { refusal } from './refusal.ts';

const wide = (value: AnyResource): readonly string[] =>
  (kindTable[value.kind] as KindSpec<AnyResource>).wideColumns.map((column) => column.value(value, { globalAsn: 1 }));

/** Kinds that are a list of addresses and networks. */
const LISTS = [
  ['NetworkSet', 'nets'],
  ['GlobalNetworkSet', 'nets'],
  ['IPReservation', 'reservedCIDRs'],
] as const;

describe.each(LISTS)('a %s', (kind, list) => {
  test('holds addresses and networks as they were written, masked or not', () => {
    const written = ['10.0.0.1', '10.0.0.1/8', 'fd00::1', 'FD00::/8'];
    expect(resource(kind, 'a', { [list]: written }).spec).toEqual({ [list]: written });
    expect(resource(kind, 'a').spec).toEqual({ [list]: [] });
  });

  test.each<[unknown, string]>([
    [['10.0.0.0/33'], `spec.${list}[0] = '10.0.0.0/33': has no prefix length between 0 and 32`],
    [['x'], `spec.${list}[0] = 'x': is not an IP address`],
    [['10.0.0.1', '10.0.0.1'], `spec.${list}[1] = '10.0.0.1': is there twice`],
    ['10.0.0.1', `spec.${list} = '10.0.0.1': is not an array`],
  ])('with %j: %s', (value, message) => {
    expect(refusal(manifest(kind, 'a', { [list]: value }))).toBe(message);
  });

  test('is shown with its list cut to 80 characters', () => {
    const values = Array.from({ length: 8 }, (_, i) => `10.0.0.${i + 10}`); // 8 × 9 and 7 commas: 79
    const joined = values.join(',');
    expect(wide(resource(kind, 'a', { [list]: values }))).toEqual(['a', joined]);
    expect(wide(resource(kind, 'a', { [list]: [...values, '::'] }))[1]).toBe(`${joined.slice(0, 77)}...`);
  });
});

test.each(['NetworkSet', 'GlobalNetworkSet'])('a %s may not have the label that Calico itself puts there', (kind) => {
  const label = 'projectcalico.org/namespace';
  expect(refusal(manifest(kind, { name: 'a', labels: { [label]: 'b' } }))).toBe(
    `metadata.labels.${label} = 'b': is a label of Calico itself`,
  );
});

describe('a HostEndpoint', () => {
  const PORT = { name: 'ssh', protocol: 'TCP', port: 22 };

  test.each<[object, string]>([
    [{ interfaceName: 'eth0' }, "spec.node = '': is required"],
    [{ node: 'n' }, "spec.interfaceName = '': is required where there are no expectedIPs"],
    [{ node: 'n', expectedIPs: [] }, "spec.interfaceName = '': is required where there are no expectedIPs"],
    [{ node: 'n', expectedIPs: ['10.0.0.1', 'fd00::1'] }, 'accepted'],
    [{ node: 'n', interfaceName: '*' }, 'accepted'],
    [
      { node: 'n', interfaceName: 'eth*' },
      `spec.interfaceName = 'eth*': is not "*" or an interface name of at most 15 characters`,
    ],
    [{ node: 'n', expectedIPs: ['10.0.0.1/32'] }, "spec.expectedIPs[0] = '10.0.0.1/32': is not an IP address"],
    [{ node: 'n', interfaceName: 'e', profiles: ['a', 'a'] }, "spec.profiles[1] = 'a': is there twice"],
    [{ node: 'n', interfaceName: 'e', ports: [PORT] }, 'accepted'],
    [
      { node: 'n', interfaceName: 'e', ports: [{ ...PORT, hostPort: 1 }] },
      "spec.ports[0].hostPort = '1': is not a field of HostEndpoint.spec.ports",
    ],
    [
      { node: 'n', interfaceName: 'e', ports: [{ ...PORT, protocol: 'ICMP' }] },
      "spec.ports[0].protocol = 'ICMP': has no ports; TCP, UDP and SCTP have",
    ],
  ])('with %j: %s', (spec, message) => {
    expect(refusal(manifest('HostEndpoint', 'h', spec))).toBe(message);
  });

  test('is shown with its interface, addresses and profiles', () => {
    const spec = { node: 'n', interfaceName: 'eth0', expectedIPs: ['10.0.0.1', 'fd00::1'], profiles: ['a', 'b'] };
    expect(wide(resource('HostEndpoint', 'h', spec))).toEqual(['h', 'n', 'eth0', '10.0.0.1,fd00::1', 'a,b']);
  });
});
