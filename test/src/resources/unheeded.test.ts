import { describe, expect, test } from 'vitest';
import { parseResource, unheededFields } from '../../../src/resources/index.ts';
import { manifest, resource, view } from '../../support/resources.ts';

describe('fields of Calico that nothing goes by yet', () => {
  /** As a cluster with service advertisement has it. */
  const spec = {
    asNumber: 64_600,
    nodeToNodeMeshEnabled: false,
    serviceClusterIPs: [{ cidr: '10.96.0.0/12' }, { cidr: '' }],
    serviceExternalIPs: [{ cidr: '198.51.100.0/24' }],
    serviceLoadBalancerIPs: [{ cidr: 'fd00:5::/112' }],
    serviceLoadBalancerAggregation: 'Disabled',
    bindMode: 'NodeIP',
    ignoredInterfaces: ['eth1', 'docker*'],
    localWorkloadPeeringIPV4: '169.254.0.179',
    localWorkloadPeeringIPV6: 'fd12:3456:789a::1',
    programClusterRoutes: 'Enabled',
  };

  test('hide nothing else that the resource says, and are given back', () => {
    const { BGPConfiguration } = view(resource('BGPConfiguration', 'default', spec));
    expect(BGPConfiguration.get('default')?.spec).toEqual({ ...spec, logSeverityScreen: 'Info' });
  });

  test('are told one by one', () => {
    const told = unheededFields(resource('BGPConfiguration', 'default', spec));
    const text = (field: string, instead: string): string =>
      `BGPConfiguration(default): spec.${field} is kept, but ${instead}`;
    expect(told).toEqual([
      text('serviceClusterIPs', 'service addresses are not announced yet'),
      text('serviceExternalIPs', 'service addresses are not announced yet'),
      text('serviceLoadBalancerIPs', 'service addresses are not announced yet'),
      text('ignoredInterfaces', 'it changes nothing: routes of interfaces are not announced'),
      text('localWorkloadPeeringIPV4', 'no node peers with its pods yet'),
      text('localWorkloadPeeringIPV6', 'no node peers with its pods yet'),
      text('programClusterRoutes', "felix programs the cluster's routes"),
    ]);
    expect(unheededFields(resource('BGPPeer', 'w', { localWorkloadSelector: 'all()', asNumber: 1 }))).toEqual([
      'BGPPeer(w): spec.localWorkloadSelector is kept, but no node peers with its pods yet',
    ]);
  });

  test('are not told where they ask for what is done anyway', () => {
    const harmless = { programClusterRoutes: 'Disabled', serviceClusterIPs: [] };
    expect(unheededFields(resource('BGPConfiguration', 'default', harmless))).toEqual([]);
    expect(
      unheededFields(resource('BGPPeer', 'p', { peerIP: '10.0.0.1', asNumber: 1, localWorkloadSelector: '' })),
    ).toEqual([]);
  });

  test.each([
    [{ serviceClusterIPs: [{ cidr: 'x' }] }, "spec.serviceClusterIPs[0].cidr = 'x'"],
    [{ ignoredInterfaces: ['*'] }, "spec.ignoredInterfaces[0] = '*'"],
    [{ bindMode: 'Node' }, "spec.bindMode = 'Node'"],
    [{ localWorkloadPeeringIPV4: 'fd00::1' }, "spec.localWorkloadPeeringIPV4 = 'fd00::1': is not an IPv4 address"],
  ])('are checked: %j', (wrong, message) => {
    expect(() => parseResource(manifest('BGPConfiguration', 'default', wrong))).toThrow(message);
  });

  test('serviceClusterIPs are the cluster’s, not a node’s', () => {
    expect(() =>
      parseResource(manifest('BGPConfiguration', 'node.a', { serviceClusterIPs: [{ cidr: '10.96.0.0/12' }] })),
    ).toThrow('Cannot set serviceClusterIPs on a non default BGP Configuration.');
  });
});
