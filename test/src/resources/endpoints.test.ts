import { describe, expect, test } from 'vitest';
import { manifest, resource } from '../../support/resources.ts';
import { refusal } from './refusal.ts';

describe('a workload endpoint', () => {
  const NAME = 'n-cni-c-eth0';
  const SPEC = { orchestrator: 'cni', node: 'n', containerID: 'c', endpoint: 'eth0', interfaceName: 'cali0' };
  const of = (fields: object): string => refusal(manifest('WorkloadEndpoint', NAME, { ...SPEC, ...fields }));
  const PORT = { name: 'http', protocol: 'TCP', port: 80 };

  test.each<[object, string]>([
    [{ profiles: ['A'] }, 'spec.profiles[0] = \'A\': is not a lower-case DNS name (letters, digits, "-" and ".")'],
    [{ ipv4Gateway: 'fd00::1' }, "spec.ipv4Gateway = 'fd00::1': is not an IPv4 address"],
    [{ ports: [{ ...PORT, name: '' }] }, "spec.ports[0].name = '': is required where there is no hostPort"],
    [
      { ports: [{ ...PORT, protocol: 'ICMP' }] },
      "spec.ports[0].protocol = 'ICMP': has no ports; TCP, UDP and SCTP have",
    ],
    [{ ports: [{ ...PORT, port: 0 }] }, "spec.ports[0].port = '0': is not a whole number between 1 and 65535"],
    [{ ports: [{ ...PORT, port: undefined }] }, "spec.ports[0].port = '': is required"],
    [{ ports: [{ ...PORT, hostIP: '10.0.0.0/24' }] }, "spec.ports[0].hostIP = '10.0.0.0/24': is not an IP address"],
    [
      { ipNATs: [{ internalIP: '10.0.0.1', externalIP: '10.1.0.1' }] },
      "spec.ipNATs[0].internalIP = '10.0.0.1': is none of ipNetworks",
    ],
    [
      { ipNetworks: ['10.0.0.1'], ipNATs: [{ internalIP: '10.0.0.1', externalIP: 'fd00::1' }] },
      "spec.ipNATs[0].externalIP = 'fd00::1': is not of the IP version of 10.0.0.1",
    ],
    [{ ipNetworks: ['10.0.0.1'], ipNATs: [{ internalIP: '10.0.0.1/32', externalIP: '10.1.0.1/32' }] }, 'accepted'],
  ])('with %j: %s', (fields, message) => {
    expect(of(fields)).toBe(message);
  });

  test.each([
    ['tcp', 'TCP'],
    ['6', 6],
    [17, 17],
  ])('has a port of protocol %j, stored as %j', (written, stored) => {
    const spec = { ...SPEC, ports: [{ ...PORT, protocol: written }] };
    expect(resource('WorkloadEndpoint', NAME, spec).spec.ports).toEqual([
      { ...PORT, protocol: stored, hostPort: 0, hostIP: '' },
    ]);
  });

  test.each(['', 'a'.repeat(16), '80', 'Http', 'a--b', '-a', 'a-', 'a_b'])('has no port named %j', (name) => {
    expect(of({ ports: [{ ...PORT, name }] })).not.toBe('accepted');
  });
});

describe('metadata', () => {
  const of = (metadata: object): string => refusal({ ...manifest('Node', 'n'), metadata: { name: 'n', ...metadata } });

  test('may have what Kubernetes puts there; notes of its API server are dropped', () => {
    const kept = { generateName: 'n-', generation: 2, finalizers: ['a/b'], ownerReferences: [{ kind: 'Pod' }] };
    const { metadata } = resource('Node', { name: 'n', ...kept, managedFields: [{}], selfLink: '/n' } as never);
    expect(metadata).toEqual({ name: 'n', ...kept });
  });

  test('has annotations whose keys are those of labels, and not too many of them', () => {
    expect(of({ annotations: { 'Projectcalico.org/A_b': 'any thing: at all' } })).toBe('accepted');
    expect(of({ annotations: { 'a b': '' } })).toBe("metadata.annotations.a b = '': is not the name of an annotation");
    expect(of({ annotations: { a: 'x'.repeat(262_144) } })).toMatch(/: are 262145 octets long together, which is more/);
    expect(of({ annotations: { a: 'x'.repeat(262_143) } })).toBe('accepted');
  });
});
