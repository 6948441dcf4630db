import { beforeEach, describe, expect, test } from 'vitest';
import { blockKey, handleKey, IPAM_CONFIG_KEY, IPAM_PREFIX, resourceKey } from '../../../src/datastore/keys.ts';
import type { Json } from '../../../src/datastore/store.ts';
import type { Ipam } from '../../../src/ipam/index.ts';
import { createIpam } from '../../../src/ipam/index.ts';
import { fiveDigits } from '../../../src/cli/ipam/usage.ts';
import { parseIpAddress } from '../../../src/model/ip.ts';
import { FakeShell } from '../../support/cli.ts';
import { hurriedClock } from '../../support/hurried-clock.ts';
import { checkInvariants, pool } from '../../support/ipam.ts';

const API = 'projectcalico.org/v3';
const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const pools = [pool('10.65.0.0/24', 30, 'main')];

let shell: FakeShell;
let ipam: Ipam;

beforeEach(async () => {
  shell = new FakeShell();
  shell.now = START;
  ipam = createIpam(shell.store, { clock: hurriedClock(() => shell.now), random: () => 0 });
  await put('IPPool', 'ippools', 'main', { cidr: '10.65.0.0/24', blockSize: 30 });
  await put('Node', 'nodes', 'n1', { bgp: { ipv4Address: '172.30.1.11/24' } });
});

async function put(kind: string, plural: string, ...[name, spec, namespace]: readonly [string, Json, string?]) {
  const where = namespace === undefined ? {} : { namespace };
  const value = { apiVersion: API, kind, metadata: { name, ...where }, spec };
  await shell.store.create(resourceKey({ plural, name, ...where }), value);
}

/** An address of a pod, with its endpoint or without. */
async function pod(name: string, node: string, { lives }: { readonly lives: boolean }): Promise<string> {
  const handleId = `k8s-pod-network.${name}`;
  const attributes = { pod: name, namespace: 'default' };
  const { addresses } = await ipam.autoAssign({ node, count: 1, handleId, attributes, pools });
  const ip = addresses[0]!.words[0]!;
  const text = [24, 16, 8, 0].map((shift) => (ip >>> shift) & 255).join('.');
  if (lives) await endpoint(name, node, text);
  return text;
}

const endpoint = (name: string, node: string, ip: string) =>
  put(
    'WorkloadEndpoint',
    'workloadendpoints',
    `${node}-k8s-${name}-eth0`,
    {
      orchestrator: 'k8s',
      node,
      pod: name,
      endpoint: 'eth0',
      containerID: name,
      interfaceName: `cali${name}`,
      ipNetworks: [`${ip}/32`],
    },
    'default',
  );

describe('ipam show -o json', () => {
  const shown = async (...options: readonly string[]): Promise<unknown> =>
    JSON.parse((await shell.run('ipam', 'show', ...options, '-o', 'json')).stdout);

  test('has the numbers as numbers', async () => {
    const ip = await pod('web', 'n1', { lives: true });
    await put('IPReservation', 'ipreservations', 'r', { reservedCIDRs: [`${ip}/32`] });
    expect(await shown()).toEqual([
      { grouping: 'IP Pool', cidr: '10.65.0.0/24', total: 256, inUse: 1, reserved: 1, free: 255, cooling: 0 },
    ]);
    expect(await shown('--show-blocks')).toMatchObject([{ grouping: 'IP Pool' }, { grouping: 'Block', total: 4 }]);
  });

  test('tells who has an address, and of a free one where it lies', async () => {
    const ip = await pod('web', 'n1', { lives: true });
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
    await pod('web', 'n1', { lives: true });
    expect(await shown('--show-borrowed')).toEqual({ rows: [], unclassified: 0 });
    expect(await shown('--show-configuration')).toMatchObject({ StrictAffinity: false, MaxBlocksPerHost: 0 });
  });
});

describe('ipam show', () => {
  test('is as full as the pools are; blocks stand below theirs', async () => {
    await pod('web', 'n1', { lives: true });
    await put('IPReservation', 'ipreservations', 'r', { reservedCIDRs: ['10.65.0.0/28', '10.65.0.3'] });
    const { stdout } = await shell.run('ipam', 'show', '--show-blocks');
    const { prefix } = (await ipam.assignmentsOf('k8s-pod-network.web')).map(({ address }) => ({
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
    const ip = await pod('web', 'n1', { lives: true });
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
    const lost = await pod('db', 'n2', { lives: false });
    expect((await shell.run('ipam', 'show', '--ip', lost)).stdout).toContain(
      'Used by: nobody; pod default/db has no WorkloadEndpoint any more; there is no Node n2\n',
    );
  });

  test('of an address that is free: where it lies and what keeps it back', async () => {
    await put('IPReservation', 'ipreservations', 'r', { reservedCIDRs: ['10.65.0.0/28'] });
    expect((await shell.run('ipam', 'show', '--ip', '10.65.0.1')).stdout).toBe(
      '10.65.0.1 is not assigned\n' +
        'It lies in IP pool main (10.65.0.0/24), in no block yet\n' +
        'Reserved: by IPReservation r (10.65.0.0/28)\n',
    );
    await endpoint('stray', 'n1', '10.9.0.1');
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
    const { addresses, claimed } = await ipam.autoAssign({
      node: 'n1',
      count: 1,
      handleId: 'a',
      attributes: {},
      pools,
    });
    const borrowed = { ...addresses[0]!, words: [addresses[0]!.words[0]! + 1] };
    await ipam.assignAddress({
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
  const lock = () => put('ClusterInformation', 'clusterinformations', 'default', { datastoreReady: false });

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

  test('without the lock, or into less than blocks, it is refused', async () => {
    expect((await shell.run('ipam', 'split', '2', '--name', 'main')).stderr).toContain('datastore is not locked');
    expect((await shell.run('ipam', 'split', '2', '--name', 'main', '--force')).stdout).toBe(
      'Successfully split IP pool main (10.65.0.0/24) into 2:\n  split-main-0 10.65.0.0/25\n  split-main-1 10.65.0.128/25\n',
    );
    await lock();
    await put('IPPool', 'ippools', 'small', { cidr: '10.66.0.0/30', blockSize: 30 });
    expect((await shell.run('ipam', 'split', '2', '--name', 'small')).stderr).toContain(
      "number = '2': the parts of 10.66.0.0/30 would be smaller than one block (blockSize 30)",
    );
  });
});

describe('ipam release --ip', () => {
  test('frees an address once, and none that an endpoint has unless forced', async () => {
    const [live, lost] = [await pod('web', 'n1', { lives: true }), await pod('db', 'n1', { lives: false })];
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

describe('check and repair', () => {
  const check = () => shell.run('ipam', 'check', '-o', 'report.json');
  const release = (...more: readonly string[]) => shell.run('ipam', 'release', '--from-report=report.json', ...more);

  test('all that is leaked is found, shown by a dry run, and freed after the grace; what lives stays', async () => {
    const live = await pod('web', 'n1', { lives: true });
    const lost = await pod('db', 'n1', { lives: false });
    const gone = await pod('old', 'n9', { lives: false });
    await ipam.ensureTunnelAddress({ node: 'n9', kind: 'ipip', pools });
    await ipam.autoAssign({ node: 'n1', count: 1, handleId: 'lb-1', attributes: { service: 'x' }, pools });
    await shell.store.create(handleKey('leaked'), { block: { '10.65.0.0/30': 1 }, deleted: false });
    const web = (await shell.store.get(handleKey('k8s-pod-network.web')))!;
    const { block } = web.value as { block: Record<string, number> };
    const [cidr] = Object.keys(block);
    await shell.store.update(web.key, { block: { [cidr!]: 3 }, deleted: false }, web.revision);

    const found = await check();
    expect(found.stdout).toContain('Found 3 IPs that are allocated in IPAM but not actually in use.\n');
    expect(found.stdout).toContain("Left alone: 1 IPs that are neither a pod's nor a tunnel's");
    expect(found.stdout).toContain(`  handle k8s-pod-network.web counts 3 addresses of block ${cidr!}, and has 1\n`);
    expect(found.stdout).toMatch(/ {2}block 10\.65\.0\.\d+\/30 is claimed by n9, and there is no such Node\n/);
    expect(found.stdout).toContain('Check complete; found 6 problems.\n');

    const before = (await shell.store.list(IPAM_PREFIX)).entries;
    const early = await release();
    expect(early.stdout).toContain(`Kept ${lost}: the grace period has 900 s to go\n`);
    expect(early.stdout).toMatch(/Kept \d handles, counts and claims: the grace period has 900 s to go\n/);
    expect((await shell.store.list(IPAM_PREFIX)).entries).toEqual(before);
    shell.now += 15 * MINUTE;
    const dry = await release('--dry-run');
    expect(dry.stdout).toContain(`Would release ${lost} of handle k8s-pod-network.db\n`);
    expect(dry.stdout).toContain(`Would release ${gone} of handle k8s-pod-network.old\n`);

    const done = await release();
    expect(done.stdout).toContain('Released 3 IPs successfully\n');
    expect(await ipam.holderOf(parseIpAddress(live))).toBeDefined();
    expect(await ipam.holderOf(parseIpAddress(lost))).toBeUndefined();
    expect(await ipam.assignmentsOf('lb-1')).toHaveLength(1);
    expect(await checkInvariants(shell.store)).toBe(2);
    expect((await check()).stdout).toContain('Check complete; found 0 problems.\n');
  });

  test('a dry run changes nothing', async () => {
    await pod('db', 'n9', { lives: false });
    await check();
    shell.now += 15 * MINUTE;
    const before = await shell.store.list('/');
    await release('--dry-run');
    expect(await shell.store.list('/')).toEqual(before);
  });

  test.each<[string, (ip: string) => Promise<unknown>, string]>([
    ['got its endpoint', (ip) => endpoint('db', 'n1', ip), 'it is in use by Workload(default/n1-k8s-db-eth0)'],
    [
      'is another endpoint of its container',
      () => endpoint('db', 'n1', '10.65.0.250'),
      'its handle belongs to somebody alive',
    ],
    [
      'went, and came to somebody else',
      async (ip) => {
        await ipam.releaseByHandle('k8s-pod-network.db');
        const attributes = { pod: 'new', namespace: 'default' };
        await ipam.assignAddress({ address: parseIpAddress(ip), node: 'n1', handleId: 'x.new', attributes, pools });
      },
      "it was assigned anew since, to handle 'x.new'",
    ],
    ['was released', () => ipam.releaseByHandle('k8s-pod-network.db'), 'it is free by now'],
  ])('an address that meanwhile %s is kept', async (_, meanwhile, reason) => {
    const ip = await pod('db', 'n1', { lives: false });
    await check();
    shell.now += 60 * MINUTE;
    await meanwhile(ip);
    const { stdout } = await release('--force');
    expect(stdout).toContain(`Kept ${ip}: ${reason}`);
    expect(stdout).toContain('Released 0 IPs successfully');
  });

  test('with --force the age of the assignment serves for that of the report', async () => {
    const old = await pod('old', 'n1', { lives: false });
    shell.now += 15 * MINUTE;
    const young = await pod('young', 'n1', { lives: false });
    await check();
    const { stdout } = await release('--force');
    expect(stdout).toContain(`Kept ${young}: the grace period has 900 s to go`);
    expect(stdout).toContain('Released 1 IPs successfully');
    expect(await ipam.holderOf(parseIpAddress(old))).toBeUndefined();
  });

  test('of several reports only what all say is freed', async () => {
    const first = await pod('a', 'n1', { lives: false });
    await check();
    shell.files['first.json'] = shell.files['report.json']!;
    shell.now += 15 * MINUTE;
    const second = await pod('b', 'n1', { lives: false });
    await check();
    await release('--from-report=first.json');
    expect([await ipam.holderOf(parseIpAddress(first)), await ipam.holderOf(parseIpAddress(second))]).toEqual([
      undefined,
      expect.anything(),
    ]);
  });

  describe('of calicoctl', () => {
    const lock = async (datastoreReady: boolean): Promise<void> => {
      await shell.store.delete(resourceKey({ plural: 'clusterinformations', name: 'default' })).catch(() => undefined);
      await put('ClusterInformation', 'clusterinformations', 'default', {
        datastoreReady,
        clusterGUID: 'a'.repeat(32),
      });
    };
    /** As calicoctl writes it: none of our own fields. */
    const theirs = async (): Promise<void> => {
      await check();
      const report = JSON.parse(shell.files['report.json']!) as {
        readonly allocations: Record<string, Record<string, unknown>[]>;
        readonly [field: string]: unknown;
      };
      const fields = ['version', 'clusterGUID', 'datastoreLocked', 'clusterInformationRevision', 'clusterType'];
      const allocations = Object.fromEntries(
        Object.entries(report.allocations).map(([ip, all]) => [ip, all.map((one) => ({ ...one, verdict: undefined }))]),
      );
      const kept = Object.fromEntries(fields.map((field) => [field, report[field]]));
      shell.files['report.json'] = JSON.stringify({ ...kept, allocations, leakedHandles: null });
    };

    test('a report serves while the datastore is locked, as calicoctl has it', async () => {
      const lost = await pod('db', 'n1', { lives: false });
      const live = await pod('web', 'n1', { lives: true });
      await lock(false);
      await theirs();
      expect((await release()).stdout).toContain('Released 1 IPs successfully');
      expect(await ipam.holderOf(parseIpAddress(lost))).toBeUndefined();
      expect(await ipam.holderOf(parseIpAddress(live))).toBeDefined();
    });

    test('unlocked, nobody knows its age: refused, and --force goes by that of the assignment', async () => {
      await lock(true);
      await pod('old', 'n1', { lives: false });
      shell.now += 15 * MINUTE;
      const young = await pod('young', 'n1', { lives: false });
      await theirs();
      expect(await release()).toMatchObject({
        exitCode: 1,
        stderr: expect.stringMatching(/'report\.json': does not say when it was made, as calicoctl's do not/) as string,
      });
      const { stdout } = await release('--force');
      expect(stdout).toContain(`Kept ${young}: the grace period has 900 s to go`);
      expect(stdout).toContain('Released 1 IPs successfully');
    });

    test('of another state of the ClusterInformation it is refused, though another report be of now', async () => {
      const lost = await pod('db', 'n1', { lives: false });
      await lock(true);
      await theirs();
      shell.files['theirs.json'] = shell.files['report.json']!;
      await lock(false);
      await check();
      expect((await release('--from-report=theirs.json')).stderr).toContain(
        "--from-report = 'theirs.json': is of the ClusterInformation of revision",
      );
      expect(await ipam.holderOf(parseIpAddress(lost))).toBeDefined();
    });
  });

  test('while the datastore is locked there is no grace', async () => {
    await pod('db', 'n1', { lives: false });
    await put('ClusterInformation', 'clusterinformations', 'default', {
      datastoreReady: false,
      clusterGUID: 'a'.repeat(32),
    });
    await check();
    expect((await release()).stdout).toContain('Released 1 IPs successfully');
  });

  test.each<[string, () => Promise<unknown>, string]>([
    [
      'of another cluster',
      async () => {
        const report = JSON.parse(shell.files['report.json']!) as object;
        shell.files['report.json'] = JSON.stringify({ ...report, clusterGUID: 'b' });
        await Promise.resolve();
      },
      "its clusterGUID is 'b', and the cluster's is ''",
    ],
    [
      'of a datastore that was set back',
      async () => {
        const report = JSON.parse(shell.files['report.json']!) as { datastore: object };
        shell.files['report.json'] = JSON.stringify({ ...report, datastore: { ...report.datastore, revision: 1e9 } });
        await Promise.resolve();
      },
      "is of another datastore's past: the datastore is at revision",
    ],
    [
      'of a datastore with another past',
      async () => {
        const report = JSON.parse(shell.files['report.json']!) as {
          datastore: { oldest: { key: string; revision: number } };
        };
        report.datastore.oldest.revision = 999;
        shell.files['report.json'] = JSON.stringify(report);
        await Promise.resolve();
      },
      'and the report, of revision',
    ],
    [
      'while an endpoint cannot be read',
      () => shell.store.create(resourceKey({ plural: 'workloadendpoints', name: 'x', namespace: 'y' }), { spec: 1 }),
      'Whose addresses it has is unknown, so nothing is released',
    ],
    [
      'from before the ClusterInformation',
      () => put('ClusterInformation', 'clusterinformations', 'default', { datastoreReady: true }),
      'no report is of the ClusterInformation of now',
    ],
    [
      'that is none',
      async () => {
        shell.files['report.json'] = '{"version":"v3.30.0"';
        await Promise.resolve();
      },
      "--from-report = 'report.json': is not JSON",
    ],
  ])('a report %s frees nothing', async (_, meanwhile, sentence) => {
    const ip = await pod('db', 'n9', { lives: false });
    await check();
    shell.now += 60 * MINUTE;
    await meanwhile();
    expect(await release('--force')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(sentence) as string,
    });
    expect(await ipam.holderOf(parseIpAddress(ip))).toBeDefined();
  });

  test('a block of nobody that is left, and one without a claim of a node that is gone, go', async () => {
    const { claimed } = await ipam.autoAssign({ node: 'n9', count: 1, handleId: 'h', attributes: {}, pools });
    await ipam.releaseByHandle('h');
    const [affinity] = (await shell.store.list('/calico/ipam/v2/host/n9/')).entries;
    await shell.store.delete(affinity!.key);
    expect((await check()).stdout).toContain('is of n9, which has no claim to it, and there is no such Node');
    shell.now += 15 * MINUTE;
    await release();
    expect(await shell.store.get(blockKey(claimed[0]!.prefix))).toBeUndefined();
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
