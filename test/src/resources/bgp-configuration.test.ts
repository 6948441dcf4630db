import { describe, expect, test } from 'vitest';
import { InvalidResourceError, parseResource } from '../../../src/resources/index.ts';
import { manifest, resource } from '../../support/resources.ts';

const refusal = (spec: object, name = 'default'): string => {
  try {
    parseResource(manifest('BGPConfiguration', name, spec));
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidResourceError);
    return (error as Error).message;
  }
  return 'accepted';
};

const advertise = (...communities: readonly string[]) => ({
  prefixAdvertisements: [{ cidr: '192.168.0.0/16', communities }],
});
const named = { communities: [{ name: 'rack-a', value: '65000:1' }] };
const secret = { secretKeyRef: { name: 'bgp', key: 'mesh' } };

describe('communities and prefixAdvertisements', () => {
  test.each<[object, string]>([
    [named, 'communities are defined but not used in prefixAdvertisements'],
    [
      advertise('rack-a'),
      "spec.prefixAdvertisements[0].communities[0] = 'rack-a': community used is invalid or not defined.",
    ],
    [{ ...named, ...advertise('rack-b') }, 'community used is invalid or not defined.'],
    [advertise('65536:1'), 'community used is invalid or not defined.'],
    [
      { prefixAdvertisements: [{ cidr: '192.168.0.1/16', communities: [] }] },
      "spec.prefixAdvertisements[0].cidr = '192.168.0.1/16': invalid CIDR value: has host bits set; the network is 192.168.0.0/16",
    ],
    [{ prefixAdvertisements: [{ cidr: 'x', communities: [] }] }, 'invalid CIDR value: is not an IP address'],
    [
      { ...advertise(), communities: [{ name: 'a', value: '1:65536' }] },
      "spec.communities[0].value = '1:65536': is not a community",
    ],
    [{ ...advertise(), communities: [{ name: 'a b', value: '1:1' }] }, 'is not a name'],
    [advertise(...Array<string>(51).fill('1:1')), 'has more than 50 entries'],
    [{ prefixAdvertisements: Array(501).fill({ cidr: '10.0.0.0/8' }) }, 'has more than 500 entries'],
  ])('%j is refused', (spec, expected) => expect(refusal(spec)).toContain(expected));

  test('are taken for the cluster and for one node, by name and as they are, of both sizes', () => {
    const spec = { ...named, ...advertise('rack-a', '65000:2', '65000:1:2') };
    expect(refusal(spec)).toBe('accepted');
    expect(refusal(spec, 'node.a')).toBe('accepted');
  });
});

test.each(['nodeMeshPassword', 'nodeMeshMaxRestartTime', 'ipv4NormalRoutePriority', 'ipv6NormalRoutePriority'])(
  '%s is the cluster’s alone',
  (field) => {
    const value = { nodeMeshPassword: secret, nodeMeshMaxRestartTime: '10s' }[field] ?? 5000;
    expect(refusal({ [field]: value })).toBe('accepted');
    expect(refusal({ [field]: value }, 'node.a')).toContain(`Cannot set ${field} on a non default BGP Configuration.`);
  },
);

test('what is about the mesh is refused where there is none', () => {
  const mesh = { nodeMeshPassword: secret, nodeMeshMaxRestartTime: '10s', nodeToNodeMeshEnabled: false };
  expect(refusal(mesh)).toContain('cannot be set when nodeToNodeMeshEnabled is false');
  expect(refusal({ ...mesh, nodeToNodeMeshEnabled: true })).toBe('accepted');
});

test('a secret that may be absent is not taken: without it the session would not be protected', () => {
  const nodeMeshPassword = { secretKeyRef: { ...secret.secretKeyRef, optional: true } };
  expect(refusal({ nodeMeshPassword })).toContain("secretKeyRef.optional = 'true': is not supported yet");
});

test('a CIDR is stored in its shortest form', () => {
  const spec = { prefixAdvertisements: [{ cidr: '9000:0::0/64', communities: ['1:1'] }] };
  expect(resource('BGPConfiguration', 'default', spec).spec.prefixAdvertisements?.[0]?.cidr).toBe('9000::/64');
});
