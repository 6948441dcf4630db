import { beforeEach, describe, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { resourceKey } from '../../../src/resources/index.ts';
import { FakeShell } from '../../support/cli.ts';
import { entryOf, manifest, resource } from '../../support/resources.ts';

let shell: FakeShell;

const PEERS = `
apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata: {name: tor-a, creationTimestamp: null}
spec:
  nodeSelector: rack == 'a'
  peerIP: 172.30.1.1
  asNumber: 65001
---
apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata: {name: everybody}
spec: {peerIP: 172.30.2.1, asNumber: "1.10"}
---
`;

beforeEach(() => {
  shell = new FakeShell();
  shell.files['peers.yaml'] = PEERS;
  shell.files['pool.json'] = JSON.stringify(manifest('IPPool', 'pool', { cidr: '192.168.0.0/16' }));
  shell.files['bad.yaml'] = PEERS.replace('65001', '4294967296');
  shell.files['node.yaml'] = JSON.stringify(manifest('Node', 'node-a1', { bgp: { ipv4Address: '172.30.1.11/24' } }));
});

const done = (stdout: string) => ({ exitCode: 0, stdout, stderr: '' });
const failed = (stderr: string, stdout = '') => ({ exitCode: 1, stdout, stderr });
const misused = (stderr: string) => ({ exitCode: 64, stdout: '', stderr });

describe('apply, create and replace', () => {
  test('say how many they did, of which kind', async () => {
    expect(await shell.run('create', '-f', 'peers.yaml')).toEqual(
      done("Successfully created 2 'BGPPeer' resource(s)\n"),
    );
    expect(await shell.run('apply', '-f', 'peers.yaml')).toEqual(
      done("Successfully applied 2 'BGPPeer' resource(s)\n"),
    );
    expect(await shell.run('replace', '-f', 'peers.yaml')).toEqual(
      done("Successfully replaced 2 'BGPPeer' resource(s)\n"),
    );
    expect((await shell.store.list('/calico/resources/v3/projectcalico.org/bgppeers/')).entries).toHaveLength(2);
  });

  test('name no kind where there are several, and read lists and arrays', async () => {
    const items = [JSON.parse(shell.files['pool.json']!), JSON.parse(shell.files['node.yaml']!)];
    shell.files.list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    shell.files.array = JSON.stringify(items);
    expect(await shell.run('apply', '-f', 'list')).toEqual(done('Successfully applied 2 resource(s)\n'));
    expect(await shell.run('apply', '-f', 'array')).toEqual(done('Successfully applied 2 resource(s)\n'));
  });

  test('do what they can of several resources, and say whose fault is whose', async () => {
    expect(await shell.run('apply', '-f', 'bad.yaml')).toEqual(
      failed(
        "hit error: [BGPPeer(tor-a): bad.yaml:8: error with field spec.asNumber = '4294967296': is not an AS number between 1 and 4294967295]\n",
        "Partial success: applied the first 1 out of 2 'BGPPeer' resources:\n",
      ),
    );
  });

  test('count those that were done, wherever those stand that were not', async () => {
    const peers = [4294967296, 65001, 0, 65002].map((asNumber, i) =>
      manifest('BGPPeer', `p${i}`, { peerIP: `10.0.0.${i}`, asNumber }),
    );
    shell.files.some = JSON.stringify(peers);
    const { exitCode, stdout, stderr } = await shell.run('apply', '-f', 'some');
    expect([exitCode, stdout]).toEqual([1, "Partial success: applied the first 2 out of 4 'BGPPeer' resources:\n"]);
    expect(stderr).toMatch(/^hit error: \[BGPPeer\(p0\): .* BGPPeer\(p2\): .*\]\n$/);
    expect((await shell.store.list('/calico/resources/v3/projectcalico.org/bgppeers/')).entries).toHaveLength(2);
  });

  test('refuse one resource, and all of several', async () => {
    await shell.run('create', '-f', 'peers.yaml');
    await shell.run('create', '-f', 'pool.json');
    expect(await shell.run('create', '-f', 'pool.json')).toEqual(
      failed("failed to create 'IPPool' resource: [resource already exists: IPPool(pool) with error: <nil>]\n"),
    );
    expect(await shell.run('create', '-f', 'peers.yaml')).toEqual(
      failed(
        "failed to create any 'BGPPeer' resources: [resource already exists: BGPPeer(tor-a) with error: <nil> resource already exists: BGPPeer(everybody) with error: <nil>]\n",
      ),
    );
    expect(await shell.run('replace', '-f', 'node.yaml')).toEqual(
      failed("failed to replace 'Node' resource: [resource does not exist: Node(node-a1) with error: <nil>]\n"),
    );
    expect((await shell.run('create', '--skip-exists', '-f', 'peers.yaml')).exitCode).toBe(0);
  });

  test('leave what the agent alone writes', async () => {
    shell.files['info.yaml'] = JSON.stringify(manifest('ClusterInformation', 'default', { datastoreReady: false }));
    expect(await shell.run('apply', '-f', 'info.yaml')).toEqual(
      failed(
        "failed to apply 'ClusterInformation' resource: [operation Apply is not supported on ClusterInformation(default)]\n",
      ),
    );
  });

  test.each([
    ['a: [', 'failed to execute command: f:1: Flow sequence in block collection must be sufficiently indented'],
    ['a: *b', 'failed to execute command: f: Unresolved alias'],
    ['---\n---\n', 'no resources specified in file f'],
    [
      'just text',
      "failed to apply 'unknown' resource: [f:1: error with field document = 'just text': is not an object",
    ],
  ])('refuse the file %j in one sentence', async (text, message) => {
    shell.files.f = text;
    const { exitCode, stderr } = await shell.run('apply', '-f', 'f');
    expect([exitCode, stderr.split('\n').length]).toEqual([1, 2]);
    expect(stderr).toContain(message);
  });

  test('need a file that exists; an empty one only where that is allowed', async () => {
    expect(await shell.run('apply')).toEqual(misused("required option '-f, --filename <path>' not specified\n"));
    expect(await shell.run('apply', '-f', 'nowhere')).toEqual(failed('failed to execute command: no file nowhere\n'));
    shell.files.empty = '';
    expect((await shell.run('apply', '--skip-empty', '-f', 'empty')).exitCode).toBe(0);
  });
});

describe('get', () => {
  beforeEach(async () => {
    for (const file of ['peers.yaml', 'pool.json', 'node.yaml']) await shell.run('apply', '-f', file);
  });

  test('prints a table, and one with all columns', async () => {
    expect(await shell.run('get', 'bgppeers')).toEqual(
      done(
        [
          'NAME        PEERIP       NODE          ASN     ',
          'everybody   172.30.2.1   (global)      65546   ',
          "tor-a       172.30.1.1   rack == 'a'   65001   ",
          '',
          '',
        ].join('\n'),
      ),
    );
    expect((await shell.run('get', 'pool', '-o', 'wide')).stdout.split('\n').slice(0, 2)).toEqual([
      'NAME   CIDR             NAT     IPIPMODE   VXLANMODE   DISABLED   DISABLEBGPEXPORT   SELECTOR   ASSIGNMENTMODE   ',
      'pool   192.168.0.0/16   false   Never      Never       false      false              all()      Automatic        ',
    ]);
    expect((await shell.run('get', 'bp', 'tor-a', '--no-headers')).stdout).toBe(
      "tor-a   172.30.1.1   rack == 'a'   65001   \n\n",
    );
  });

  test('puts the AS number that a node inherits in parentheses', async () => {
    const line = async () =>
      (await shell.run('get', 'nodes', '-o', 'wide', '--no-headers')).stdout.split(/\s{2,}/).slice(0, 3);
    expect(await line()).toEqual(['node-a1', '(64512)', '172.30.1.11/24']);
    shell.files['config'] = JSON.stringify(manifest('BGPConfiguration', 'default', { asNumber: 64600 }));
    await shell.run('apply', '-f', 'config');
    expect(await line()).toEqual(['node-a1', '(64600)', '172.30.1.11/24']);
  });

  test('prints one named resource alone and everything else as a list', async () => {
    const one = JSON.parse((await shell.run('get', 'bp', 'tor-a', '-o', 'json')).stdout);
    expect(one).toMatchObject({ kind: 'BGPPeer', metadata: { name: 'tor-a' }, spec: { asNumber: 65001 } });
    expect(parse((await shell.run('get', 'bp', 'tor-a', '-o', 'yaml')).stdout)).toEqual(one);
    expect(JSON.parse((await shell.run('get', 'bp', '-o', 'json')).stdout)).toHaveLength(2);
    const list = parse((await shell.run('get', 'bp', 'everybody', 'tor-a', '-o', 'yaml')).stdout);
    expect(list).toMatchObject({ kind: 'BGPPeerList', items: [{}, one] });
  });

  test('exports what can be applied elsewhere, and a list can be applied again', async () => {
    const { stdout } = await shell.run('get', 'bp', 'tor-a', '-o', 'yaml', '--export');
    expect(parse(stdout).metadata).toEqual({ name: 'tor-a' });
    shell.files.again = (await shell.run('get', 'bp', '-o', 'yaml')).stdout;
    expect((await shell.run('apply', '-f', 'again')).stdout).toBe("Successfully applied 2 'BGPPeer' resource(s)\n");
  });

  test('shows the namespace where one is asked for', async () => {
    const spec = {
      orchestrator: 'cni',
      node: 'n',
      containerID: 'c',
      endpoint: 'eth0',
      interfaceName: 'cali0',
      workload: 'w',
    };
    const endpoint = resource('WorkloadEndpoint', 'n-cni-c-eth0', spec);
    await shell.store.create(resourceKey('WorkloadEndpoint', 'n-cni-c-eth0', 'default'), entryOf(endpoint).value);
    const cells = async (...args: readonly string[]) =>
      (await shell.run('get', 'wep', '--no-headers', ...args)).stdout.trim().split(/\s{2,}/);
    expect(await cells()).toEqual(['w', 'n', 'cali0']);
    expect(await cells('-A')).toEqual(['default', 'w', 'n', 'cali0']);
    expect(await cells('-n', 'other')).toEqual(['']);
  });

  test('tells of what is stored and cannot be read, one line for each, and shows the rest', async () => {
    await shell.store.create(resourceKey('BGPPeer', 'broken'), {
      ...manifest('BGPPeer', 'broken', { colour: 1, keepaliveTime: '0s' }),
    });
    const { value } = entryOf(resource('BGPPeer', 'tor-b', { peerIP: '10.0.0.1', asNumber: 1 }));
    await shell.store.create(resourceKey('BGPPeer', 'moved'), value);
    const { exitCode, stdout, stderr } = await shell.run('get', 'bgppeers', '--no-headers');
    expect([exitCode, stdout.match(/^\S+/gm)]).toEqual([0, ['everybody', 'tor-a']]);
    const [broken, moved, end] = stderr.split('\n');
    expect(broken).toMatch(
      /^cannot read \/calico\/resources\/v3\/[^ ]*\/broken: error with .*spec\.keepaliveTime = '0s'.*; spec\.colour = '1': is not a field of/,
    );
    expect(moved).toMatch(/^cannot read [^ ]*\/moved: holds a resource that belongs under another key$/);
    expect(end).toBe('');
    expect((await shell.run('get', 'ippools')).stderr).toBe('');
    expect((await shell.run('get', 'bgppeer', 'tor-a')).stderr).toBe('');
    expect(JSON.parse((await shell.run('get', 'bgppeers', '-o', 'json')).stdout)).toHaveLength(2);
  });

  test('tells of the configuration that it cannot read when it prints AS numbers', async () => {
    await shell.store.create(resourceKey('BGPConfiguration', 'default'), { kind: 'BGPConfiguration' });
    const lines = async (...args: readonly string[]) => (await shell.run('get', ...args)).stderr.match(/\n/g)?.length;
    expect(await lines('nodes', '-o', 'wide')).toBe(1);
    expect(await lines('bgpconfig')).toBe(1);
    expect(await lines('ippools')).toBeUndefined();
  });

  test.each([
    [['get', 'somekind'], "failed to get resources: resource type 'somekind' is not supported"],
    [['get', 'ippool', ''], 'resource name may not be empty'],
    [['get', 'wep', '-A', '-n', 'x'], 'cannot use both --namespace and --all-namespaces flags at the same time'],
    [['get'], "missing required argument 'kind'"],
    [['get', '--bogus'], "unknown option '--bogus'"],
    [['frobnicate'], "unknown command 'frobnicate'"],
    [['label', 'node', 'node-a1', 'rack'], "invalid label 'rack': it is not of the form key=value"],
  ])('%j can not be meant', async (args, message) => {
    expect(await shell.run(...args)).toEqual(misused(`${message}\n`));
  });

  test('what is not there is refused', async () => {
    expect(await shell.run('get', 'ippool', 'blah')).toEqual(
      failed('resource does not exist: IPPool(blah) with error: <nil>\n'),
    );
  });
});

describe('delete', () => {
  beforeEach(async () => {
    await shell.run('apply', '-f', 'peers.yaml');
  });

  test('goes by names or by file', async () => {
    expect(await shell.run('delete', 'bgppeer', 'tor-a')).toEqual(
      done("Successfully deleted 1 'BGPPeer' resource(s)\n"),
    );
    expect(await shell.run('delete', '-f', 'peers.yaml')).toEqual(
      failed("Failed to delete 'BGPPeer' resource: resource does not exist: BGPPeer(tor-a) with error: <nil>\n"),
    );
    expect((await shell.store.list('/')).entries).toEqual([]);
    expect((await shell.run('delete', '-s', '-f', 'peers.yaml')).exitCode).toBe(0);
  });

  test('removes what cannot be read any more', async () => {
    await shell.store.create(resourceKey('BGPPeer', 'broken'), { kind: 'BGPPeer' });
    expect((await shell.run('delete', 'bp', 'broken')).exitCode).toBe(0);
  });

  test('minds the version in the file', async () => {
    const old = (await shell.run('get', 'bp', 'tor-a', '-o', 'yaml')).stdout;
    shell.files.old = old;
    await shell.run('apply', '-f', 'peers.yaml');
    const { exitCode, stderr } = await shell.run('delete', '-f', 'old');
    expect([exitCode, stderr.includes('is out of date')]).toEqual([1, true]);
  });

  test('needs something to delete', async () => {
    expect(await shell.run('delete')).toEqual(misused('No resources specified\n'));
    expect(await shell.run('delete', 'bp')).toEqual(misused('No resources specified\n'));
  });
});

describe('label', () => {
  beforeEach(async () => {
    await shell.run('apply', '-f', 'node.yaml');
  });

  test('reads again what somebody else wrote meanwhile, and keeps it', async () => {
    const update = shell.store.update.bind(shell.store);
    vi.spyOn(shell.store, 'update').mockImplementationOnce(async (key, value, revision) => {
      const agents = resource('Node', 'node-a1', { bgp: { ipv4Address: '172.30.1.99/24' } });
      await update(key, entryOf(agents).value, revision);
      return update(key, value, revision);
    });
    expect(await shell.run('label', 'node', 'node-a1', 'rack=a')).toEqual(
      done('Successfully set label rack on node node-a1\n'),
    );
    const { metadata, spec } = parse((await shell.run('get', 'node', 'node-a1', '-o', 'yaml')).stdout);
    expect([metadata.labels, spec.bgp.ipv4Address]).toEqual([{ rack: 'a' }, '172.30.1.99/24']);
  });

  test('sets, updates and removes', async () => {
    expect(await shell.run('label', 'node', 'node-a1', 'rack=a')).toEqual(
      done('Successfully set label rack on node node-a1\n'),
    );
    expect(await shell.run('label', 'nodes', 'node-a1', 'rack=b')).toEqual(
      failed(
        "failed to update label of node node-a1, key rack is already present. please use '--overwrite' to set a new value.\n",
      ),
    );
    expect((await shell.run('label', 'node', 'node-a1', 'rack=b', '--overwrite')).stdout).toBe(
      'Successfully updated label rack on node node-a1\n',
    );
    expect(parse((await shell.run('get', 'node', 'node-a1', '-o', 'yaml')).stdout).metadata.labels).toEqual({
      rack: 'b',
    });
    expect((await shell.run('label', 'node', 'node-a1', 'rack', '--remove')).stdout).toBe(
      'Successfully removed label rack from node node-a1\n',
    );
    expect(parse((await shell.run('get', 'node', 'node-a1', '-o', 'yaml')).stdout).metadata).not.toHaveProperty(
      'labels',
    );
  });

  test.each([
    [['rack', '--remove'], 'cannot remove label of node node-a1, key rack does not exist.'],
    [['ra ck=a'], "label = 'ra ck': is not a label name"],
    [['rack=-a'], "label.rack = '-a': is not a label value"],
  ])('%j is refused', async (args, message) => {
    expect(await shell.run('label', 'node', 'node-a1', ...args)).toEqual(failed(`${message}\n`));
  });
});

describe('node drain', () => {
  test('waits as long as it is told, and says when it is over', async () => {
    shell.answers['POST /v1/drain'] = undefined;
    const over = done('calico-node-ts has drained and ends; the routes on this host stay\n');
    expect(await shell.run('node', 'drain')).toEqual(over);
    expect(await shell.run('node', 'drain', '--wait', '90', '-m', 'kernel update')).toEqual(over);
    expect(shell.posted).toEqual([
      ['/v1/drain', { message: 'node is leaving', waitSeconds: 10 }, 10_000],
      ['/v1/drain', { message: 'kernel update', waitSeconds: 90 }, 90_000],
    ]);
  });

  test.each(['-1', '1.5', 'soon', '3601'])('refuses to wait %s', async (wait) => {
    const { exitCode, stderr } = await shell.run('node', 'drain', '--wait', wait);
    expect([exitCode, shell.posted]).toEqual([64, []]);
    expect(stderr).toContain('It must be a whole number from 0 to 3600.');
  });
});

describe('every command', () => {
  test('opens the datastore of the environment and closes it, also after a failure', async () => {
    await shell.run('get', 'nodes');
    await shell.run('get', 'node', 'nobody');
    expect(shell.opened).toEqual({ type: 'file', directory: '/var/lib/calico/datastore', mustExist: true });
    expect(shell.closed).toBe(2);
    shell.env.ETCD_ENDPOINTS = 'http://127.0.0.1:2379';
    await shell.run('get', 'nodes');
    expect(shell.opened).toEqual({ type: 'etcdv3', endpoints: ['http://127.0.0.1:2379'] });
  });

  test('refuses a slip in the name of a variable that says where the data is', async () => {
    shell.env.ETCD_ENDPOINT = 'http://127.0.0.1:2379';
    expect(await shell.run('apply', '-f', 'peers.yaml')).toEqual(
      failed('ETCD_ENDPOINT is not a setting; did you mean ETCD_ENDPOINTS?\n'),
    );
    expect(shell.opened).toBeUndefined();
  });

  test('refuses a datastore that it does not know', async () => {
    shell.env.DATASTORE_TYPE = 'consul';
    expect(await shell.run('get', 'nodes')).toEqual(
      failed("DATASTORE_TYPE = 'consul': is not a datastore type; use etcdv3 or file\n"),
    );
  });

  test('tells its version, and help on standard output', async () => {
    expect(await shell.run('version', '--client')).toEqual(
      done('Client Version:    v1.2.3\nGit commit:        0c0ffee\n'),
    );
    const help = await shell.run('--help');
    expect([help.exitCode, help.stderr]).toEqual([0, '']);
    expect(help.stdout).toContain('Usage: calicoctl-ts');
  });
});
