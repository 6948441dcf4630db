import { beforeEach, describe, expect, test } from 'vitest';
import { blockKey, handleKey, IPAM_PREFIX, resourceKey } from '../../../src/datastore/keys.ts';
import { parseIpAddress } from '../../../src/model/ip.ts';
import { checkInvariants } from '../../support/ipam.ts';
import { IpamShell, pools } from './ipam-shell.ts';

const MINUTE = 60_000;
let shell: IpamShell;
beforeEach(async () => void (shell = await IpamShell.make()));

describe('check and repair', () => {
  const check = () => shell.run('ipam', 'check', '-o', 'report.json');
  const release = (...more: readonly string[]) => shell.run('ipam', 'release', '--from-report=report.json', ...more);

  test('all that is leaked is found, shown by a dry run, and freed after the grace; what lives stays', async () => {
    const live = await shell.pod('web', 'n1', { lives: true });
    const lost = await shell.pod('db', 'n1', { lives: false });
    const gone = await shell.pod('old', 'n9', { lives: false });
    await shell.ipam.ensureTunnelAddress({ node: 'n9', kind: 'ipip', pools });
    await shell.ipam.autoAssign({ node: 'n1', count: 1, handleId: 'lb-1', attributes: { service: 'x' }, pools });
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
    expect(await shell.ipam.holderOf(parseIpAddress(live))).toBeDefined();
    expect(await shell.ipam.holderOf(parseIpAddress(lost))).toBeUndefined();
    expect(await shell.ipam.assignmentsOf('lb-1')).toHaveLength(1);
    expect(await checkInvariants(shell.store)).toBe(2);
    expect((await check()).stdout).toContain('Check complete; found 0 problems.\n');
  });

  test('a dry run changes nothing', async () => {
    await shell.pod('db', 'n9', { lives: false });
    await check();
    shell.now += 15 * MINUTE;
    const before = await shell.store.list('/');
    await release('--dry-run');
    expect(await shell.store.list('/')).toEqual(before);
  });

  test.each<[string, (ip: string) => Promise<unknown>, string]>([
    ['got its endpoint', (ip) => shell.endpoint('db', 'n1', ip), 'it is in use by Workload(default/n1-k8s-db-eth0)'],
    [
      'is another endpoint of its container',
      () => shell.endpoint('db', 'n1', '10.65.0.250'),
      'its handle belongs to somebody alive',
    ],
    [
      'went, and came to somebody else',
      async (ip) => {
        await shell.ipam.releaseByHandle('k8s-pod-network.db');
        const attributes = { pod: 'new', namespace: 'default' };
        await shell.ipam.assignAddress({
          address: parseIpAddress(ip),
          node: 'n1',
          handleId: 'x.new',
          attributes,
          pools,
        });
      },
      "it was assigned anew since, to handle 'x.new'",
    ],
    ['was released', () => shell.ipam.releaseByHandle('k8s-pod-network.db'), 'it is free by now'],
  ])('an address that meanwhile %s is kept', async (_, meanwhile, reason) => {
    const ip = await shell.pod('db', 'n1', { lives: false });
    await check();
    shell.now += 60 * MINUTE;
    await meanwhile(ip);
    const { stdout } = await release('--force');
    expect(stdout).toContain(`Kept ${ip}: ${reason}`);
    expect(stdout).toContain('Released 0 IPs successfully');
  });

  test('with --force the age of the assignment serves for that of the report', async () => {
    const old = await shell.pod('old', 'n1', { lives: false });
    shell.now += 15 * MINUTE;
    const young = await shell.pod('young', 'n1', { lives: false });
    await check();
    const { stdout } = await release('--force');
    expect(stdout).toContain(`Kept ${young}: the grace period has 900 s to go`);
    expect(stdout).toContain('Released 1 IPs successfully');
    expect(await shell.ipam.holderOf(parseIpAddress(old))).toBeUndefined();
  });

  test('of several reports only what all say is freed', async () => {
    const first = await shell.pod('a', 'n1', { lives: false });
    await check();
    shell.files['first.json'] = shell.files['report.json']!;
    shell.now += 15 * MINUTE;
    const second = await shell.pod('b', 'n1', { lives: false });
    await check();
    await release('--from-report=first.json');
    expect([
      await shell.ipam.holderOf(parseIpAddress(first)),
      await shell.ipam.holderOf(parseIpAddress(second)),
    ]).toEqual([undefined, expect.anything()]);
  });

  test('while the datastore is locked there is no grace', async () => {
    await shell.pod('db', 'n1', { lives: false });
    await shell.put('ClusterInformation', 'clusterinformations', 'default', {
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
      () => shell.put('ClusterInformation', 'clusterinformations', 'default', { datastoreReady: true }),
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
    const ip = await shell.pod('db', 'n9', { lives: false });
    await check();
    shell.now += 60 * MINUTE;
    await meanwhile();
    expect(await release('--force')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(sentence) as string,
    });
    expect(await shell.ipam.holderOf(parseIpAddress(ip))).toBeDefined();
  });

  test('a block of nobody that is left, and one without a claim of a node that is gone, go', async () => {
    const { claimed } = await shell.ipam.autoAssign({ node: 'n9', count: 1, handleId: 'h', attributes: {}, pools });
    await shell.ipam.releaseByHandle('h');
    const [affinity] = (await shell.store.list('/calico/ipam/v2/host/n9/')).entries;
    await shell.store.delete(affinity!.key);
    expect((await check()).stdout).toContain('is of n9, which has no claim to it, and there is no such Node');
    shell.now += 15 * MINUTE;
    await release();
    expect(await shell.store.get(blockKey(claimed[0]!.prefix))).toBeUndefined();
  });

  describe('of calicoctl', () => {
    const lock = async (datastoreReady: boolean): Promise<void> => {
      await shell.store.delete(resourceKey({ plural: 'clusterinformations', name: 'default' })).catch(() => undefined);
      await shell.put('ClusterInformation', 'clusterinformations', 'default', {
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
      const lost = await shell.pod('db', 'n1', { lives: false });
      const live = await shell.pod('web', 'n1', { lives: true });
      await lock(false);
      await theirs();
      expect((await release()).stdout).toContain('Released 1 IPs successfully');
      expect(await shell.ipam.holderOf(parseIpAddress(lost))).toBeUndefined();
      expect(await shell.ipam.holderOf(parseIpAddress(live))).toBeDefined();
    });

    test('unlocked, nobody knows its age: refused, and --force goes by that of the assignment', async () => {
      await lock(true);
      await shell.pod('old', 'n1', { lives: false });
      shell.now += 15 * MINUTE;
      const young = await shell.pod('young', 'n1', { lives: false });
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
      const lost = await shell.pod('db', 'n1', { lives: false });
      await lock(true);
      await theirs();
      shell.files['theirs.json'] = shell.files['report.json']!;
      await lock(false);
      await check();
      expect((await release('--from-report=theirs.json')).stderr).toContain(
        "--from-report = 'theirs.json': is of the ClusterInformation of revision",
      );
      expect(await shell.ipam.holderOf(parseIpAddress(lost))).toBeDefined();
    });
  });
});
