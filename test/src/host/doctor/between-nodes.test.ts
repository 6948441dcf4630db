import { expect, test } from 'vitest';
import { judgeProbes } from '../../../../src/host/doctor/between-nodes.ts';
import type { NodeProbe } from '../../../../src/host/doctor/between-nodes.ts';
import type { Outcome } from '../../../../src/host/probe/probe.ts';

const B = 0xac1e070c; // 172.30.7.12
const ROUTER = 0xac1e0701;
const answered: Outcome = { kind: 'answered', ms: 0.25 };
const silent: Outcome = { kind: 'silent' };
const refused = (by: number, code: number, mtu?: number): Outcome => ({
  kind: 'refused',
  by,
  code,
  ...(mtu && { mtu }),
});

const node = (some: Partial<NodeProbe>): NodeProbe => ({
  ...{ node: 'node-b', address: B, small: answered, large: answered, ipip: answered },
  ...some,
});
const judged = (check: string, some: Partial<NodeProbe>): string => {
  const [finding] = judgeProbes([node(some)], { mtu: 1500, link: 'eth0', wantsIpip: true }).filter(
    (one) => one.check === check,
  );
  return `${finding!.verdict}: ${finding!.what}`;
};

test.each([
  [{}, 'ok: full packets reach 1 of 1 nodes'],
  [{ large: silent }, 'problem: packets of 1500 octets, the MTU of eth0, do not reach node-b (172.30.7.12)'],
  [
    { large: refused(ROUTER, 4, 1400) },
    'problem: packets of 1500 octets, the MTU of eth0, do not reach node-b (172.30.7.12), only 1400',
  ],
  [
    { small: silent, large: silent },
    'unknown: node-b (172.30.7.12) does not answer a ping, so nothing can be said of what reaches it',
  ],
])('mtu %j: %s', (some, expected) => {
  expect(judged('mtu between nodes', some)).toBe(expected);
});

test.each([
  [{}, 'ok: IP in IP reaches 1 of 1 nodes'],
  [{ small: silent }, 'ok: IP in IP reaches 1 of 1 nodes'],
  [{ ipip: silent }, 'problem: protocol 4 does not reach node-b (172.30.7.12), or no answer comes back'],
  [
    { ipip: silent, small: silent },
    'unknown: node-b (172.30.7.12) does not answer a ping, so nothing can be said of protocol 4',
  ],
  [
    { ipip: refused(B, 2) },
    'problem: node-b (172.30.7.12) got it and knows no protocol 4: its ipip module is not loaded',
  ],
  [{ ipip: refused(B, 3) }, 'problem: node-b (172.30.7.12) got it and has no tunl0 that is up'],
  [{ ipip: refused(B, 13) }, 'problem: a firewall of node-b (172.30.7.12) refuses protocol 4'],
  [{ ipip: refused(ROUTER, 2) }, 'problem: a firewall at 172.30.7.1 refuses protocol 4'],
  [
    { ipip: { kind: 'not sent', why: 'sendto: EPERM' } as const },
    'problem: this host lets no packet of protocol 4 out to node-b (172.30.7.12)',
  ],
])('protocol 4 %j: %s', (some, expected) => {
  expect(judged('protocol 4', some)).toBe(expected);
});

test('where no pool uses IPIP nobody needs protocol 4', () => {
  const findings = judgeProbes([node({ ipip: silent })], { mtu: 1500, link: 'eth0', wantsIpip: false });
  expect(findings.at(-1)).toMatchObject({
    check: 'protocol 4',
    verdict: 'ok',
    what: 'no pool uses IPIP, so nobody needs it',
  });
});

test('of many nodes those that are well are one line, with each of them as evidence', () => {
  const probes = [node({}), node({ node: 'node-c', address: B + 1 }), node({ node: 'node-d', large: silent })];
  const findings = judgeProbes(probes, { mtu: 1500, link: 'eth0', wantsIpip: true });
  expect(findings.map(({ verdict, what }) => `${verdict}: ${what}`)).toEqual([
    'ok: full packets reach 2 of 3 nodes',
    expect.stringContaining('do not reach node-d') as string,
    'ok: IP in IP reaches 3 of 3 nodes',
  ]);
  expect(findings[0]!.evidence).toEqual([
    'node-b (172.30.7.12): answered after 0.3 ms',
    'node-c (172.30.7.13): answered after 0.3 ms',
  ]);
});
