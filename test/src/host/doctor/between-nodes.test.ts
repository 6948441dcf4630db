import { describe, expect, test } from 'vitest';
import { judgeMtu } from '../../../../src/host/doctor/between-nodes.ts';
import type { NodeProbe } from '../../../../src/host/doctor/between-nodes.ts';
import type { Finding } from '../../../../src/host/doctor/finding.ts';
import { judgeTunnel } from '../../../../src/host/doctor/tunnels.ts';
import type { Tunnel } from '../../../../src/host/doctor/tunnels.ts';
import type { Outcome, TunnelOutcome } from '../../../../src/host/probe/probe.ts';
import { parseIpAddress } from '../../../../src/model/ip.ts';

const B = '172.30.7.12';
const ROUTER = '172.30.7.1';
const answered: Outcome = { kind: 'answered', ms: 0.25 };
const silent: Outcome = { kind: 'silent' };
const notSent: Outcome = { kind: 'not sent', why: 'sendto: EPERM' };
const refused = (by: string, why: string, mtu?: number): Outcome => ({
  ...{ kind: 'refused', by: parseIpAddress(by), why },
  ...(mtu && { mtu }),
});

const node = (some: Partial<NodeProbe>): NodeProbe => ({
  ...{ node: 'node-b', address: parseIpAddress(B), small: answered, large: answered },
  ...some,
});
const words = (findings: readonly Finding[]): readonly string[] =>
  findings.map(({ verdict, what }) => `${verdict}: ${what}`);
const eth0 = { mtu: 1500, link: 'eth0' };

test.each<readonly [Partial<NodeProbe>, string]>([
  [{}, 'ok: full packets from here reach 1 of 1 nodes'],
  [{ address: parseIpAddress('fd30::12') }, 'ok: full packets from here reach 1 of 1 nodes (IPv6)'],
  [{ large: silent }, 'problem: packets of 1500 octets, the MTU of eth0, do not get from here to node-b (172.30.7.12)'],
  [
    { large: refused(ROUTER, 'packet too big', 1400) },
    'problem: packets of 1500 octets, the MTU of eth0, do not get from here to node-b (172.30.7.12), only 1400',
  ],
  [
    { small: silent, large: silent },
    'unknown: node-b (172.30.7.12) does not answer a ping, so nothing can be said of what reaches it',
  ],
])('mtu %j: %s', (some, expected) => {
  expect(words(judgeMtu([node(some)], eth0))).toEqual([expected]);
});

const tunl0: Tunnel = { kind: 'ipip', link: 'tunl0', port: 4789, address: parseIpAddress('10.48.0.1'), isUp: true };
const vxlan: Tunnel = { ...tunl0, kind: 'vxlan', link: 'vxlan.calico' };
const both: TunnelOutcome = { there: silent, andBack: silent };

describe.each([
  [tunl0, 'IP in IP', 'protocol 4'],
  [vxlan, 'VXLAN', 'UDP port 4789'],
])('%o', (tunnel, title, packets) => {
  const judged = (outcome: TunnelOutcome, some: Partial<NodeProbe> = {}, own: Partial<Tunnel> = {}): string =>
    words(judgeTunnel([node({ [tunnel.kind]: outcome, ...some })], { ...tunnel, ...own })).join('\n');
  const well = `ok: ${title} reaches 1 of 1 nodes, and their answers come back through it`;

  test('there and back; where rp_filter is strict there, only the way of the pods is answered', () => {
    expect(judged({ there: answered, andBack: answered })).toBe(well);
    expect(judged({ there: silent, andBack: answered })).toBe(well);
  });

  test('nobody can ask for the way back without a tunnel address', () => {
    expect(judged({ there: answered })).toBe(well);
    expect(judged({ there: silent })).toBe(`problem: ${packets} does not get from here to node-b (172.30.7.12)`);
  });

  test('not there: a firewall here, there, on the way, or nobody says', () => {
    expect(judged(both)).toBe(`problem: ${packets} does not get from here to node-b (172.30.7.12)`);
    expect(judged({ there: notSent, andBack: notSent })).toBe(
      `problem: this host lets no packet of ${packets} out to node-b (172.30.7.12)`,
    );
    expect(judged({ ...both, there: refused(B, 'prohibited by a filter') })).toBe(
      `problem: a firewall of node-b (172.30.7.12) refuses ${packets} from here`,
    );
    expect(judged({ ...both, there: refused(ROUTER, 'prohibited by a filter') })).toBe(
      `problem: 172.30.7.1, on the way to node-b (172.30.7.12), refuses ${packets} from here`,
    );
  });

  test('there, and not back', () => {
    expect(judged({ there: answered, andBack: silent })).toBe(
      `problem: ${packets} gets from here to node-b (172.30.7.12), but not from there to here`,
    );
    expect(judged({ there: answered, andBack: silent }, {}, { isUp: false })).toBe(
      `problem: node-b (172.30.7.12) is reached, and this host has no ${tunnel.link} that is up to take its answers out`,
    );
  });

  test('a node that has no end of it', () => {
    expect(judged({ ...both, there: refused(B, 'port unreachable') })).toBe(
      `problem: node-b (172.30.7.12) refuses ${packets}: it has no ${tunnel.link} that is up, or its firewall rejects it`,
    );
  });

  test('a node that answers no ping is no proof of anything, but one that answers inside is', () => {
    expect(judged(both, { small: silent })).toBe(
      `unknown: node-b (172.30.7.12) does not answer a ping, so nothing can be said of ${packets}`,
    );
    expect(judged({ there: answered, andBack: answered }, { small: silent })).toBe(well);
  });

  test('what was asked from where is told', () => {
    const [finding] = judgeTunnel([node({ [tunnel.kind]: both })], tunnel);
    expect(finding!.evidence).toEqual([
      'ping: answered after 0.3 ms',
      `the same ping inside ${packets}, to be answered plainly: no answer to three tries`,
      `from tunnel address to tunnel address, to be answered through ${tunnel.link}: no answer to three tries`,
      'with rp_filter strict there it would look the same if only the way back were blocked',
    ]);
  });
});

test('a kernel without the module says so', () => {
  const ipip = { there: refused(B, 'protocol unreachable') };
  expect(words(judgeTunnel([node({ ipip })], tunl0))).toEqual([
    'problem: node-b (172.30.7.12) got it and knows no protocol 4: its ipip module is not loaded',
  ]);
});

test('IPv6 has no rp_filter, and knows it', () => {
  const probe = node({ address: parseIpAddress('fd30::12'), vxlan: both });
  const [finding] = judgeTunnel([probe], { ...vxlan, link: 'vxlan-v6.calico' });
  expect(finding!.what).toBe('UDP port 4789 does not get from here to node-b (fd30::12)');
  expect(finding!.evidence!.join()).not.toContain('rp_filter');
});

test('of many nodes those that are well are one line, with each of them as evidence', () => {
  const probes = [
    node({}),
    node({ node: 'node-c', address: parseIpAddress('172.30.7.13') }),
    node({ node: 'node-d', large: silent }),
  ];
  const findings = judgeMtu(probes, eth0);
  expect(words(findings)).toEqual([
    'ok: full packets from here reach 2 of 3 nodes',
    expect.stringContaining('do not get from here to node-d') as string,
  ]);
  expect(findings[0]!.evidence).toEqual([
    'node-b (172.30.7.12): answered after 0.3 ms',
    'node-c (172.30.7.13): answered after 0.3 ms',
  ]);
});
