/** Which packets are sent to whom: in which family, through which tunnel, from which address. */
import { describe, expect, test } from 'vitest';
import type { Finding } from '../../../../src/host/doctor/finding.ts';
import type { ClusterFacts, HostLink } from '../../../../src/host/doctor/host-facts.ts';
import { checkOtherNodes } from '../../../../src/host/doctor/other-nodes.ts';
import type { DialTarget } from '../../../../src/host/probe/dial.ts';
import type { ProbeSource, ProbeTarget } from '../../../../src/host/probe/questions.ts';
import { questionsFor } from '../../../../src/host/probe/questions.ts';
import { SystemError } from '../../../../src/linux/libc.ts';
import { formatIpAddress, parseIpAddress } from '../../../../src/model/ip.ts';
import { node, pool } from '../../../support/dataplane-inputs.ts';
import { clusterFacts, eth0, hostFacts, peerStatus, speakerStatus } from '../../../support/doctor-facts.ts';
import { healthyHost } from '../../../support/doctor-ports.ts';

const six = { ipv6: 'fd30:1::11/64', vxlan6: 'fd48::1' };
const self = node('node-a', '172.30.1.11/24', { ipip: '10.48.0.1', vxlan: '10.48.0.2', ...six });
const near = node('near', '172.30.1.12/24', { ipip: '10.48.1.1', vxlan: '10.48.1.2', ipv6: 'fd30:1::12/64' });
const far = node('far', '172.30.2.11/24', { vxlan: '10.48.2.2', ipv6: 'fd30:2::11/64', vxlan6: 'fd48::2' });

interface Asked {
  readonly findings: readonly Finding[];
  readonly calls: readonly { readonly targets: readonly ProbeTarget[]; readonly source: ProbeSource }[];
}

async function ask(
  cluster: Partial<ClusterFacts> = {},
  { names, links = [eth0] }: { readonly names?: readonly string[]; readonly links?: readonly HostLink[] } = {},
): Promise<Asked> {
  const calls: { targets: readonly ProbeTarget[]; source: ProbeSource }[] = [];
  const healthy = healthyHost();
  const facts = hostFacts({ cluster: clusterFacts({ self, others: [near, far], ...cluster }), links });
  const findings = await checkOtherNodes(
    {
      dial: (targets) => healthy.dial(targets),
      probe: (targets, source) => {
        calls.push({ targets, source });
        return healthy.probe(targets, source);
      },
    },
    facts,
    names,
  );
  return { findings, calls };
}

/** `172.30.1.12 vxlan 10.48.1.2` */
const text = ({ address, ipip, vxlan }: ProbeTarget): string => {
  const end = (name: string, tunnel: ProbeTarget['ipip']): readonly string[] =>
    tunnel === undefined ? [] : [name, tunnel.address === undefined ? '-' : formatIpAddress(tunnel.address)];
  return [formatIpAddress(address), ...end('ipip', ipip), ...end('vxlan', vxlan)].join(' ');
};
const asked = async (...pools: readonly ReturnType<typeof pool>[]): Promise<readonly string[]> =>
  (await ask({ pools })).calls.flatMap(({ targets }) => targets.map(text));

describe('a tunnel is asked through where a packet of some pool would take it', () => {
  test.each([
    [pool('10.48.0.0/16'), ['172.30.1.12', '172.30.2.11']],
    [pool('10.48.0.0/16', { ipip: 'Always' }), ['172.30.1.12 ipip 10.48.1.1', '172.30.2.11 ipip -']],
    [pool('10.48.0.0/16', { ipip: 'CrossSubnet' }), ['172.30.1.12', '172.30.2.11 ipip -']],
    [pool('10.48.0.0/16', { vxlan: 'CrossSubnet' }), ['172.30.1.12', '172.30.2.11 vxlan 10.48.2.2']],
  ])('%o', async (one, expected) => {
    expect(await asked(one)).toEqual([...expected, 'fd30:1::12', 'fd30:2::11']);
  });

  test('each family by its own pools', async () => {
    expect(await asked(pool('fd48::/64', { vxlan: 'Always' }), pool('10.48.0.0/16', { ipip: 'Always' }))).toEqual([
      ...['172.30.1.12 ipip 10.48.1.1', '172.30.2.11 ipip -', 'fd30:1::12 vxlan -', 'fd30:2::11 vxlan fd48::2'],
    ]);
  });

  test('an address without a mask has its interface’s', async () => {
    const pools = [pool('10.0.0.0/8', { ipip: 'CrossSubnet' })];
    const { calls } = await ask({ self: node('node-a', '172.30.1.11/32'), others: [near], pools });
    expect(calls.map(({ targets }) => targets.map(text))).toEqual([['172.30.1.12']]);
  });
});

test('VNI and port are those of our own device', async () => {
  const link = { index: 3, name: 'vxlan.calico', mtu: 1450, up: true, addresses: [], vxlan: { vni: 77, port: 8472 } };
  const { calls, findings } = await ask(
    { pools: [pool('10.48.0.0/16', { vxlan: 'Always' })] },
    { links: [eth0, link] },
  );
  expect(calls[0]!.source).toMatchObject({ mtu: 1500, address: self.address.address, vxlan: { vni: 77, port: 8472 } });
  expect(findings.map(({ what }) => what)).toContain(
    'VXLAN reaches 2 of 2 nodes, and their answers come back through it',
  );
});

test('a check that nobody needs is said to be none', async () => {
  const { findings } = await ask();
  expect(findings.filter(({ check }) => check === 'VXLAN' || check === 'protocol 4')).toMatchObject([
    { verdict: 'ok', what: 'no pool sends through tunl0 to any of them, so nobody needs it' },
    { verdict: 'ok', what: 'no pool sends through VXLAN to any of them, so nobody needs it' },
  ]);
});

test('only those that are named, and those that are not there are told', async () => {
  const { calls, findings } = await ask({}, { names: ['far', 'gone'] });
  expect(calls.map(({ targets }) => targets.map(text))).toEqual([['172.30.2.11'], ['fd30:2::11']]);
  expect(findings).toContainEqual(
    expect.objectContaining({ verdict: 'unknown', what: 'gone is no other node with an IPv4 address' }),
  );
});

test('at most a hundred', async () => {
  const others = Array.from({ length: 130 }, (_, i) => node(`n${i}`, `172.30.2.${i}/24`));
  const { calls, findings } = await ask({ others });
  expect(calls[0]!.targets).toHaveLength(100);
  expect(findings.filter(({ verdict }) => verdict === 'unknown').map(({ what }) => what)).toEqual([
    ...['30 more were not dialled', '30 of 130 were not asked'],
  ]);
});

test('a peer of the agent that is down is told where the datastore is not there, too', async () => {
  const dialled: DialTarget[] = [];
  const dial = (targets: readonly DialTarget[]) => {
    dialled.push(...targets);
    return Promise.resolve(targets.map(() => ({ kind: 'silent' }) as const));
  };
  const agent = speakerStatus(peerStatus('172.30.1.12', 'Active'));
  const known = hostFacts({ agent, cluster: clusterFacts({ self }) });
  await checkOtherNodes({ ...healthyHost(), dial }, known, undefined);
  const facts = hostFacts({ agent, cluster: { unknown: 'no datastore' } });
  const findings = await checkOtherNodes({ ...healthyHost(), dial }, facts, undefined);
  expect(findings[0]!.what).toMatch(/^no session with 172\.30\.1\.12: /);
  const target = { address: near.address.address, port: 179 };
  expect(dialled).toEqual([{ ...target, source: self.address.address }, target]);
});

test('no right to send is no verdict on anybody', async () => {
  const healthy = healthyHost({}, { probe: () => Promise.reject(new SystemError('socket', 1)) });
  const facts = hostFacts({ cluster: clusterFacts({ self, others: [near] }) });
  expect((await checkOtherNodes(healthy, facts, undefined)).map(({ what }) => what)).toEqual([
    expect.stringMatching(/^the BGP port of (\d) of \1 addresses/) as string,
    'asking them takes root or CAP_NET_RAW: socket: EPERM (operation not permitted)',
  ]);
});

test('the questions: one from the node’s address, one from tunnel to tunnel, and none of those that cannot be asked', () => {
  const source = {
    address: self.address.address,
    mtu: 1500,
    ipip: {},
    vxlan: { mac: '66:00:00:00:00:0a', vni: 1, port: 4789 },
  };
  const target = {
    address: near.address.address,
    ipip: {},
    vxlan: { mac: '66:00:00:00:00:0b', address: parseIpAddress('10.48.1.2') },
  };
  const names = (from: ProbeSource): readonly string[] => questionsFor([target], from).map(({ name }) => name);
  expect(names(source)).toEqual(['small', 'large', 'ipip', 'vxlan']);
  const own = { address: parseIpAddress('10.48.0.2') };
  expect(names({ ...source, vxlan: { ...source.vxlan, ...own } })).toEqual([
    'small',
    'large',
    'ipip',
    'vxlan',
    'vxlan and back',
  ]);
  const [, large] = questionsFor([target], source);
  expect(large!.packet({ identifier: 1, sequence: 2 })).toHaveLength(1500);
});
