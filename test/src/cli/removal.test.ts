/** What goes with a Node and with an IPPool. */
import { beforeEach, describe, expect, test } from 'vitest';
import { AFFINITIES_PREFIX, blockKey, blockPrefix, HANDLES_PREFIX } from '../../../src/datastore/keys.ts';
import { createIpam } from '../../../src/ipam/index.ts';
import type { Ipam } from '../../../src/ipam/index.ts';
import { formatIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import type { AnyResource } from '../../../src/resources/index.ts';
import { keyOf, toStored, workloadEndpointName } from '../../../src/resources/index.ts';
import { FakeShell } from '../../support/cli.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { checkInvariants } from '../../support/ipam.ts';
import { resource } from '../../support/resources.ts';

let shell: FakeShell;
let ipam: Ipam;

const POOL = { cidr: parsePrefix('10.65.0.0/24'), blockSize: 29, name: 'pods' };
const put = (one: AnyResource): Promise<unknown> => shell.store.create(keyOf(one), toStored(one));
const keys = async (prefix: string): Promise<readonly string[]> =>
  (await shell.store.list(prefix)).entries.map(({ key }) => key.slice(prefix.length));
const names = async (kind: string): Promise<readonly string[]> =>
  (await shell.run('get', kind, '-A', '-o', 'name')).stdout.split('\n').filter(Boolean);

async function addPod(node: string, pod: string, { withEndpoint = true } = {}): Promise<void> {
  const { addresses } = await ipam.autoAssign({
    node,
    count: 1,
    handleId: `k8s-pod-network.${pod}`,
    attributes: { namespace: 'shop', pod },
    pools: [POOL],
  });
  if (!withEndpoint) return;
  const spec = { node, orchestrator: 'k8s', pod, endpoint: 'eth0', interfaceName: `cali${pod}` };
  const name = workloadEndpointName(spec);
  const ipNetworks = addresses.map((address) => `${formatIpAddress(address)}/32`);
  await put(resource('WorkloadEndpoint', { name, namespace: 'shop' }, { ...spec, ipNetworks }));
}

beforeEach(async () => {
  shell = new FakeShell();
  ipam = createIpam(shell.store, { clock: new FakeClock(), random: () => 0.5 });
  await put(resource('IPPool', 'pods', { cidr: '10.65.0.0/24', blockSize: 29, ipipMode: 'Always' }));
  for (const [i, name] of ['n1', 'n2'].entries()) {
    await put(resource('Node', name, { bgp: { ipv4Address: `172.30.0.${i + 1}/24` } }));
    await ipam.ensureTunnelAddress({ node: name, kind: 'ipip', pools: [POOL] });
  }
});

describe('a Node', () => {
  beforeEach(async () => {
    await addPod('n1', 'web');
    await addPod('n1', 'leaked', { withEndpoint: false });
    await addPod('n2', 'db');
    await put(resource('BGPPeer', 'tor-1', { node: 'n1', peerIP: '172.30.0.254', asNumber: 65001 }));
    await put(resource('BGPPeer', 'tor-2', { node: 'n2', peerIP: '172.30.0.254', asNumber: 65001 }));
    await put(resource('BGPConfiguration', 'node.n1', { listenPort: 1179 }));
    await put(resource('FelixConfiguration', 'node.n1', {}));
    await put(resource('HostEndpoint', 'n1-eth0', { node: 'n1', interfaceName: 'eth0' }));
  });

  test('takes all with it that was the node’s, and nothing of another’s', async () => {
    expect(await shell.run('delete', 'node', 'n1')).toEqual({
      exitCode: 0,
      stdout:
        'With Node n1 went: 1 WorkloadEndpoint, 3 IPAM handles, 1 block, BGPPeer(tor-1), HostEndpoint(n1-eth0), ' +
        "BGPConfiguration(node.n1), FelixConfiguration(node.n1)\nSuccessfully deleted 1 'Node' resource(s)\n",
      stderr: '',
    });
    expect(await names('nodes')).toEqual(['node.projectcalico.org/n2']);
    expect(await names('bgppeers')).toEqual(['bgppeer.projectcalico.org/tor-2']);
    for (const kind of ['bgpconfigurations', 'felixconfigurations', 'hostendpoints']) {
      expect(await names(kind)).toEqual([]);
    }
    expect(await keys(HANDLES_PREFIX)).toEqual(['ipip-tunnel-addr-n2', 'k8s-pod-network.db']);
    expect((await keys(AFFINITIES_PREFIX)).filter((key) => key.startsWith('n1'))).toEqual([]);
    expect(await keys(blockPrefix(4))).toHaveLength(1);
    await checkInvariants(shell.store);
  });

  test('is shown with what goes with it in a dry run, and stays', async () => {
    const { stdout } = await shell.run('delete', 'node', 'n1', '--dry-run');
    expect(stdout).toContain('- Node(n1)\n');
    expect(stdout).toContain('- WorkloadEndpoint(shop/n1-k8s-web-eth0)\n');
    expect(await names('nodes')).toHaveLength(2);
    expect(await keys(HANDLES_PREFIX)).toHaveLength(5);
  });

  test('that is not there, or is of another version, takes nothing with it', async () => {
    shell.files['old.yaml'] = JSON.stringify({
      apiVersion: 'projectcalico.org/v3',
      kind: 'Node',
      metadata: { name: 'n1', resourceVersion: '1' },
    });
    expect((await shell.run('delete', 'node', 'n9')).exitCode).toBe(1);
    expect((await shell.run('delete', '-f', 'old.yaml')).exitCode).toBe(1);
    expect(await keys(HANDLES_PREFIX)).toHaveLength(5);
    expect(await names('bgppeers')).toHaveLength(2);
  });

  test('that cannot be read goes with its addresses all the same', async () => {
    const key = '/calico/resources/v3/projectcalico.org/nodes/n1';
    const { revision } = (await shell.store.get(key))!;
    await shell.store.update(key, { kind: 'Node', spec: { strange: true } }, revision);
    expect((await shell.run('delete', 'node', 'n1')).exitCode).toBe(0);
    expect(await keys(HANDLES_PREFIX)).toHaveLength(2);
  });
});

describe('an IPPool', () => {
  test('without pods goes with its blocks; tunnel addresses are no hindrance, and the block in which one is goes with it', async () => {
    expect((await shell.run('delete', 'ippool', 'pods')).stdout).toBe(
      "With IPPool pods went: 2 blocks\nSuccessfully deleted 1 'IPPool' resource(s)\n",
    );
    expect((await keys(AFFINITIES_PREFIX)).filter((key) => key.includes('block'))).toEqual([]);
    await ipam.keepOnlyTunnelAddress({ node: 'n1', kind: 'ipip', address: undefined });
    await ipam.keepOnlyTunnelAddress({ node: 'n2', kind: 'ipip', address: undefined });
    expect(await keys(blockPrefix(4))).toEqual([]);
  });

  test('with pods is refused, and untouched; with --force it goes, and its addresses live on', async () => {
    await addPod('n2', 'db');
    const { exitCode, stderr } = await shell.run('delete', 'ippool', 'pods');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('IPPool(pods) has 1 address in use on n2, and without it they lose their routes.');
    expect((await shell.run('get', 'ippool', 'pods', '-o', 'yaml')).stdout).toContain('disabled: false');
    expect((await shell.run('delete', 'ippool', 'pods', '--force')).exitCode).toBe(0);
    expect(await names('ippools')).toEqual([]);
    expect(
      (await ipam.assignmentsOf('k8s-pod-network.db')).map(({ address }) => formatIpAddress(address)),
    ).toHaveLength(1);
  });

  test('with a block that cannot be read is deleted for all that', async () => {
    await shell.store.create(blockKey(parsePrefix('10.65.0.248/29')), { cidr: '10.65.0.248/29' });
    expect((await shell.run('delete', 'ippool', 'pods')).exitCode).toBe(0);
  });
});
