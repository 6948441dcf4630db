import { beforeEach, describe, expect, test } from 'vitest';
import { SystemError } from '../../../src/linux/libc.ts';
import { FakeShell } from '../../support/cli.ts';
import { healthyHost } from '../../support/doctor-ports.ts';
import { entryOf, resource } from '../../support/resources.ts';

describe('node doctor', () => {
  let shell: FakeShell;
  const node = (name: string, address: string): ReturnType<typeof resource> =>
    resource('Node', { name }, { bgp: { ipv4Address: address } });

  beforeEach(async () => {
    shell = new FakeShell();
    const pool = resource('IPPool', { name: 'p' }, { cidr: '10.48.0.0/16', ipipMode: 'Always' });
    for (const each of [node('node-a1', '172.30.1.11/24'), node('node-b1', '172.30.2.11/24'), pool]) {
      await shell.store.create(entryOf(each).key, entryOf(each).value);
    }
  });

  test('a host that has nothing: every check is one line, exit code 0', async () => {
    const { exitCode, stdout, stderr } = await shell.run('node', 'doctor');
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')).toEqual([
      'WARNING  agent: none answers',
      '         why:  nobody keeps the routes of this node: they are as the last agent left them',
      '         do:   start calico-node-ts; where it runs, tell the socket: CALICO_RUN_DIR or --socket',
      '         seen: nobody answers GET /v1/status on /var/run/calico/calico-ts.sock',
      'ok       ip_forward: this host forwards IPv4',
      'ok       rp_filter: is not strict on eth0',
      'ok       node address: 172.30.1.11 is on eth0',
      'ok       BGP port: 179 is free',
      'ok       kernel: 6.1.0 has what the pools of this cluster need',
      'ok       mtu: tunnels fit into eth0',
      'ok       NetworkManager: does not run here',
      'ok       systemd-networkd: does not run here',
      'ok       conntrack: connections are not tracked here',
      'ok       clock: is kept by a time service',
      'ok       BGP sessions: the BGP port of 1 of 1 addresses of nodes answers from here',
      'ok       mtu between nodes: full packets from here reach 1 of 1 nodes',
      'ok       protocol 4: IP in IP reaches 1 of 1 nodes, and their answers come back through it',
      'ok       VXLAN: no pool sends through VXLAN to any of them, so nobody needs it',
      '0 problems, 1 warning, 0 unknown, 14 ok',
      '',
    ]);
  });

  test('what hurts comes first, with why, what to do and how it knows; exit code 1', async () => {
    shell.hostTexts['/proc/sys/net/netfilter/nf_conntrack_count'] = '990';
    shell.hostTexts['/proc/sys/net/netfilter/nf_conntrack_max'] = '1000';
    const { exitCode, stdout, stderr } = await shell.run('node', 'doctor');
    expect([exitCode, stderr]).toEqual([1, '']);
    expect(stdout.split('\n').slice(0, 5)).toEqual([
      'PROBLEM  conntrack: 990 of 1000 entries are in use',
      '         why:  when it is full new connections are dropped, with one line in the kernel log',
      '         do:   a larger net.netfilter.nf_conntrack_max in /etc/sysctl.d, or find who opens so many: conntrack -L',
      '         seen: nf_conntrack_count = 990',
      '         seen: nf_conntrack_max = 1000',
    ]);
  });

  test('-o json has all of it, and the counts', async () => {
    const { stdout } = await shell.run('node', 'doctor', '-o', 'json');
    const report = JSON.parse(stdout) as { readonly ok: number; readonly findings: readonly object[] };
    expect(report).toMatchObject({ problem: 0, warning: 1, unknown: 0, ok: report.findings.length - 1 });
    expect(report.findings[1]).toEqual({ check: 'ip_forward', verdict: 'ok', what: 'this host forwards IPv4' });
  });

  test('only the nodes that are named are asked', async () => {
    let asked = 0;
    const probe = (targets: readonly unknown[]): Promise<never[]> => {
      asked = targets.length;
      return Promise.resolve([]);
    };
    shell.doctor = healthyHost({}, { probe });
    const { stdout } = await shell.run('node', 'doctor', '--nodes', 'node-b1', 'node-x');
    expect(asked).toBe(1);
    expect(stdout).toContain('UNKNOWN  other nodes: node-x is no other node with an IPv4 address\n');
  });

  test('without the right to send, without a datastore: unknown, and all the rest is still looked at', async () => {
    shell.doctor = healthyHost({}, { probe: () => Promise.reject(new SystemError('socket', 1)) });
    expect((await shell.run('node', 'doctor')).stdout).toContain(
      'UNKNOWN  other nodes: asking them takes root or CAP_NET_RAW: socket: EPERM (operation not permitted)\n',
    );
    shell.env['DATASTORE_TYPE'] = 'sqlite';
    const { exitCode, stdout } = await shell.run('node', 'doctor');
    expect(exitCode).toBe(0);
    expect(stdout).toContain("UNKNOWN  other nodes: who they are is not known: DATASTORE_TYPE = 'sqlite'");
    expect(stdout).toContain('ok       ip_forward: this host forwards IPv4\n');
  });
});
