import { beforeEach, describe, expect, test } from 'vitest';
import { OUR_PROTOCOL } from '../../../felix/ownership.ts';
import { MAIN_TABLE, SCOPE } from '../../../felix/routes/kernel-route.ts';
import { parsePrefix } from '../../../src/model/ip.ts';
import { FakeShell } from '../../support/cli.ts';
import { FakeKernel } from '../../support/fake-kernel.ts';

describe('node uninstall', () => {
  let shell: FakeShell;
  let kernel: FakeKernel;

  beforeEach(() => {
    shell = new FakeShell();
    kernel = new FakeKernel();
    const eth0 = kernel.givenLink({ name: 'eth0', mtu: 1500, up: true, running: true, mac: '02:00:00:00:00:01' });
    kernel.givenRoute({
      ...{ prefix: parsePrefix('10.48.0.0/26'), table: MAIN_TABLE, protocol: OUR_PROTOCOL, type: 'unicast' },
      ...{ scope: SCOPE.link, metric: 0, hops: [{ ifindex: eth0, onlink: false }] },
    });
    shell.host = { ...shell.host, kernel, files: ['/var/lib/calico/nodename', '/var/lib/calico/host-before.json'] };
  });

  const ours = async (): Promise<number> => [...(await kernel.listRoutes())].length;

  const PLAN = [
    'delete route 10.48.0.0/26 dev eth0 metric 0 proto 80',
    'delete file /var/lib/calico/nodename',
    'delete file /var/lib/calico/host-before.json',
  ];
  const IN_VAIN = 'That is what would be done; nothing was changed.';

  test('a dry run says what would be done and does nothing, and what it would be refused for', async () => {
    const dry = async (...args: readonly string[]) => {
      const { exitCode, stdout, stderr } = await shell.run('node', 'uninstall', '--dry-run', ...args);
      expect([exitCode, stderr]).toEqual([0, '']);
      return stdout.split('\n');
    };
    expect(await dry()).toEqual([...PLAN, '', IN_VAIN, '']);
    shell.answers['GET /v1/status'] = { pid: 17 };
    expect(await dry()).toEqual([
      ...[...PLAN, '', IN_VAIN],
      'For now it would be refused: calico-node-ts runs here (process 17) and would put everything back: end it first, or --stop.',
      '',
    ]);
    expect(await dry('--stop')).toEqual([...PLAN, '', IN_VAIN, '']);
    expect(await ours()).toBe(1);
    expect(shell.removedFiles).toEqual([]);
  });

  test('refuses while an agent runs', async () => {
    shell.answers['GET /v1/status'] = { pid: 17 };
    expect(await shell.run('node', 'uninstall', '--force')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'calico-node-ts runs here (process 17) and would put everything back: end it first, or --stop\n',
    });
    expect(await ours()).toBe(1);
  });

  test('one that was told to leave and does not is an error, and nothing is changed', async () => {
    shell.answers['GET /v1/status'] = { pid: 17 };
    shell.answers['POST /v1/stop'] = undefined;
    const { exitCode, stderr } = await shell.run('node', 'uninstall', '--stop');
    expect([exitCode, stderr]).toEqual([
      1,
      'calico-node-ts (process 17) was told to leave and still runs; nothing was changed\n',
    ]);
    expect(shell.posted).toEqual([['/v1/stop', { message: 'calico-ts is uninstalled from this node' }, 0]]);
    expect(await ours()).toBe(1);
  });

  test('does it, files last; the socket and the node name are where the settings say', async () => {
    shell.env['CALICO_NODENAME_FILE'] = '/srv/nodename';
    shell.env['CALICO_RUN_DIR'] = '/run/ts';
    shell.env['CNI_NET_DIR'] = shell.env['CNI_BIN_DIR'] = '/srv/cni';
    const { exitCode, stdout } = await shell.run('node', 'uninstall', '-o', 'json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      steps: [
        { what: 'delete route 10.48.0.0/26 dev eth0 metric 0 proto 80' },
        { what: 'delete file /var/lib/calico/nodename' },
        { what: 'delete file /var/lib/calico/host-before.json' },
      ],
      left: [],
      pods: [],
    });
    expect(await ours()).toBe(0);
    expect(shell.hostFiles).toEqual({ nodeNameFile: '/srv/nodename', socket: '/run/ts/calico-ts.sock', cni: [] });
  });

  test('in words: what was done, and that the cluster still knows the node', async () => {
    shell.hostTexts['/var/lib/calico/nodename'] = 'node-z9\n';
    const { stdout } = await shell.run('node', 'uninstall');
    const end = 'That was done. The cluster still knows the node: calicoctl-ts delete node node-z9';
    expect(stdout.split('\n')).toEqual([...PLAN, '', end, '']);
  });

  test('where there is nothing, that is all that is said, of a dry run, too', async () => {
    shell.host = { ...shell.host, kernel: new FakeKernel(), files: [] };
    for (const args of [[], ['--dry-run']]) {
      const { stdout } = await shell.run('node', 'uninstall', ...args);
      expect(stdout).toBe('There is nothing of calico-ts on this host.\n');
    }
  });

  test('a pod that would lose its network', async () => {
    const cali = kernel.givenLink({ name: 'cali1', kind: 'veth', mtu: 1500, up: true, running: true, mac: '' });
    const [route] = await kernel.listRoutes();
    kernel.givenRoute({ ...route!, prefix: parsePrefix('10.48.0.5/32'), hops: [{ ifindex: cali, onlink: false }] });
    const refusal = '1 pod of this node would lose its network (cali1): move it first, or --force';
    expect(await shell.run('node', 'uninstall')).toEqual({ exitCode: 1, stdout: '', stderr: `${refusal}\n` });
    expect((await shell.run('node', 'uninstall', '--dry-run')).stdout).toContain(
      `For now it would be refused: ${refusal}.\n`,
    );
    expect((await shell.run('node', 'uninstall', '--dry-run', '--force')).stdout).not.toContain('refused');
    shell.answers['GET /v1/status'] = { pid: 17 };
    expect((await shell.run('node', 'uninstall', '--stop')).stderr).toBe(`${refusal}\n`);
    expect(shell.posted).toEqual([]);
    const both = await shell.run('node', 'uninstall');
    expect(both.stderr.split('\n')).toEqual([expect.stringContaining('process 17') as string, refusal, '']);
  });

  test('what fails is told, exit code 1, and the record stays for the next try', async () => {
    kernel.failNext('writeRoutes', { code: 'EPERM' });
    const { exitCode, stdout, stderr } = await shell.run('node', 'uninstall');
    expect(exitCode).toBe(1);
    expect(stdout).toContain('FAILED delete route 10.48.0.0/26 dev eth0 metric 0 proto 80: ');
    expect(stdout).toContain('EPERM');
    expect(stderr).toBe('1 of 1 steps failed, the rest is done: call it again\n');
    expect(shell.removedFiles).toEqual([]);
  });

  test('what somebody puts back at once is told', async () => {
    const [route] = await kernel.listRoutes();
    const remove = kernel.writeRoutes.bind(kernel);
    kernel.writeRoutes = async (changes) => {
      const results = await remove(changes);
      kernel.givenRoute(route!);
      return results;
    };
    const { exitCode, stdout } = await shell.run('node', 'uninstall');
    expect(exitCode).toBe(1);
    expect(stdout).toContain('FAILED delete route 10.48.0.0/26 dev eth0 metric 0 proto 80: is there again');
  });
});
