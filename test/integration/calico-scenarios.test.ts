/**
 * Scenarios of Calico's own tests (node/tests/k8st, e2e/pkg/tests/bgp, confd) with whole agents and a BIRD as their ToR: what
 * an operator applies, seen at both ends. Its golden tests are in test/src/agent/calico-*.test.ts.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { parseNetstat } from '../../bird/peer/tcp-counters.ts';
import type { PeerExplainReport } from '../../src/api/bgp-contract.ts';
import type { NodeStatus, PathReport, PeerStatus } from '../../src/api/contract.ts';
import { addPod, makeAgentLab, until, untilSettled } from '../support/agent-lab.ts';
import type { AgentLab, LabNode } from '../support/agent-lab.ts';
import { missingForLab } from '../support/bgp-lab.ts';
import { eventually } from '../support/eventually.ts';
import { LabTor, TOR_ADDRESS, TOR_ASN } from '../support/lab-tor.ts';
import { makeNetns } from '../support/netns.ts';
import type { TestNetns } from '../support/netns.ts';

const missing = missingForLab('/usr/sbin/bird', '/usr/sbin/birdc');

const [A, B] = ['172.30.7.11', '172.30.7.12'] as const;

const NAME = `cts-${process.pid}`;

const manifest = (kind: string, name: string, spec: object): string =>
  stringify({ apiVersion: 'projectcalico.org/v3', kind, metadata: { name }, spec });
const configuration = (spec: object): string => manifest('BGPConfiguration', 'default', spec);
const bgpPeer = (name: string, spec: object): string => manifest('BGPPeer', name, spec);
const torPeer = (more: object = {}): string => bgpPeer('tor', { peerIP: TOR_ADDRESS, asNumber: TOR_ASN, ...more });

describe.skipIf(missing !== undefined)(`two agents below a BIRD ${missing ?? ''}`, () => {
  const secrets = mkdtempSync(join(tmpdir(), `${NAME}-`));
  const pods: TestNetns[] = [];
  let tor: LabTor;
  let lab: AgentLab;
  let a: LabNode;
  let b: LabNode;
  /** The block of each node. */
  let blocks: readonly [a: string, b: string];

  const all = (): string =>
    `${tor.birdc('show', 'route')}\n${tor.birdc('show', 'protocols')}\n${lab.nodes.map((node) => node.log()).join('\n')}`;
  const sees = (what: () => unknown, wanted: unknown): Promise<void> =>
    eventually(async () => expect(await what()).toEqual(wanted));
  const peers = async ({ client }: LabNode): Promise<readonly PeerStatus[]> =>
    (await client.get<NodeStatus>('/v1/status')).bgp.peers;
  const peerOf = async (node: LabNode, address: string): Promise<PeerStatus | undefined> =>
    (await peers(node)).find((peer) => peer.address === address);
  const stateOf = async (node: LabNode, address: string) => (await peerOf(node, address))?.state;
  /** Which sessions these are: another one has another beginning. */
  const sessions = async (address: string): Promise<readonly unknown[]> =>
    (await Promise.all(lab.nodes.map((node) => peerOf(node, address)))).map((peer) => [peer?.since, peer?.flaps]);
  /** Where its kernel sends a prefix; undefined: nowhere. */
  const way = ({ netns }: LabNode, prefix: string): string | undefined =>
    / via (\S+)/.exec(netns.run('ip', '-4', 'route', 'show', prefix))?.[1];
  const remove = async (kind: string, ...names: readonly string[]): Promise<void> => {
    for (const name of names) await lab.cli(['delete', kind, name, '--skip-not-exists']);
  };
  const everyone = (): readonly string[] => [`${blocks[0]} from n0`, `${blocks[1]} from n1`].sort();

  beforeAll(async () => {
    tor = new LabTor(`${NAME}-tor`);
    lab = makeAgentLab(NAME, {
      join: (...nodes) => tor.join(...nodes),
      environment: { CALICO_BGP_PASSWORDS: secrets },
    });
    [a, b] = lab.nodes as [LabNode, LabNode];
    tor.start([A, B]);
    for (const node of lab.nodes) node.start();
    await untilSettled(lab);
    for (const node of lab.nodes) {
      const pod = makeNetns(`${NAME}-pod-${node.name}`);
      pods.push(pod);
      await addPod(node, pod, `pod-of-${node.name}`);
    }
    await lab.cli(['apply'], torPeer());
    await until(() => Promise.resolve(tor.told().length === 2), all);
    const blockOf = (by: string): string =>
      tor
        .told()
        .find((line) => line.endsWith(by))!
        .split(' ')[0]!;
    blocks = [blockOf('n0'), blockOf('n1')];
  }, 60_000);
  afterAll(async () => {
    await lab.remove();
    await tor.remove();
    for (const pod of pods) pod.remove();
    rmSync(secrets, { recursive: true, force: true });
  });

  beforeEach(async () => {
    await remove('bgppeer', 'pair');
    await lab.cli(['apply'], torPeer());
    await lab.cli(['apply'], configuration({}));
    await remove('bgpfilter', 'closed', 'own');
    await sees(() => Promise.all([stateOf(a, B), stateOf(b, A)]), ['Established', 'Established']);
    await sees(() => [...tor.told()].sort(), everyone());
  });

  test('TestBGPFilter: import and export, order, and a filter that is deleted, on sessions that stand', async () => {
    const before = await sessions(TOR_ADDRESS);
    const verdict = async (): Promise<string | undefined> =>
      (await a.client.get<readonly PathReport[]>(`/v1/bgp/routes?which=all&peer=${TOR_ADDRESS}`)).find(
        ({ prefix }) => prefix === '10.50.0.0/16',
      )?.reason;
    await sees(() => way(a, '10.50.0.0/16'), TOR_ADDRESS);
    const closed = {
      exportV4: [{ action: 'Reject', matchOperator: 'In', cidr: '10.48.0.0/16' }],
      importV4: [{ action: 'Reject', matchOperator: 'Equal', cidr: '10.50.0.0/16' }],
    };
    await lab.cli(['apply'], manifest('BGPFilter', 'closed', closed));
    await lab.cli(['apply'], torPeer({ filters: ['closed'] }));
    await sees(() => tor.told(), []);
    await sees(() => way(a, '10.50.0.0/16'), undefined);
    expect(await verdict()).toContain('rejected on import by rule 1 of BGPFilter(closed)');
    expect(way(a, '10.51.0.0/16')).toBe(TOR_ADDRESS);
    const own = { exportV4: [{ action: 'Accept', matchOperator: 'Equal', cidr: blocks[0] }] };
    await lab.cli(['apply'], manifest('BGPFilter', 'own', own));
    await lab.cli(['apply'], torPeer({ filters: ['own', 'closed'] }));
    // The other node passes it on too: a filter that accepts, accepts what the mesh told, as in Calico.
    const passedOn = `${blocks[0]} from n1`;
    await sees(() => [...tor.told()].sort(), [`${blocks[0]} from n0`, passedOn]);
    await remove('bgpfilter', 'closed');
    await sees(() => [...tor.told()].sort(), [...everyone(), passedOn].sort());
    await sees(() => way(a, '10.50.0.0/16'), TOR_ADDRESS);
    expect(await sessions(TOR_ADDRESS)).toEqual(before);
  });

  test('communities, step2: prefixAdvertisements reach the ToR, change and go', async () => {
    const communities = (): readonly string[] =>
      tor.birdc('show', 'route', 'all', blocks[0]).match(/BGP\.(large_)?community: .*/g) ?? [];
    const advertised = (value: string) => ({
      communities: [{ name: 'rack', value }],
      prefixAdvertisements: [{ cidr: '10.48.0.0/16', communities: ['rack', '64512:1:2'] }],
    });
    await lab.cli(['apply'], configuration(advertised('64512:100')));
    await sees(communities, ['BGP.community: (64512,100)', 'BGP.large_community: (64512, 1, 2)']);
    await lab.cli(['apply'], configuration(advertised('64512:200')));
    await sees(communities, ['BGP.community: (64512,200)', 'BGP.large_community: (64512, 1, 2)']);
    await lab.cli(['apply'], configuration({}));
    await sees(communities, []);
  });

  test('BGP peers: without the mesh the nodes lose each other, a peer for all brings them back', async () => {
    const before = await sessions(TOR_ADDRESS);
    await sees(() => way(a, blocks[1]), B);
    await lab.cli(['apply'], configuration({ nodeToNodeMeshEnabled: false }));
    await sees(() => way(a, blocks[1]), undefined);
    expect((await peers(a)).map(({ address }) => address)).toEqual([TOR_ADDRESS]);
    await lab.cli(['apply'], bgpPeer('pair', { nodeSelector: 'all()', peerSelector: 'all()' }));
    await sees(() => way(a, blocks[1]), B);
    await remove('bgppeer', 'pair');
    await sees(() => way(a, blocks[1]), undefined);
    expect(await sessions(TOR_ADDRESS)).toEqual(before);
  });

  test('reverse_peering: the far side needs no resource, and with Manual it does', async () => {
    await lab.cli(['apply'], configuration({ nodeToNodeMeshEnabled: false }));
    await lab.cli(['label', 'node', 'node-b', 'far=yes', '--overwrite']);
    const pair = { node: 'node-a', peerSelector: "far == 'yes'" };
    await lab.cli(['apply'], bgpPeer('pair', pair));
    const farSide = async () => {
      const peer = await peerOf(b, A);
      return [peer?.origin, peer?.state];
    };
    await sees(farSide, ['BGPPeer(pair), reverse', 'Established']);
    await sees(() => way(b, blocks[0]), A);
    await lab.cli(['apply'], bgpPeer('pair', { ...pair, reversePeering: 'Manual' }));
    await sees(farSide, [undefined, undefined]);
    const refused = (): Promise<boolean> =>
      b.client
        .get<PeerExplainReport>(`/v1/bgp/peers/${A}/explain`)
        .then(({ evidence }) => evidence.some((line) => line.includes('was refused')));
    await until(refused, all);
    expect(await stateOf(a, B)).not.toBe('Established');
  });

  test('BGP password authentication: only with the same one at both ends, and again after a change', async () => {
    const secret = (text: string): void => {
      mkdirSync(join(secrets, 'bgp'), { recursive: true });
      writeFileSync(join(secrets, 'bgp', 'tor'), text);
    };
    const toTor = () => Promise.all(lab.nodes.map((node) => stateOf(node, TOR_ADDRESS)));
    const drops = (): number => {
      const { md5Failure } = parseNetstat(a.netns.run('cat', '/proc/net/netstat'))!;
      return md5Failure;
    };
    secret('first');
    tor.configure([A, B], 'password "first";');
    await lab.cli(['apply'], torPeer({ password: { secretKeyRef: { name: 'bgp', key: 'tor' } } }));
    const together = ['Established', 'Established'];
    const isProtected = () => tor.birdc('show', 'protocols').match(/Established/g);
    await sees(toTor, together);
    await sees(isProtected, together);
    const failures = drops();
    secret('second');
    await until(() => Promise.resolve(drops() > failures), all);
    expect(await stateOf(a, TOR_ADDRESS)).not.toBe('Established');
    tor.configure([A, B], 'password "second";');
    await sees(toTor, together);
    await sees(isProtected, together);
    tor.configure([A, B], '');
  });

  test('reachableBy: a peer that no route leads to is reached through the router named, and so is what it tells', async () => {
    const behind = '10.99.0.1';
    tor.configureBehind(A, behind);
    const peer = { peerIP: behind, asNumber: TOR_ASN, node: 'node-a' };
    await lab.cli(['apply'], bgpPeer('pair', peer));
    await sees(async () => (await peerOf(a, behind))?.lastError !== undefined, true);
    expect(way(a, behind)).toBeUndefined();
    await lab.cli(['apply'], bgpPeer('pair', { ...peer, reachableBy: TOR_ADDRESS }));
    await sees(() => stateOf(a, behind), 'Established');
    expect(way(a, behind)).toBe(TOR_ADDRESS);
    await sees(() => way(a, '10.50.0.0/16'), TOR_ADDRESS);
    await remove('bgppeer', 'pair');
    await sees(() => way(a, behind), undefined);
    tor.configure([A, B], '');
  });

  test('bindMode: the listener moves to the address of the node and back, the sessions begin anew, and no route goes meanwhile', async () => {
    const listening = (): readonly string[] =>
      a.netns
        .run('ss', '-Hltn', 'sport', '=', ':179')
        .trim()
        .split('\n')
        .map((line) => line.split(/\s+/)[3]!);
    const everywhere = listening();
    expect(everywhere).toContain('0.0.0.0:179');
    const before = await sessions(B);
    const eventsBefore = lab.nodes.map(({ routeEvents }) => routeEvents().length);
    await lab.cli(['apply'], configuration({ bindMode: 'NodeIP' }));
    await sees(listening, [`${A}:179`]);
    const together = () => Promise.all([stateOf(a, B), stateOf(b, A), stateOf(a, TOR_ADDRESS)]);
    const isAnew = async (): Promise<boolean> => JSON.stringify(await sessions(B)) !== JSON.stringify(before);
    await sees(isAnew, true);
    await sees(together, ['Established', 'Established', 'Established']);
    await lab.cli(['apply'], configuration({}));
    await sees(listening, everywhere);
    await sees(together, ['Established', 'Established', 'Established']);
    expect(lab.nodes.map(({ routeEvents }) => routeEvents().length)).toEqual(eventsBefore);
  });

  test('graceful transition to a route reflector, which is then the only one that the ToR has', async () => {
    const before = await Promise.all([peerOf(a, B), peerOf(b, A)]);
    const events = (): readonly string[] =>
      lab.nodes.flatMap(({ routeEvents }) => routeEvents().filter((line) => line.includes('10.48.')));
    const eventsBefore = events().length;
    const withdrawn = (): string => /Import withdraws:\s+(\d+)/.exec(tor.birdc('show', 'protocols', 'all', 'n0'))![1]!;
    const withdrawnBefore = withdrawn();
    await lab.cli(['label', 'node', 'node-a', 'reflector=yes']);
    await lab.cli(['apply'], bgpPeer('pair', { nodeSelector: 'all()', peerSelector: "reflector == 'yes'" }));
    await sees(async () => (await peerOf(b, A))?.type, 'node specific');
    const node = parse(await lab.text(['get', 'node', 'node-a', '-o', 'yaml'])) as { spec: { bgp: object } };
    Object.assign(node.spec.bgp, { routeReflectorClusterID: '224.0.0.1' });
    await lab.cli(['replace'], stringify(node));
    await sees(() => [...tor.told()].sort(), [...everyone(), `${blocks[1]} from n0`].sort());
    await lab.cli(['apply'], configuration({ nodeToNodeMeshEnabled: false }));
    await lab.cli(['apply'], torPeer({ nodeSelector: "reflector == 'yes'" }));
    await sees(() => [...tor.told()].sort(), blocks.map((block) => `${block} from n0`).sort());
    const after = await Promise.all([peerOf(a, B), peerOf(b, A)]);
    const session = (peer: PeerStatus | undefined) => [peer?.state, peer?.since, peer?.flaps];
    expect(after.map(session)).toEqual(before.map(session));
    expect(way(b, blocks[0])).toBe(A);
    expect(events()).toHaveLength(eventsBefore);
    expect(withdrawn()).toBe(withdrawnBefore);
  });
});
