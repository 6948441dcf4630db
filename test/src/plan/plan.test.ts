import { describe, expect, test } from 'vitest';
import { planChange } from '../../../src/plan/plan.ts';
import { resource } from '../../support/resources.ts';
import { config, noMesh, peer } from '../agent/bgp-resources.ts';
import { blockOf, node, peerLines, plan, pool, routeLines, world } from './clusters.ts';

const blocks = [blockOf(1), blockOf(2), blockOf(3)];
const apart = { bgp: { ipv4Address: '172.16.1.3/24' } };
const nodes = [node(1), node(2), node(3, apart)];
const mesh = [...nodes, ...blocks];
const NONE = { come: 0, go: 0, reset: 0, change: 0 };

describe('a plan for pools', () => {
  test('Always → CrossSubnet: the routes within a subnet leave the tunnel, with the reason', () => {
    const report = plan([...mesh, pool({ ipipMode: 'Always' })], [...mesh, pool({ ipipMode: 'CrossSubnet' })]);
    expect(report.summary).toEqual({
      nodes: 3,
      changedNodes: 2,
      sessions: NONE,
      routes: { come: 0, go: 0, lost: 0, changeWay: 2 },
    });
    expect(report.resources).toEqual(['IPPool(pods): spec.ipipMode Always → CrossSubnet']);
    expect(report.groups).toMatchObject([{ nodes: ['n1', 'n2'], peers: [], node: [] }]);
    expect(report.groups[0]?.routes[0]?.examples).toEqual([
      {
        prefix: '10.244.2.0/26',
        via: '172.16.0.2 (n2)',
        reason: 'ippool pods is IPIP CrossSubnet and 172.16.0.1/24 contains 172.16.0.2, so direct',
      },
    ]);
    expect([report.warnings, report.cluster]).toEqual([[], []]);
  });

  test('IPIP → VXLAN: every route, both tunnels, and the MTU of new pods', () => {
    const report = plan([...mesh, pool({ ipipMode: 'Always' })], [...mesh, pool({ vxlanMode: 'Always' })]);
    expect(report.summary.routes.changeWay).toBe(6);
    expect(report.groups).toHaveLength(1);
    expect(report.cluster).toEqual([
      'vxlan.calico comes up',
      'tunl0 is taken down, ten seconds after the last packet came out of it',
      expect.stringContaining('less 50 octets (before: less 20)'),
    ]);
  });

  test('disableBGPExport: the others lose the way, and it is no loss of BGP', () => {
    const report = plan([...mesh, pool()], [...mesh, pool({ disableBGPExport: true })]);
    expect(report.summary.routes).toEqual({ come: 0, go: 6, lost: 0, changeWay: 0 });
    expect(report.groups[0]?.node).toEqual(['announces no more: ippool pods has disableBGPExport']);
    expect(report.warnings).toEqual([
      'IPPool(pods) has 3 blocks in use and is not announced any more (disableBGPExport): other nodes lose the way to its pods',
    ]);
  });

  test('disabled or deleted while in use: told, and which pool its blocks fall to', () => {
    const warnings = (after: readonly Parameters<typeof plan>[1][number][]) =>
      plan([...mesh, pool({ ipipMode: 'Always' })], [...mesh, ...after]).warnings;
    expect(warnings([pool({ ipipMode: 'Always', disabled: true })])).toEqual([
      'IPPool(pods) has 3 blocks in use and is disabled: pods keep their addresses, new ones get none from it',
    ]);
    expect(warnings([])).toEqual([
      'IPPool(pods) has 3 blocks in use and is deleted: pods keep their addresses, and their routes go without encapsulation and without NAT',
    ]);
    const wider = pool({ cidr: '10.240.0.0/12', vxlanMode: 'Always' }, 'wide');
    expect(warnings([wider])).toEqual([
      'IPPool(pods) has 3 blocks in use and is deleted: pods keep their addresses, and their routes go as ippool wide (10.240.0.0/12) says',
    ]);
  });
});

test('nodes that change alike are told one by one where that is asked for', () => {
  const [before, after] = [pool({ ipipMode: 'Always' }), pool()].map((each) => world(...mesh, each));
  const { groups } = planChange(before!, after!, { eachNode: true });
  expect(groups.map(({ nodes: names }) => names)).toEqual([['n1'], ['n2'], ['n3']]);
  expect(groups[2]?.routes[0]?.examples[0]?.via).toBe('172.16.0.1 (n1)');
});

describe('a plan for peers', () => {
  test('the mesh off, and nothing in its place: nodes without peers, pairs without a path, every route lost', () => {
    const report = plan([...mesh, pool()], [...mesh, pool(), noMesh]);
    expect(report.summary.sessions).toEqual({ ...NONE, go: 3 });
    expect(report.summary.routes).toEqual({ come: 0, go: 0, lost: 6, changeWay: 0 });
    expect(report.warnings).toEqual([
      'no BGP peer is left to n1, n2, n3',
      'no BGP path is left between n1 and n2, n1 and n3, n2 and n3: their pods cannot reach each other',
    ]);
    expect(routeLines(report)).toContain('n1: is lost 10.244.2.0/26 via 172.16.0.2 (n2): direct → ');
  });

  const reflector = node(1, { labels: { rr: 'yes' }, bgp: { routeReflectorClusterID: '1.0.0.1' } });
  const toReflector = peer('to-rr', { nodeSelector: '!has(rr)', peerSelector: 'has(rr)' });

  test('from the mesh to a reflector: sessions with it go on, those of the others go, no route is lost', () => {
    const after = [noMesh, reflector, node(2), node(3, apart), ...blocks, pool(), toReflector];
    const report = plan([...mesh, pool()], after);
    expect(report.summary.sessions).toEqual({ ...NONE, go: 1, change: 2 });
    expect(report.summary.routes).toEqual({ come: 0, go: 0, lost: 0, changeWay: 0 });
    expect(report.warnings).toEqual([]);
    expect(peerLines(report)).toEqual([
      'n1: changes 172.16.0.2 (n2) node specific',
      'n1: changes 172.16.1.3 (n3) node specific',
      'n2: goes 172.16.1.3 (n3) node-to-node mesh',
      'n2: changes 172.16.0.1 (n1) node specific',
      'n3: goes 172.16.0.2 (n2) node-to-node mesh',
      'n3: changes 172.16.0.1 (n1) node specific',
    ]);
    expect(report.groups[0]?.node).toEqual(['route reflector cluster id none → 1.0.0.1']);
  });

  test('a ToR for one rack: a session comes on each of its nodes, counted one by one', () => {
    const racked = [node(1, { labels: { rack: 'a' } }), node(2, { labels: { rack: 'a' } }), node(3, apart), ...blocks];
    const tor = peer('tor', { nodeSelector: "rack == 'a'", peerIP: '172.16.0.254', asNumber: 65001 });
    const report = plan(racked, [...racked, tor]);
    expect(report.summary.sessions).toEqual({ ...NONE, come: 2 });
    expect(report.groups).toHaveLength(1);
    expect(peerLines(report)).toEqual(['n1,n2: comes 172.16.0.254 node specific']);
    expect(report.groups[0]?.peers[0]?.asn).toBe(65001);
  });

  test('another AS: every session is opened anew, told field by field', () => {
    const report = plan([...mesh, pool()], [...mesh, pool(), config({ asNumber: 64_600 })]);
    expect(report.summary.sessions).toEqual({ ...NONE, reset: 3 });
    expect(report.groups[0]?.node).toEqual([
      'AS 64512 → 64600: all of its sessions are opened anew, no route is withdrawn',
    ]);
    expect(report.groups[0]?.peers[0]).toMatchObject({
      change: 'is reset',
      fields: ['AS 64512 → 64600', 'local AS 64512 → 64600'],
    });
    expect(report.summary.routes.lost).toBe(0);
  });

  test('a BGPPeer with an AS that its node has not: the session of the mesh is lost to it', () => {
    const wrong = peer('wrong', { node: 'n1', peerIP: '172.16.1.3', asNumber: 65009 });
    const report = plan([...mesh, pool()], [...mesh, pool(), wrong]);
    expect(report.warnings).toEqual([
      'no BGP path is left between n1 and n3: their pods cannot reach each other',
      'a session does not come up: n1 expects AS 65009 of n3 (BGPPeer(wrong)), which says AS 64512',
    ]);
    expect(report.summary.routes.lost).toBe(2);
  });

  test('a one-sided BGPPeer, and one that was one-sided before', () => {
    const manual = peer('m', { node: 'n1', peerSelector: "host == 'n2'", reversePeering: 'Manual' });
    const labelled = [node(1), node(2, { labels: { host: 'n2' } }), ...blocks, noMesh];
    const fault = 'a session does not come up: n1 dials n2 (BGPPeer(m)), which has no such peer';
    expect(plan(labelled, [...labelled, manual]).warnings).toEqual([fault]);
    expect(plan([...labelled, manual], [...labelled, manual, pool()]).warnings).toEqual([]);
  });

  test('what resources ask and do not get, once for all nodes, and only what is new', () => {
    const bind = { ignoredInterfaces: ['eth9'] };
    const wish =
      'BGPConfiguration(default): spec.ignoredInterfaces is kept, but it changes nothing: routes of interfaces are not announced';
    expect(plan(mesh, [...mesh, config(bind)]).warnings).toEqual([`not done on n1, n2, n3: ${wish}`]);
    expect(plan([...mesh, config(bind)], [...mesh, config({ ...bind, asNumber: 64_600 })]).warnings).toEqual([]);
  });
});

describe('a plan for nodes', () => {
  test('one that goes: the others end its sessions; its routes go, and are not lost', () => {
    const report = plan([...mesh, pool()], [node(1), node(2), ...blocks, pool()]);
    expect(report.summary).toEqual({
      nodes: 2,
      changedNodes: 2,
      sessions: { ...NONE, go: 2 },
      routes: { come: 0, go: 2, lost: 0, changeWay: 0 },
    });
    expect(report.warnings).toEqual([
      'Node(n3) is deleted: its agent keeps its sessions and routes as they are, the others end theirs with it; its 1 blocks and 0 pods stay in the datastore',
    ]);
  });

  test('one that comes: routes in both directions', () => {
    const report = plan([node(1), node(2), ...blocks, pool()], [...mesh, pool()]);
    expect(report.summary.routes).toEqual({ come: 4, go: 0, lost: 0, changeWay: 0 });
    expect(report.groups.find(({ nodes: [name] }) => name === 'n3')?.node).toEqual(['is new']);
  });

  test('one that moves to another subnet: the way to it, and its own, change', () => {
    const before = [...mesh, pool({ ipipMode: 'CrossSubnet' })];
    const moved = [node(1), node(2, { bgp: { ipv4Address: '172.16.1.2/24' } }), node(3, apart), ...blocks];
    const report = plan(before, [...moved, pool({ ipipMode: 'CrossSubnet' })]);
    expect(report.summary.routes).toEqual({ come: 0, go: 0, lost: 0, changeWay: 4 });
    const example = report.groups.find(({ nodes: [name] }) => name === 'n1')?.routes[0]?.examples[0];
    expect(example).toMatchObject({ via: '172.16.1.2 (n2)', viaBefore: '172.16.0.2 (n2)' });
  });

  test('nothing changes where nothing changes, whatever else is written', () => {
    const report = plan([...mesh, pool()], [...mesh, pool(), resource('BGPFilter', 'unused', {})]);
    expect(report.summary.changedNodes).toBe(0);
    expect([report.groups, report.warnings, report.cluster]).toEqual([[], [], []]);
    expect(report.resources).toEqual(['BGPFilter(unused) is created']);
  });
});
