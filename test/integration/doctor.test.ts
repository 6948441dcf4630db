import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from '../../src/host/doctor/finding.ts';
import { makeAgentLab, until, untilSettled } from '../support/agent-lab.ts';
import type { AgentLab, LabNode } from '../support/agent-lab.ts';
import { isRoot } from '../support/netns.ts';

const FIREWALL = 'doctor-test';

/** A host that is made sick in one way after the other, and asked what it has. */
describe.skipIf(!isRoot && process.env['CI'] === undefined)('node doctor', () => {
  let lab: AgentLab;
  let a: LabNode;
  let b: LabNode;

  beforeAll(async () => {
    lab = makeAgentLab('ctd', { environment: { CALICO_IPV4POOL_IPIP: 'CrossSubnet' } });
    [a, b] = lab.nodes as [LabNode, LabNode];
    for (const node of lab.nodes) node.start();
    await untilSettled(lab);
  });
  afterAll(() => lab.remove());

  const findings = (check: string, ...args: readonly string[]): readonly Finding[] => {
    const { said } = a.ctl('node', 'doctor', '-o', 'json', ...args);
    return (JSON.parse(said) as { findings: readonly Finding[] }).findings.filter((one) => one.check === check);
  };
  const withRule = (node: LabNode, hook: 'input' | 'output', rule: string): readonly Finding[] => {
    const chain = `add chain inet ${FIREWALL} c { type filter hook ${hook} priority 0; }`;
    node.netns.run('nft', `add table inet ${FIREWALL}; ${chain}; add rule inet ${FIREWALL} c ${rule}`);
    try {
      return findings('protocol 4');
    } finally {
      node.netns.run('nft', 'delete', 'table', 'inet', FIREWALL);
    }
  };

  test('the port is the agent’s, the address is there, full packets reach the other node', () => {
    expect(findings('BGP port')).toEqual([{ check: 'BGP port', verdict: 'ok', what: "179 is the agent's" }]);
    expect(findings('node address')).toMatchObject([{ verdict: 'ok', what: '172.30.7.11 is on eth0' }]);
    expect(findings('mtu between nodes')).toMatchObject([{ verdict: 'ok', what: 'full packets reach 1 of 1 nodes' }]);
  });

  test('protocol 4 gets there; whether it is understood is the kernel of the other node’s to say', () => {
    expect(findings('protocol 4')).toMatchObject([
      {
        what: expect.stringMatching(
          /^IP in IP reaches 1 of 1 nodes$|got it and (knows no protocol 4|has no tunl0)/,
        ) as string,
      },
    ]);
  });

  test('protocol 4 that is dropped there, refused there, kept in here', () => {
    expect(withRule(b, 'input', 'ip protocol 4 drop')).toMatchObject([
      { verdict: 'problem', what: 'protocol 4 does not reach node-b (172.30.7.12), or no answer comes back' },
    ]);
    expect(withRule(b, 'input', 'ip protocol 4 reject with icmp type admin-prohibited')).toMatchObject([
      { verdict: 'problem', what: 'a firewall of node-b (172.30.7.12) refuses protocol 4' },
    ]);
    const [kept] = withRule(a, 'output', 'ip protocol 4 drop');
    expect(kept).toMatchObject({
      verdict: 'problem',
      what: expect.stringContaining('lets no packet of protocol 4 out') as string,
    });
    expect(kept!.evidence).toContainEqual(expect.stringContaining('EPERM'));
  });

  test('a node that answers no ping is no proof of anything', () => {
    const [finding] = withRule(b, 'input', 'ip protocol { icmp, 4 } drop');
    expect(finding).toMatchObject({ verdict: 'unknown' });
  });

  test('a node with a smaller MTU', () => {
    b.netns.run('ip', 'link', 'set', 'eth0', 'mtu', '1400');
    try {
      expect(findings('mtu between nodes')).toMatchObject([
        {
          verdict: 'problem',
          what: 'packets of 1500 octets, the MTU of eth0, do not reach node-b (172.30.7.12)',
        },
      ]);
    } finally {
      b.netns.run('ip', 'link', 'set', 'eth0', 'mtu', '1500');
    }
  });

  test('rp_filter, in the stricter of the two places', () => {
    a.netns.run('sh', '-c', 'echo 1 > /proc/sys/net/ipv4/conf/eth0/rp_filter');
    expect(findings('rp_filter')).toMatchObject([{ verdict: 'warning', what: 'is strict on eth0' }]);
    a.netns.run('sh', '-c', 'echo 2 > /proc/sys/net/ipv4/conf/eth0/rp_filter');
    expect(findings('rp_filter')).toMatchObject([{ verdict: 'ok' }]);
  });

  test('in words, the worst first; exit code 1 where something is wrong', () => {
    const { status, said } = a.ctl('node', 'doctor', '--nodes', 'node-c');
    expect(said).toContain('UNKNOWN  other nodes: node-c is no other node with an IPv4 address\n');
    expect(status).toBe(said.startsWith('PROBLEM') ? 1 : 0);
    expect(said).toMatch(/\d+ problems?, \d+ warnings?, \d+ unknown, \d+ ok\n$/);
  });

  describe('without an agent', () => {
    let squatter: ChildProcess | undefined;
    beforeAll(() => a.kill('SIGKILL'));
    afterAll(() => void squatter?.kill('SIGKILL'));

    test('a port that another took, and who; a host that does not forward', async () => {
      expect(findings('BGP port')).toMatchObject([{ verdict: 'ok', what: '179 is free' }]);
      const script = "process.title = 'squatter'; require('net').createServer().listen(179)";
      squatter = spawn('ip', ['netns', 'exec', a.netns.name, process.execPath, '-e', script]);
      await until(
        () => Promise.resolve(findings('BGP port')[0]?.verdict === 'problem'),
        () => JSON.stringify(findings('BGP port')),
      );
      expect(findings('BGP port')[0]!.what).toMatch(/^179 is taken by \S+ \(process \d+\)$/);
      a.netns.run('sh', '-c', 'echo 0 > /proc/sys/net/ipv4/ip_forward');
      expect(findings('ip_forward')).toMatchObject([{ verdict: 'warning', what: 'this host does not forward IPv4' }]);
    });
  });
});
