import { beforeEach, describe, expect, test } from 'vitest';
import { blockKey, IPAM_CONFIG_KEY } from '../../../src/datastore/keys.ts';
import { allocate, newBlock } from '../../../src/ipam/block.ts';
import { blockToJson } from '../../../src/ipam/block-json.ts';
import { parsePrefix } from '../../../src/model/ip.ts';
import { keyOf, toStored } from '../../../src/resources/index.ts';
import type { AnyResource } from '../../../src/resources/index.ts';
import { FakeShell } from '../../support/cli.ts';
import { resource } from '../../support/resources.ts';

let shell: FakeShell;

const put = (one: AnyResource): Promise<unknown> => shell.store.create(keyOf(one), toStored(one));
const done = (stdout: string) => ({ exitCode: 0, stdout, stderr: '' });
const failed = (stderr: string) => ({ exitCode: 1, stdout: '', stderr: `${stderr}\n` });
const lines = (...each: readonly string[]): string => `${each.join('\n')}\n`;

const podOn = (node: string, pod: string) => ({
  handleId: `k8s-pod-network.${pod}`,
  secondary: { node, pod, namespace: 'shop', timestamp: '2026-11-26 07:00:00 +0000 UTC' },
});

/** n1's block, with a pod of its own and one of n2. */
beforeEach(async () => {
  shell = new FakeShell();
  await put(resource('IPPool', 'pods', { cidr: '10.65.0.0/24', blockSize: 29, ipipMode: 'Always' }));
  const prefix = parsePrefix('10.65.0.8/29');
  const [own] = allocate(newBlock({ prefix, affinity: 'host:n1', claimedAtMs: 0 }), 1, podOn('n1', 'web'));
  const [block] = allocate(own, 1, podOn('n2', 'db'));
  await shell.store.create(blockKey(prefix), blockToJson(block));
});

describe('ipam show', () => {
  test('how full pools and blocks are, in the table of calicoctl', async () => {
    await put(resource('IPReservation', 'gateways', { reservedCIDRs: ['10.65.0.14/31'] }));
    expect(await shell.run('ipam', 'show', '--show-blocks')).toEqual(
      done(
        lines(
          '+----------+--------------+-----------+------------+--------------+-----------+',
          '| GROUPING | CIDR         | IPS TOTAL | IPS IN USE | IPS RESERVED | IPS FREE  |',
          '+----------+--------------+-----------+------------+--------------+-----------+',
          '| IP Pool  | 10.65.0.0/24 | 256       | 2 (1%)     | 2 (1%)       | 252 (98%) |',
          '| Block    | 10.65.0.8/29 | 8         | 2 (25%)    | 2 (25%)      | 4 (50%)   |',
          '+----------+--------------+-----------+------------+--------------+-----------+',
        ),
      ),
    );
    const [pool] = JSON.parse((await shell.run('ipam', 'show', '-o', 'json')).stdout) as readonly object[];
    expect(pool).toMatchObject({ name: 'pods', total: 256, inUse: 2, reserved: 2, free: 252 });
  });

  test('large numbers with five digits', async () => {
    await put(resource('IPPool', 'six', { cidr: 'fd00::/48' }));
    await put(resource('IPPool', 'big', { cidr: '10.128.0.0/12' }));
    const { stdout } = await shell.run('ipam', 'show');
    expect(stdout).toContain('| fd00::/48     | 1.2089e+24 | 0 (0%)     | 0 (0%)       | 1.2089e+24 (100%) |');
    expect(stdout).toContain('| 10.128.0.0/12 | 1.0486e+06 | 0 (0%)     | 0 (0%)       | 1.0486e+06 (100%) |');
  });

  test('who holds an address, and whether its pod is there', async () => {
    const spec = { node: 'n1', orchestrator: 'k8s', pod: 'web', endpoint: 'eth0', interfaceName: 'cali1' };
    const name = { name: 'n1-k8s-web-eth0', namespace: 'shop' };
    await put(resource('WorkloadEndpoint', name, { ...spec, ipNetworks: ['10.65.0.8/32'] }));
    expect(await shell.run('ipam', 'show', '--ip=10.65.0.8')).toEqual(
      done(
        lines(
          'IP 10.65.0.8 is in use',
          'Handle ID: k8s-pod-network.web',
          'Active Owner Attributes:',
          '  namespace: shop',
          '  node: n1',
          '  pod: web',
          '  timestamp: 2026-11-26 07:00:00 +0000 UTC',
          'Block: 10.65.0.8/29 of n1',
          'Pool: pods (10.65.0.0/24)',
          'Endpoint: shop/web on node n1, behind cali1',
        ),
      ),
    );
    expect((await shell.run('ipam', 'show', '--ip', '10.65.0.9')).stdout).toContain('Endpoint: none has it');
    expect(await shell.run('ipam', 'show', '--ip', '10.65.0.15')).toEqual(
      done(lines('10.65.0.15 is not assigned', 'Block: 10.65.0.8/29 of n1', 'Pool: pods (10.65.0.0/24)')),
    );
    expect(JSON.parse((await shell.run('ipam', 'show', '--ip', '10.65.0.9', '-o', 'json')).stdout)).toMatchObject({
      ip: '10.65.0.9',
      inUse: true,
      handle: 'k8s-pod-network.db',
      block: '10.65.0.8/29',
    });
  });

  test('refuses what is no address, as calicoctl does', async () => {
    expect(await shell.run('ipam', 'show', '--ip', '10.65.0')).toEqual(
      failed('Error executing command: invalid IP address specified: 10.65.0'),
    );
  });

  test('what is borrowed', async () => {
    expect(await shell.run('ipam', 'show', '--show-borrowed')).toEqual(
      done(
        lines(
          '+-----------+----------------+--------------+-------------+------+--------------+',
          '| IP        | BORROWING-NODE | BLOCK        | BLOCK OWNER | TYPE | ALLOCATED-TO |',
          '+-----------+----------------+--------------+-------------+------+--------------+',
          '| 10.65.0.9 | n2             | 10.65.0.8/29 | n1          | pod  | shop/db      |',
          '+-----------+----------------+--------------+-------------+------+--------------+',
        ),
      ),
    );
  });

  test('a block that cannot be read is told, and the others are counted', async () => {
    await shell.store.create(blockKey(parsePrefix('10.65.0.16/29')), { cidr: '10.65.0.16/29' });
    const { exitCode, stdout, stderr } = await shell.run('ipam', 'show');
    expect(stderr).toContain('cannot read /calico/ipam/v2/assignment/ipv4/block/10.65.0.16-29:');
    expect([exitCode, stdout.includes('2 (1%)')]).toEqual([0, true]);
  });
});

describe('ipam configure', () => {
  const record = async () => (await shell.store.get(IPAM_CONFIG_KEY))?.value;

  test('sets what is named, keeps the rest, also what we do not know, and shows it', async () => {
    await shell.store.create(IPAM_CONFIG_KEY, { strict_affinity: false, auto_allocate_blocks: true, future: 1 });
    expect((await shell.run('ipam', 'configure', '--strictaffinity=true', '--max-blocks-per-host=4')).stdout).toBe(
      lines(
        'Successfully set StrictAffinity to: true',
        'Successfully set MaxBlocksPerHost to: 4',
        '1 address is borrowed and stays so while its pod lives: calicoctl-ts ipam show --show-borrowed',
      ),
    );
    expect(await record()).toEqual({
      strict_affinity: true,
      auto_allocate_blocks: true,
      maxBlocksPerHost: 4,
      future: 1,
    });
    const { stdout } = await shell.run('ipam', 'show', '--show-configuration');
    expect(stdout).toContain('| StrictAffinity     | true  |\n');
    expect(stdout).toContain('| MaxBlocksPerHost   | 4     |\n');
  });

  test('makes the record where there is none', async () => {
    await shell.run('ipam', 'configure', '--ip-cooldown-seconds', '30');
    expect(await record()).toEqual({ strict_affinity: false, auto_allocate_blocks: true, ipCooldownSeconds: 30 });
  });

  test('writes nothing in a dry run', async () => {
    const { exitCode } = await shell.run('ipam', 'configure', '--strictaffinity=true', '--dry-run');
    expect([exitCode, await record()]).toEqual([0, undefined]);
  });

  test.each([
    [['--max-blocks-per-host=4'], "spec.maxBlocksPerHost = '4': needs strictAffinity: a node could borrow beyond it"],
    [['--ip-cooldown-seconds=1201'], "spec.ipCooldownSeconds = '1201': is not a whole number between 0 and 1200"],
    [['--max-blocks-per-host=many'], "--max-blocks-per-host = 'many': is not a whole number"],
    [[], 'nothing to configure: no option says what to set'],
    [['--strictaffinity=maybe'], "option '--strictaffinity <bool>' argument 'maybe' is invalid."],
  ])('refuses %j', async (options, message) => {
    const { exitCode, stderr } = await shell.run('ipam', 'configure', ...options);
    expect([exitCode, await record()]).toEqual([1, undefined]);
    expect(stderr).toContain(message);
  });
});

describe('ipam split', () => {
  const lock = (datastoreReady: boolean) => put(resource('ClusterInformation', 'default', { datastoreReady }));
  const pools = async () => (await shell.run('get', 'ippools', '-o', 'name')).stdout.split('\n').filter(Boolean);

  test('one pool becomes several that are as it was; blocks stay', async () => {
    await lock(false);
    expect(await shell.run('ipam', 'split', '4', '--name=pods')).toEqual(
      done('Successfully split IP pool pods (10.65.0.0/24) into 4\n'),
    );
    const { stdout } = await shell.run('get', 'ippools', '-o', 'wide', '--no-headers');
    expect(
      stdout
        .split('\n')
        .slice(0, 4)
        .map((line) => line.split(/\s+/).slice(0, 4)),
    ).toEqual([
      ['split-pods-0', '10.65.0.0/26', 'false', 'Always'],
      ['split-pods-1', '10.65.0.64/26', 'false', 'Always'],
      ['split-pods-2', '10.65.0.128/26', 'false', 'Always'],
      ['split-pods-3', '10.65.0.192/26', 'false', 'Always'],
    ]);
    expect((await shell.run('ipam', 'show', '--show-blocks')).stdout).toContain('| Block    | 10.65.0.8/29 ');
  });

  test.each([
    [['3', '--name=pods'], 'number to split CIDR into is not a valid power of 2'],
    [['1', '--name=pods'], 'number to split CIDR into is not a valid power of 2'],
    [['two', '--name=pods'], "number = 'two': is not a whole number"],
    [['64', '--cidr=10.65.0.0/24'], "number = '64': would make parts of /30, smaller than a block of /29"],
    [['128', '--name=pods'], "number = '128': is more than 64"],
    [['2', '--name=cats'], 'unable to find IP pool cats'],
    [['2', '--cidr=10.65.0'], "--cidr = '10.65.0'"],
    [['2'], 'one of --cidr and --name must say which pool to split'],
    [['2', '--name=pods', '--cidr=10.65.0.0/24'], 'one of --cidr and --name must say which pool to split'],
  ])('refuses %j, and all stays', async (words, message) => {
    await lock(false);
    const { exitCode, stderr } = await shell.run('ipam', 'split', ...words);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(message);
    expect(await pools()).toHaveLength(1);
  });

  test('needs a locked datastore, but for a look', async () => {
    await lock(true);
    expect((await shell.run('ipam', 'split', '2', '--name=pods')).stderr).toBe(
      "datastore is not locked. Run the 'calicoctl-ts datastore migrate lock' command in order to split the IP pools\n",
    );
    expect((await shell.run('ipam', 'split', '2', '--name=pods', '--dry-run')).exitCode).toBe(0);
    expect(await pools()).toHaveLength(1);
  });

  test('a part whose name is taken: all or nothing', async () => {
    await lock(false);
    await put(resource('IPPool', 'split-pods-1', { cidr: '10.99.0.0/24' }));
    const { stderr } = await shell.run('ipam', 'split', '2', '--name=pods');
    expect(stderr).toContain('a pool with the name of a part is there already');
    expect(await pools()).toHaveLength(2);
  });
});
