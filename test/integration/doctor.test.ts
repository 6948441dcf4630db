import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { NodeStatus } from '../../src/api/contract.ts';
import type { Finding } from '../../src/host/doctor/finding.ts';
import { makeAgentLab, until, untilSettled } from '../support/agent-lab.ts';
import type { AgentLab, LabNode } from '../support/agent-lab.ts';
import { isRoot } from '../support/netns.ts';

const runs = isRoot || process.env['CI'] !== undefined;
const FIREWALL = 'doctor-test';
const B = 'node-b (172.30.7.12)';

const ask = (node: LabNode, ...args: readonly string[]): readonly Finding[] => {
  const { said } = node.ctl('node', 'doctor', '-o', 'json', ...args);
  return (JSON.parse(said) as { findings: readonly Finding[] }).findings;
};
const of = (findings: readonly Finding[], check: string): readonly Finding[] =>
  findings.filter((one) => one.check === check);

type Hook = 'input' | 'output';

/** What `work` gives while the node has such a rule. */
function withRule<T>(node: LabNode, [hook, rule]: readonly [Hook, string], work: () => T): T {
  const chain = `add chain inet ${FIREWALL} c { type filter hook ${hook} priority 0; }`;
  node.netns.run('nft', `add table inet ${FIREWALL}; ${chain}; add rule inet ${FIREWALL} c ${rule}`);
  try {
    return work();
  } finally {
    node.netns.run('nft', 'delete', 'table', 'inet', FIREWALL);
  }
}

/** A host that is made sick in one way after the other, and asked what it has. */
describe.runIf(runs)('node doctor', () => {
  let lab: AgentLab;
  let a: LabNode;
  let b: LabNode;

  beforeAll(async () => {
    lab = makeAgentLab('ctd', { environment: { CALICO_IPV4POOL_IPIP: 'Always' } });
    [a, b] = lab.nodes as [LabNode, LabNode];
    for (const node of lab.nodes) node.start();
    await untilSettled(lab);
  });
  afterAll(() => lab.remove());

  const findings = (check: string): readonly Finding[] => of(ask(a), check);
  const ipipWith = (node: LabNode, hook: Hook, rule: string): readonly Finding[] =>
    withRule(node, [hook, rule], () => findings('protocol 4'));

  test('the port is the agent’s, the address is there, full packets reach the other node, the session is up', () => {
    const all = ask(a);
    expect(of(all, 'agent')).toMatchObject([{ what: expect.stringMatching(/^runs|^the kernel refuses/) as string }]);
    expect(of(all, 'BGP port')).toEqual([{ check: 'BGP port', verdict: 'ok', what: "179 is the agent's" }]);
    expect(of(all, 'node address')).toMatchObject([{ verdict: 'ok', what: '172.30.7.11 is on eth0' }]);
    expect(of(all, 'BGP sessions')).toMatchObject([{ verdict: 'ok', what: '1 of 1 peers are Established' }]);
    expect(of(all, 'mtu between nodes')).toMatchObject([
      { verdict: 'ok', what: 'full packets from here reach 1 of 1 nodes' },
    ]);
    expect(of(all, 'VXLAN')).toMatchObject([
      { verdict: 'ok', what: 'no pool sends through VXLAN to any of them, so nobody needs it' },
    ]);
    // Whether protocol 4 is understood is the kernel of the other node's to say.
    const words = /^IP in IP reaches 1 of 1 nodes|got it and knows no protocol 4|refuses protocol 4: it has no tunl0/;
    expect(of(all, 'protocol 4')).toMatchObject([{ what: expect.stringMatching(words) as string }]);
  });

  test('protocol 4 that is dropped there, refused there, kept in here', () => {
    expect(ipipWith(b, 'input', 'ip protocol 4 drop')).toMatchObject([
      { verdict: 'problem', what: `protocol 4 does not get from here to ${B}` },
    ]);
    expect(ipipWith(b, 'input', 'ip protocol 4 reject with icmp type admin-prohibited')).toMatchObject([
      { verdict: 'problem', what: `a firewall of ${B} refuses protocol 4 from here` },
    ]);
    const [kept] = ipipWith(a, 'output', 'ip protocol 4 drop');
    expect(kept).toMatchObject({ verdict: 'problem', what: `this host lets no packet of protocol 4 out to ${B}` });
    expect(kept!.evidence).toContainEqual(expect.stringContaining('EPERM'));
  });

  test('a node that answers no ping is no proof of anything', () => {
    expect(ipipWith(b, 'input', 'ip protocol { icmp, 4 } drop')).toMatchObject([{ verdict: 'unknown' }]);
  });

  test('a node with a smaller MTU', () => {
    b.netns.run('ip', 'link', 'set', 'eth0', 'mtu', '1400');
    try {
      expect(findings('mtu between nodes')).toMatchObject([
        { verdict: 'problem', what: `packets of 1500 octets, the MTU of eth0, do not get from here to ${B}` },
      ]);
    } finally {
      b.netns.run('ip', 'link', 'set', 'eth0', 'mtu', '1500');
    }
  });

  test('rp_filter, the larger of the two places; what is to be done about it helps', () => {
    a.netns.run('sh', '-c', 'echo 1 > /proc/sys/net/ipv4/conf/eth0/rp_filter');
    const [strict] = findings('rp_filter');
    expect(strict).toMatchObject({ verdict: 'warning', what: 'is strict on eth0' });
    expect(strict!.todo).toMatch(/^net\.ipv4\.conf\.all\.rp_filter = 2 /);
    a.netns.run('sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=2');
    expect(findings('rp_filter')).toMatchObject([{ verdict: 'ok' }]);
  });

  test('in words, the worst first; exit code 1 where something is wrong', () => {
    const { status, said } = a.ctl('node', 'doctor', '--nodes', 'node-c');
    expect(said).toContain('UNKNOWN  other nodes: node-c is no other node with an IPv4 address\n');
    expect(status).toBe(said.startsWith('PROBLEM') ? 1 : 0);
    expect(said).toMatch(/\d+ problems?, \d+ warnings?, \d+ unknown, \d+ ok\n$/);
  });

  test('a session that is down: nobody there, or TCP 179 that is dropped there', async () => {
    await b.kill('SIGKILL');
    const down = async (): Promise<boolean> =>
      (await a.client.get<NodeStatus>('/v1/status')).bgp.peers[0]?.state !== 'Established';
    await until(down, a.log);
    const told = (): Finding => findings('BGP sessions')[0]!;
    expect(told()).toMatchObject({
      ...{ verdict: 'problem', what: `no session with ${B}: nobody listens on TCP port 179 there` },
      todo: expect.stringContaining('calicoctl-ts peer explain 172.30.7.12') as string,
    });
    expect(withRule(b, ['input', 'tcp dport 179 drop'], told)).toMatchObject({
      what: `no session with ${B}: TCP from here to port 179 there gets no answer`,
    });
    b.start();
    await until(async () => !(await down()), a.log);
    expect(told()).toMatchObject({ verdict: 'ok' });
  });

  describe('without an agent', () => {
    let squatter: ChildProcess | undefined;
    beforeAll(() => a.kill('SIGKILL'));
    afterAll(() => void squatter?.kill('SIGKILL'));

    test('that is told, and the ports of the others are tried', () => {
      const all = ask(a);
      expect(of(all, 'agent')).toMatchObject([{ verdict: 'warning', what: 'none answers' }]);
      expect(of(all, 'BGP sessions')).toMatchObject([
        { verdict: 'ok', what: 'the BGP port of 1 of 1 addresses of nodes answers from here' },
      ]);
    });

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

const ADDRESSES6 = ['fd30:7::11', 'fd30:7::12'];
const POOL6 = stringify({
  ...{ apiVersion: 'projectcalico.org/v3', kind: 'IPPool', metadata: { name: 'six' } },
  spec: { cidr: 'fd48::/64', blockSize: 122, vxlanMode: 'Always' },
});

describe.runIf(runs)('node doctor, between nodes with VXLAN in both families', () => {
  let lab: AgentLab;
  let a: LabNode;
  let b: LabNode;
  beforeAll(async () => {
    lab = makeAgentLab('ctd', { environment: { CALICO_IPV4POOL_VXLAN: 'Always' } });
    [a, b] = lab.nodes as [LabNode, LabNode];
    for (const [i, { netns }] of lab.nodes.entries()) {
      netns.run('ip', 'address', 'add', `${ADDRESSES6[i]!}/64`, 'dev', 'eth0', 'nodad');
    }
    for (const node of lab.nodes) node.start();
    await untilSettled(lab);
    await lab.cli(['apply'], POOL6);
    for (const [i, { name }] of lab.nodes.entries()) {
      const node = { apiVersion: 'projectcalico.org/v3', kind: 'Node', metadata: { name } };
      const bgp = { ipv4Address: `172.30.7.${11 + i}/24`, ipv6Address: `${ADDRESSES6[i]!}/64` };
      await lab.cli(['apply'], stringify({ ...node, spec: { bgp } }));
    }
    for (const { netns, log } of lab.nodes) {
      const routes = (): string => netns.run('ip', 'route') + netns.run('ip', '-6', 'route');
      const areThere = (): boolean =>
        / dev vxlan\.calico proto 80/.test(routes()) && / vxlan-v6\.calico proto 80/.test(routes());
      await until(
        () => Promise.resolve(areThere()),
        () => `${routes()}\n${log()}`,
      );
    }
  });
  afterAll(() => lab.remove());

  const NAMES = { 4: B, 6: 'node-b (fd30:7::12)' } as const;
  const vxlan = (): readonly string[] => of(ask(a), 'VXLAN').map(({ verdict, what }) => `${verdict}: ${what}`);
  const well = (family: 4 | 6): string =>
    `ok: VXLAN reaches 1 of 1 nodes${family === 6 ? ' (IPv6)' : ''}, and their answers come back through it`;

  test('both reach the other node, and come back', () => {
    const all = ask(a);
    expect(of(all, 'VXLAN').map(({ verdict, what }) => `${verdict}: ${what}`)).toEqual([well(4), well(6)]);
    expect(of(all, 'BGP sessions')).toMatchObject([{ verdict: 'ok', what: '2 of 2 peers are Established' }]);
    expect(of(all, 'mtu between nodes').map(({ what }) => what)).toEqual([
      'full packets from here reach 1 of 1 nodes',
      'full packets from here reach 1 of 1 nodes (IPv6)',
    ]);
  });

  describe.each([4, 6] as const)('IPv%d', (family) => {
    const rule = `meta nfproto ipv${family} udp dport 4789`;
    const other = family === 4 ? 6 : 4;
    const blocked = (node: LabNode, hook: Hook, verdict: string): string => {
      const told = withRule(node, [hook, `${rule} ${verdict}`], vxlan);
      expect(told).toContain(well(other));
      expect(told).toHaveLength(2);
      return told.find((line) => line !== well(other))!;
    };

    test('UDP 4789 that is dropped on its way there, or refused there, or kept in here', () => {
      expect(blocked(b, 'input', 'drop')).toBe(`problem: UDP port 4789 does not get from here to ${NAMES[family]}`);
      expect(blocked(b, 'input', 'reject with icmpx type admin-prohibited')).toBe(
        `problem: a firewall of ${NAMES[family]} refuses UDP port 4789 from here`,
      );
      expect(blocked(a, 'output', 'drop')).toBe(
        `problem: this host lets no packet of UDP port 4789 out to ${NAMES[family]}`,
      );
    });

    test('UDP 4789 that is dropped on its way back', () => {
      const back = `problem: UDP port 4789 gets from here to ${NAMES[family]}, but not from there to here`;
      expect(blocked(b, 'output', 'drop')).toBe(back);
      expect(blocked(a, 'input', 'drop')).toBe(back);
    });
  });

  test('with rp_filter strict at both ends the way of the pods is what counts', () => {
    for (const { netns } of lab.nodes) netns.run('sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=1');
    expect(vxlan()).toEqual([well(4), well(6)]);
  });

  test('a node with a smaller MTU, in both families', () => {
    b.netns.run('ip', 'link', 'set', 'eth0', 'mtu', '1400');
    try {
      expect(of(ask(a), 'mtu between nodes').map(({ what }) => what)).toEqual(
        ([4, 6] as const).map(
          (family) => `packets of 1500 octets, the MTU of eth0, do not get from here to ${NAMES[family]}`,
        ),
      );
    } finally {
      b.netns.run('ip', 'link', 'set', 'eth0', 'mtu', '1500');
    }
  });

  test('without an agent: TCP 179 that is dropped there in one family', async () => {
    await a.kill('SIGKILL');
    const told = withRule(b, ['input', 'meta nfproto ipv6 tcp dport 179 drop'], () => of(ask(a), 'BGP sessions'));
    expect(told.map(({ verdict, what }) => `${verdict}: ${what}`)).toEqual([
      'ok: the BGP port of 1 of 2 addresses of nodes answers from here',
      `problem: ${NAMES[6]}: TCP from here to port 179 there gets no answer`,
    ]);
  });
});
