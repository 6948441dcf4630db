import { beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { affinityKey } from '../../../src/datastore/keys.ts';
import { parsePrefix } from '../../../src/model/ip.ts';
import type { PlanReport } from '../../../src/plan/report.ts';
import { FakeShell } from '../../support/cli.ts';
import { manifest } from '../../support/resources.ts';

let shell: FakeShell;
const file = (...documents: readonly object[]): string => documents.map((each) => stringify(each)).join('---\n');
const pool = (ipipMode: string): object => manifest('IPPool', 'pods', { cidr: '10.244.0.0/16', ipipMode });

beforeEach(async () => {
  shell = new FakeShell();
  const nodes = [1, 2, 3].map((i) => manifest('Node', `n${i}`, { bgp: { ipv4Address: `172.16.0.${i}/24` } }));
  shell.files['base'] = file(...nodes, pool('Always'), manifest('BGPConfiguration', 'default', {}));
  expect((await shell.run('apply', '-f', 'base')).exitCode).toBe(0);
  for (const i of [1, 2, 3]) {
    await shell.store.create(affinityKey(`n${i}`, parsePrefix(`10.244.${i}.0/26`)), { state: 'confirmed' });
  }
});

describe('plan', () => {
  test('tells in words, the summary first, and writes nothing', async () => {
    shell.files['f'] = file(pool('CrossSubnet'));
    const before = await shell.store.list('/');
    const { exitCode, stdout, stderr } = await shell.run('plan', '-f', 'f');
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`3 of 3 nodes change.
Sessions: none changes.
Routes: 6 change their way; 0 are lost.

Resources:
  IPPool(pods): spec.ipipMode Always → CrossSubnet

3 nodes alike: n1, n2, n3:
  (peers and routes of n1, the others' likewise)
  ~ 10.244.2.0/26 via 172.16.0.2 (n2): tunl0 → direct, ippool pods is IPIP CrossSubnet and 172.16.0.1/24 contains 172.16.0.2, so direct
  ~ 10.244.3.0/26 via 172.16.0.3 (n3): tunl0 → direct, ippool pods is IPIP CrossSubnet and 172.16.0.1/24 contains 172.16.0.3, so direct

Not known from here:
  routes that peers outside the cluster tell or withhold, and whether a session comes up there
`);
    expect(await shell.store.list('/')).toEqual(before);
  });

  test('of what changes nothing says so, with exit code 0', async () => {
    const { exitCode, stdout } = await shell.run('plan', '-f', 'base');
    expect([exitCode, stdout]).toEqual([0, 'None of 3 nodes changes: no session, no route.\n']);
  });

  test('-o json is the report', async () => {
    shell.files['f'] = file(manifest('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false }));
    const report = JSON.parse((await shell.run('plan', '-f', 'f', '-o', 'json')).stdout) as PlanReport;
    expect(report.summary).toEqual({
      nodes: 3,
      changedNodes: 3,
      sessions: { come: 0, go: 3, reset: 0, change: 0 },
      routes: { come: 0, go: 0, lost: 6, changeWay: 0 },
    });
    expect(report.groups[0]?.peers[0]).toMatchObject({
      change: 'goes',
      count: 2,
      peers: ['172.16.0.2 (n2)', '172.16.0.3 (n3)'],
    });
  });

  test('--delete by names and by file, and -R along with them', async () => {
    shell.files['f'] = file(manifest('Node', 'n3', {}));
    const byName = await shell.run('plan', '--delete', 'nodes', 'n3');
    const byFile = await shell.run('plan', '--delete', '-f', 'f', '-R');
    expect(byName.stdout).toContain('Sessions: 2 go.\nRoutes: 2 go; 0 are lost.');
    expect(byFile).toEqual(byName);
    expect((await shell.run('get', 'nodes')).stdout).toContain('n3');
  });

  test.each([
    ['IPPool', { cidr: '10.244.0.0/16', ipipMode: 'Sometimes' }],
    ['IPPool', { cidr: '10.245.0.0/16', ipipMode: 'Always' }],
    ['BGPPeer', { peerIP: '10.0.0.1' }],
    ['BGPPeer', { peerIP: '10.0.0.1', asNumber: 1, filters: ['gone'] }],
  ])('refuses what apply would, in its words: %s %j', async (kind, spec) => {
    shell.files['f'] = file(manifest(kind, 'pods', spec));
    const planned = await shell.run('plan', '-f', 'f');
    const applied = await shell.run('apply', '-f', 'f');
    expect(planned).toEqual(applied);
    expect(planned.exitCode).toBe(1);
    expect(planned.stderr).not.toBe('');
  });

  test('a resourceVersion that is out of date is refused, one that is not is taken', async () => {
    const revision = Number(
      (await shell.store.list('/calico/resources/v3/projectcalico.org/ippools/')).entries[0]?.revision,
    );
    const at = (resourceVersion: number): string =>
      file({ ...pool('Never'), metadata: { name: 'pods', resourceVersion: String(resourceVersion) } });
    shell.files['old'] = at(revision - 1);
    shell.files['new'] = at(revision);
    expect((await shell.run('plan', '-f', 'old')).stderr).toContain('update conflict: IPPool(pods)');
    expect((await shell.run('plan', '-f', 'new')).stdout).toContain('6 change their way');
  });

  test('needs something to plan', async () => {
    expect(await shell.run('plan')).toMatchObject({
      exitCode: 64,
      stderr: 'No resources specified: plan needs -f FILE, or --delete KIND NAME\n',
    });
    expect((await shell.run('plan', 'nodes', 'n1', '-f', 'base')).stderr).toBe(
      "'nodes n1': a kind and names are for --delete\n",
    );
    expect((await shell.run('plan', '--delete', 'nodes', 'n9')).exitCode).toBe(1);
  });
});
