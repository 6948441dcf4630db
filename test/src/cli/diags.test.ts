import { execFileSync } from 'node:child_process';
import { beforeEach, describe, expect, test } from 'vitest';
import { describeSettingsFile, describeVariables } from '../../../src/host/diags/secrets.ts';
import { packTarGz } from '../../../src/host/diags/tar.ts';
import { FakeShell } from '../../support/cli.ts';

/** Read back by the host's own tar. */
const unpacked = (archive: Uint8Array, ...names: readonly string[]): string =>
  execFileSync('tar', ['xzO', ...names], { input: archive, encoding: 'utf8' });
const listed = (archive: Uint8Array): readonly string[] =>
  execFileSync('tar', ['tz'], { input: archive, encoding: 'utf8' }).trim().split('\n');

test('the archive is one that tar reads', () => {
  const long = 'x'.repeat(513);
  const archive = packTarGz(
    [
      { path: 'a/ü.txt', text: 'ü' },
      { path: 'b', text: long },
      { path: 'c', text: '' },
    ],
    1_700_000_000.5,
  );
  expect(
    execFileSync('tar', ['tzv', '--utc'], { input: archive, encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } }),
  ).toMatch(/^-rw------- 0\/0 +2 2023-11-14 22:13 a\/.*\n.* 513 .* b\n.* 0 .* c\n$/);
  expect(unpacked(archive, 'b')).toBe(long);
  expect(() => packTarGz([{ path: long, text: '' }], 0)).toThrow('is too long for a name in an archive');
});

describe('secrets', () => {
  test('are removed from variables; of what is not ours nothing is told', () => {
    const env = {
      ETCD_PASSWORD: 'p1',
      CALICO_ETCD_KEY: 'p2',
      ETCD_KEY_FILE: '/etc/k.pem',
      K8S_API_TOKEN: 'p3',
      ETCD_ENDPOINTS: 'https://u:p4@10.0.0.1:2379,https://10.0.0.2:2379',
      CALICO_BGP_PASSWORDS: '/etc/calico/passwords',
      AWS_SECRET: 'p5',
      IP: 'autodetect',
    };
    expect(describeVariables(env)).toBe(
      [
        'CALICO_BGP_PASSWORDS=/etc/calico/passwords',
        'CALICO_ETCD_KEY=(removed)',
        'ETCD_ENDPOINTS=https://(removed)@10.0.0.1:2379,https://10.0.0.2:2379',
        'ETCD_KEY_FILE=/etc/k.pem',
        'ETCD_PASSWORD=(removed)',
        'IP=autodetect',
        'K8S_API_TOKEN=(removed)',
        '',
      ].join('\n'),
    );
  });

  test('and from files of settings', () => {
    const text =
      'spec:\n  etcdPassword: p1\n  etcdKeyFile: /k\n  "etcd_key": "p2",\n  - token = p3\nexport ETCD_PASSWORD=p4\nurl: http://a:p5@h/x\n';
    const told = describeSettingsFile(text);
    expect(told).not.toMatch(/p\d/);
    expect(told).toContain('  etcdKeyFile: /k\n');
    expect(told).toContain('  etcdPassword: (removed)\n');
  });
});

describe('node diags', () => {
  let shell: FakeShell;

  beforeEach(() => {
    shell = new FakeShell();
    shell.now = Date.UTC(2026, 10, 26, 8, 1, 2);
    shell.env.ETCD_PASSWORD = 'hidden';
    shell.answers['GET /v1/status'] = { pid: 42, bgp: { peers: [{ address: 'fd00::1' }] } };
    shell.answers['GET /v1/bgp/peers/fd00%3A%3A1/explain'] = { verdict: 'fine' };
    Object.assign(shell.hostTexts, {
      '/proc/version': 'Linux\n',
      '/proc/sys/net/ipv4/conf/eth0/rp_filter': '2\n',
      '/proc/42/environ': 'AS=64512\0ETCD_PASSWORD=hidden\0HOME=/root\0',
      '/etc/calico/calicoctl.cfg': 'spec:\n  etcdPassword: hidden\n',
      '/var/log/calico/agent.log': 'up http://u:hidden@h/\n',
    });
  });

  test('packs what it gets, without secrets, and says what it could not get, and why', async () => {
    const { exitCode, stdout, stderr } = await shell.run('node', 'diags');
    const [[name, archive] = ['', new Uint8Array()]] = [...shell.saved];
    expect([exitCode, name]).toEqual([0, 'diags-20261126_080102.tar.gz']);
    expect(stdout).toMatch(/^Diags saved to \/tmp\/calico-x\/diags-20261126_080102\.tar\.gz: \d+ files\./);
    expect(listed(archive)).toEqual(
      expect.arrayContaining([
        'agent/status.json',
        'agent/bgp/peers/fd00__1-explain.json',
        'kernel/links.json',
        'host/proc/version',
        'host/sysctls.txt',
        'settings/environment-of-the-agent.txt',
        'settings/etc/calico/calicoctl.cfg',
        'logs/agent.log',
        'missing.txt',
      ]),
    );
    const all = unpacked(archive);
    expect(all).not.toContain('hidden');
    expect(unpacked(archive, 'settings/environment-of-the-agent.txt')).toBe('AS=64512\nETCD_PASSWORD=(removed)\n');
    expect(unpacked(archive, 'host/sysctls.txt')).toContain('net/ipv4/conf/eth0/rp_filter = 2\n');
    expect(stderr).toContain('could not get kernel/routes.json: netlink is gone\n');
    expect(stderr).toContain('could not get agent/routes.json: nobody answers GET /v1/routes');
    expect(stderr.replaceAll('could not get ', '')).toBe(unpacked(archive, 'missing.txt'));
  });

  test('of a host without an agent and without logs is what there is', async () => {
    delete shell.answers['GET /v1/status'];
    delete shell.hostTexts['/var/log/calico/agent.log'];
    const { exitCode, stderr } = await shell.run('node', 'diags', '--log-dir', '/elsewhere');
    expect([exitCode, shell.saved.size]).toEqual([0, 1]);
    expect(stderr).toContain('could not get logs: there are none in /elsewhere; ');
  });
});
