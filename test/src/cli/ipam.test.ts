import { beforeEach, describe, expect, test } from 'vitest';
import { IPAM_CONFIG_KEY, resourceKey } from '../../../src/datastore/keys.ts';
import { fiveDigits } from '../../../src/cli/ipam/usage.ts';
import { API_VERSION } from '../../../src/resources/index.ts';
import { checkInvariants } from '../../support/ipam.ts';
import { IpamShell, pools } from './ipam-shell.ts';

let shell: IpamShell;
beforeEach(async () => void (shell = await IpamShell.make()));

describe('ipam show -o json', () => {
  const shown = async (...options: readonly string[]): Promise<unknown> =>
    JSON.parse((await shell.run('ipam', 'show', ...options, '-o', 'json')).stdout);

  test('has the numbers as numbers', async () => {
    const ip = await shell.pod('web', 'n1', { lives: true });
    await shell.put('IPReservation', 'ipreservations', 'r', { reservedCIDRs: [`${ip}/32`] });
    expect(await shown()).toEqual([
      { grouping: 'IP Pool', cidr: '10.65.0.0/24', total: 256, inUse: 1, reserved: 1, free: 255, cooling: 0 },
    ]);
    expect(await shown('--show-blocks')).toMatchObject([{ grouping: 'IP Pool' }, { grouping: 'Block', total: 4 }]);
  });

  test('tells who has an address, and of a free one where it lies', async () => {
    const ip = await shell.pod('web', 'n1', { lives: true });
    expect(await shown('--ip', ip)).toMatchObject({
      ip,
      inUse: true,
      handle: 'k8s-pod-network.web',
      attributes: { pod: 'web', node: 'n1' },
      affinity: 'host:n1',
      pool: 'main',
      usedBy: ['Workload(default/n1-k8s-web-eth0)'],
    });
    const away = ip.endsWith('.201') ? '10.65.0.9' : '10.65.0.201';
    expect(await shown('--ip', away)).toEqual({ ip: away, inUse: false, pool: 'main', usedBy: [] });
  });

  test('lists what is borrowed, and what IPAM goes by', async () => {
    await shell.pod('web', 'n1', { lives: true });
    expect(await shown('--show-borrowed')).toEqual({ rows: [], unclassified: 0 });
    expect(await shown('--show-configuration')).toMatchObject({ StrictAffinity: false, MaxBlocksPerHost: 0 });
  });
});

describe('ipam show', () => {
  test('is as full as the pools are; blocks stand below theirs', async () => {
    await shell.pod('web', 'n1', { lives: true });
    await shell.put('IPReservation', 'ipreservations', 'r', { reservedCIDRs: ['10.65.0.0/28', '10.65.0.3'] });
    const { stdout } = await shell.run('ipam', 'show', '--show-blocks');
    const { prefix } = (await shell.ipam.assignmentsOf('k8s-pod-network.web')).map(({ address }) => ({
      prefix: address,
    }))[0]!;
    const block = `10.65.0.${prefix.words[0]! & 252}/30`;
    expect(stdout).toBe(
      [
        '+----------+----------------+-----------+------------+--------------+-----------+-------------+',
        '| GROUPING | CIDR           | IPS TOTAL | IPS IN USE | IPS RESERVED | IPS FREE  | IPS COOLING |',
        '+----------+----------------+-----------+------------+--------------+-----------+-------------+',
        '| IP Pool  | 10.65.0.0/24   |       256 |     1 (0%) |      16 (6%) | 239 (93%) |      0 (0%) |',
        `| Block    | ${block.padEnd(14)} |         4 |    1 (25%) |       0 (0%) |   3 (75%) |      0 (0%) |`,
        '+----------+----------------+-----------+------------+--------------+-----------+-------------+',
        '',
      ].join('\n'),
    );
  });

  test('counts have five digits', () => {
    expect([0, 99_999, 100_000, 262_144, 2 ** 80].map(fiveDigits)).toEqual([
      '0',
      '99999',
      '1e+05',
      '2.6214e+05',
      '1.2089e+24',
    ]);
  });

  test('of an address: who, since when, out of which block, and whether he is still there', async () => {
    const ip = await shell.pod('web', 'n1', { lives: true });
    const { stdout } = await shell.run('ipam', 'show', '--ip', ip);
    expect(stdout.split('\n')).toEqual([
      `IP ${ip} is in use`,
      'Handle ID: k8s-pod-network.web',
      'Active Owner Attributes:',
      '  namespace: default',
      '  node: n1',
      '  pod: web',
      '  timestamp: 2026-01-01T00:00:00.000Z',
      expect.stringMatching(/^Block: 10\.65\.0\.\d+\/30 of host:n1$/),
      'Since: 2026-01-01T00:00:00.000Z',
      'Used by: Workload(default/n1-k8s-web-eth0)',
      '',
    ]);
    const lost = await shell.pod('db', 'n2', { lives: false });
    expect((await shell.run('ipam', 'show', '--ip', lost)).stdout).toContain(
      'Used by: nobody; pod default/db has no WorkloadEndpoint any more; there is no Node n2\n',
    );
  });

  test('of an address that is free: where it lies and what keeps it back', async () => {
    await shell.put('IPReservation', 'ipreservations', 'r', { reservedCIDRs: ['10.65.0.0/28'] });
    expect((await shell.run('ipam', 'show', '--ip', '10.65.0.1')).stdout).toBe(
      '10.65.0.1 is not assigned\n' +
        'It lies in IP pool main (10.65.0.0/24), in no block yet\n' +
        'Reserved: by IPReservation r (10.65.0.0/28)\n',
    );
    await shell.endpoint('stray', 'n1', '10.9.0.1');
    expect((await shell.run('ipam', 'show', '--ip', '10.9.0.1')).stdout).toBe(
      '10.9.0.1 is not assigned\nIt lies in no IP pool\n' +
        'Yet it is used by Workload(default/n1-k8s-stray-eth0): two may get it\n',
    );
    expect(await shell.run('ipam', 'show', '--ip', '10.65.0')).toMatchObject({
      exitCode: 64,
      stderr: 'Error executing command: invalid IP address specified: 10.65.0\n',
    });
  });

  test('of borrowed addresses: by whom, and whose the block is', async () => {
    const { addresses, claimed } = await shell.ipam.autoAssign({
      node: 'n1',
      count: 1,
      handleId: 'a',
      attributes: {},
      pools,
    });
    const borrowed = { ...addresses[0]!, words: [addresses[0]!.words[0]! + 1] };
    await shell.ipam.assignAddress({
      address: borrowed,
      node: 'n2',
      handleId: 'b',
      attributes: { pod: 'db', namespace: 'x' },
      pools,
    });
    const { stdout } = await shell.run('ipam', 'show', '--show-borrowed');
    const rows = stdout.split('\n').filter((line) => line.includes('| n2 '));
    expect(rows).toEqual([
      expect.stringMatching(/^\| 10\.65\.0\.\d+ +\| n2 +\| 10\.65\.0\.\d+\/30 +\| n1 +\| pod +\| x\/db +\|$/),
    ]);
    expect(claimed).toHaveLength(1);
  });

  test('of the configuration, with what counts where nothing is set', async () => {
    await shell.store.create(IPAM_CONFIG_KEY, { strict_affinity: true });
    const { stdout } = await shell.run('ipam', 'show', '--show-configuration');
    expect(stdout).toMatch(
      /\| StrictAffinity +\| true +\|\n\| AutoAllocateBlocks +\| true +\|\n\| MaxBlocksPerHost +\| 0 +\|/,
    );
  });
});

describe('ipam configure', () => {
  test('sets what is given, and keeps the rest of the record', async () => {
    await shell.store.create(IPAM_CONFIG_KEY, { strict_affinity: false, auto_allocate_blocks: true, later: 1 });
    const { stdout } = await shell.run('ipam', 'configure', '--strictaffinity=true', '--max-blocks-per-host=4');
    expect(stdout).toBe('Successfully set StrictAffinity to: true\nSuccessfully set MaxBlocksPerHost to: 4\n');
    expect((await shell.store.get(IPAM_CONFIG_KEY))!.value).toEqual({
      strict_affinity: true,
      auto_allocate_blocks: true,
      maxBlocksPerHost: 4,
      later: 1,
    });
  });

  test('a new record has what counts where nothing is set; what an old one says stays', async () => {
    await shell.run('ipam', 'configure', '--strictaffinity=true');
    const there = (await shell.store.get(IPAM_CONFIG_KEY))!;
    expect(there.value).toEqual({ strict_affinity: true, auto_allocate_blocks: true });
    const old = { strict_affinity: true, auto_allocate_blocks: false };
    await shell.store.update(IPAM_CONFIG_KEY, old, there.revision);
    await shell.run('ipam', 'configure', '--max-blocks-per-host=4');
    expect((await shell.store.get(IPAM_CONFIG_KEY))!.value).toEqual({ ...old, maxBlocksPerHost: 4 });
  });

  test.each([
    [1, ['--strictaffinity=yes'], "spec.strictAffinity = 'yes'"],
    [1, ['--max-blocks-per-host=4'], "spec.maxBlocksPerHost = '4': needs strictAffinity"],
    [1, ['--ip-cooldown-seconds=1201'], "spec.ipCooldownSeconds = '1201'"],
    [1, ['--kubevirt-ip-persistence=On'], "spec.kubeVirtVMAddressPersistence = 'On'"],
    [64, [], 'nothing to configure: one of --strictaffinity'],
  ])('%i: %j is refused', async (code, flags, sentence) => {
    const { exitCode, stderr } = await shell.run('ipam', 'configure', ...flags);
    expect([exitCode, stderr]).toEqual([code, expect.stringContaining(sentence)]);
    expect(await shell.store.get(IPAM_CONFIG_KEY)).toBeUndefined();
  });
});

describe('ipam split', () => {
  const lock = () => shell.put('ClusterInformation', 'clusterinformations', 'default', { datastoreReady: false });

  test('makes parts with all that the pool had, in place of it', async () => {
    await lock();
    await shell.run('ipam', 'split', '4', '--cidr', '10.65.0.0/24');
    const { entries } = await shell.store.list('/calico/resources/v3/projectcalico.org/ippools/');
    expect(entries.map(({ value }) => value)).toMatchObject(
      [0, 64, 128, 192].map((first, i) => ({
        metadata: { name: `split-main-${i}` },
        spec: { cidr: `10.65.0.${first}/26`, blockSize: 30 },
      })),
    );
    expect((await shell.run('get', 'ippools')).stdout.split('\n')).toHaveLength(7);
  });

  test.each([
    [64, ['3', '--name', 'main'], 'number to split CIDR into is not a valid power of 2'],
    [64, ['1', '--name', 'main'], 'number to split CIDR into is not a valid power of 2'],
    [64, ['128', '--name', 'main'], "number = '128': is more than 64"],
    [1, ['2', '--name', 'other'], 'unable to find IP pool other'],
    [64, ['2'], 'one of --cidr and --name is required'],
  ])('%i: %j is refused', async (exitCode, args, sentence) => {
    await lock();
    expect(await shell.run('ipam', 'split', ...args)).toMatchObject({
      exitCode,
      stderr: expect.stringContaining(sentence) as string,
    });
  });

  test('a pool that somebody changes meanwhile is not split', async () => {
    await lock();
    const { store } = shell;
    const key = resourceKey({ plural: 'ippools', name: 'main' });
    const writeAll = store.writeAll.bind(store);
    store.writeAll = async (writes) => {
      const { value, revision } = (await store.get(key))!;
      await store.update(key, { ...(value as object), changed: true }, revision);
      return writeAll(writes);
    };
    expect(await shell.run('ipam', 'split', '2', '--name', 'main')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(
        'IP pool main was changed meanwhile; nothing has been split, try again',
      ) as string,
    });
    const { entries } = await store.list('/calico/resources/v3/projectcalico.org/ippools/');
    expect(entries).toMatchObject([{ key, value: { changed: true } }]);
  });

  test('64 parts of one block each, with the annotations of the pool, the time of now and a name that fits', async () => {
    await lock();
    const name = 'n'.repeat(253);
    const key = resourceKey({ plural: 'ippools', name });
    const annotations = { why: 'test' };
    const spec = { cidr: '10.66.0.0/24', blockSize: 30 };
    await shell.store.create(key, { apiVersion: API_VERSION, kind: 'IPPool', metadata: { name, annotations }, spec });
    expect(await shell.run('ipam', 'split', '64', '--name', name)).toMatchObject({ exitCode: 0, stderr: '' });
    const { entries } = await shell.store.list('/calico/resources/v3/projectcalico.org/ippools/split-');
    expect(entries).toHaveLength(64);
    for (const { value } of entries) {
      const { metadata } = value as { readonly metadata: Readonly<Record<string, string>> };
      expect(metadata).toMatchObject({ annotations, creationTimestamp: '2026-01-01T00:00:00Z' });
      expect(metadata['name']!.length).toBeLessThanOrEqual(253);
    }
  });

  test('without the lock, or into less than blocks, it is refused', async () => {
    expect((await shell.run('ipam', 'split', '2', '--name', 'main')).stderr).toContain('datastore is not locked');
    expect((await shell.run('ipam', 'split', '2', '--name', 'main', '--force')).stdout).toBe(
      'Successfully split IP pool main (10.65.0.0/24) into 2:\n  split-main-0 10.65.0.0/25\n  split-main-1 10.65.0.128/25\n',
    );
    await lock();
    await shell.put('IPPool', 'ippools', 'small', { cidr: '10.66.0.0/30', blockSize: 30 });
    expect((await shell.run('ipam', 'split', '2', '--name', 'small')).stderr).toContain(
      "number = '2': the parts of 10.66.0.0/30 would be smaller than one block (blockSize 30)",
    );
  });
});

describe('ipam release --ip', () => {
  test('frees an address once, and none that an endpoint has unless forced', async () => {
    const [live, lost] = [await shell.pod('web', 'n1', { lives: true }), await shell.pod('db', 'n1', { lives: false })];
    expect((await shell.run('ipam', 'release', '--ip', lost, '--dry-run')).stdout).toBe(
      `Would release IP address ${lost} of handle k8s-pod-network.db\n`,
    );
    expect((await shell.run('ipam', 'release', '--ip', lost)).stdout).toBe(
      `Successfully released IP address ${lost}\n`,
    );
    expect(await shell.run('ipam', 'release', '--ip', lost)).toMatchObject({
      exitCode: 1,
      stderr: `IP address ${lost} is not assigned\n`,
    });
    expect((await shell.run('ipam', 'release', '--ip', live)).stderr).toBe(
      `--ip = '${live}': is in use by Workload(default/n1-k8s-web-eth0); another would get it too. --force frees it all the same\n`,
    );
    expect((await shell.run('ipam', 'release', '--ip', live, '--force')).exitCode).toBe(0);
    expect(await checkInvariants(shell.store)).toBe(0);
  });

  test('what to release must be said, in one way', async () => {
    expect((await shell.run('ipam', 'release')).stderr).toContain('one of --ip and --from-report is required');
    expect((await shell.run('ipam', 'release', '--ip=10.65.0.1', '--from-report=r')).stderr).toContain(
      'exclude each other',
    );
  });
});

test('a dry run of configure and of split shows what would change, needs no lock, and writes nothing', async () => {
  const before = await shell.store.list('/');
  const configure = await shell.run('ipam', 'configure', '--strictaffinity', 'true', '--dry-run');
  expect(configure.stdout).toBe(
    [
      '+ IPAMConfiguration(default)',
      '+   spec.strictAffinity: true',
      'dry run: 1 would be created, 0 changed, 0 deleted, 0 left as they are; nothing was written',
      '',
    ].join('\n'),
  );
  const split = await shell.run('ipam', 'split', '2', '--name', 'main', '--dry-run');
  expect(split.stdout).toContain('+ IPPool(split-main-1)\n');
  expect(split.stdout).toContain('- IPPool(main)\n');
  expect(split.stdout).toContain('dry run: 2 would be created, 0 changed, 1 deleted');
  expect(await shell.store.list('/')).toEqual(before);
});
