import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { detectAddress } from '../../src/agent/autodetect.ts';
import type { NodeStatus } from '../../src/api/contract.ts';
import { parseDetectionMethod } from '../../src/config/detection-method.ts';
import { createDataplane, createLinuxKernel } from '../../felix/index.ts';
import type { HostInterface } from '../../felix/index.ts';
import { formatPrefix, parseIpAddress } from '../../src/model/ip.ts';
import type { IpFamily } from '../../src/model/ip.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { makeAgentLab, until } from '../support/agent-lab.ts';
import type { AgentLab, LabNode } from '../support/agent-lab.ts';
import { isRoot, makeNetns } from '../support/netns.ts';
import type { TestNetns } from '../support/netns.ts';

const isWanted = isRoot || process.env['CI'] !== undefined;

/** `ip` of one namespace; false where the kernel knows no such link. */
const tryIp = (netns: TestNetns, words: string): boolean => {
  try {
    netns.run('ip', ...words.split(' '));
    return true;
  } catch {
    return false;
  }
};
const ip = (netns: TestNetns, ...lines: readonly string[]): void => {
  for (const words of lines) netns.run('ip', ...words.split(' '));
};

/** Real links under names that tell nothing: the kernel says what they are. */
describe.skipIf(!isWanted)("a host's real links", () => {
  let netns: TestNetns;
  let links: readonly HostInterface[];
  const special: string[] = [];

  beforeAll(async () => {
    netns = makeNetns('ctad-links');
    ip(
      netns,
      'link set lo up',
      'addr add 10.255.0.1/32 dev lo',
      // The lowest indexes, so that each of the others would come first by its index.
      'link add under type veth peer name far',
      'link add way-out link under type macvlan mode bridge',
      'addr add 10.0.0.5/24 dev way-out',
      'addr add 10.0.0.6/24 dev way-out',
      'addr add 10.0.0.100/32 dev way-out',
      'addr add 2001:db8::9/64 dev way-out nodad preferred_lft 0',
      'addr add 2001:db8::5/64 dev way-out nodad',
      'addr add 2001:db8::100/128 dev way-out nodad',
    );
    const kinds = [
      'bridge',
      'dummy',
      'vxlan id 7 dstport 4790',
      'ipip local 10.0.0.5',
      'gretap local 10.0.0.5',
      'wireguard',
    ];
    for (const [i, kind] of [...kinds, 'sit local 10.0.0.5', 'vrf table 7'].entries()) {
      if (!tryIp(netns, `link add net${i} type ${kind}`)) continue;
      ip(netns, `addr add 10.1.${i}.1/24 dev net${i}`, `addr add fd00:${i}::1/64 dev net${i} nodad`);
      special.push(`net${i}`);
    }
    if (tryIp(netns, 'tuntap add net8 mode tun')) {
      ip(netns, 'addr add 10.1.8.1/24 dev net8');
      special.push('net8');
    }
    ip(netns, 'link add net9 type veth peer name net9-far', 'addr add 10.1.9.1/24 dev net9');
    for (const name of ['under', 'far', 'way-out', 'net9', 'net9-far', ...special]) ip(netns, `link set ${name} up`);
    const dataplane = createDataplane(
      { resyncSeconds: 90, ipipMtu: 0, vxlanMtu: 0, vxlanVni: 4096, vxlanPort: 4789 },
      { kernel: createLinuxKernel({ netns: netns.path }), clock: systemClock, random: () => 0, log: silentLogger },
    );
    try {
      links = await dataplane.interfaces();
    } finally {
      await dataplane.close();
    }
  });
  afterAll(() => netns.remove());

  const detect = (method: string, family: IpFamily = 4, stored?: string) =>
    detectAddress(parseDetectionMethod(method, 'METHOD', family), {
      ...{ family, interfaces: links },
      ...(stored !== undefined && { stored: parseIpAddress(stored) }),
    });
  const verdict = (...asked: Parameters<typeof detect>): string => {
    const found = detect(...asked);
    return found.kind === 'found' ? `${formatPrefix(found.address)} ${found.interfaceName}` : found.reason;
  };

  test('are told apart by what the kernel says, not by their names', () => {
    expect(special).toContain('net0');
    expect(special.length).toBeGreaterThanOrEqual(2);
    expect(verdict('first-found')).toBe('10.0.0.5/24 way-out');
    const { candidates } = detect('first-found');
    for (const name of special) {
      expect(candidates).toContainEqual(expect.objectContaining({ interfaceName: name, standing: 'left out' }));
    }
    expect(candidates.find(({ interfaceName }) => interfaceName === 'net0')?.reason).toBe('is a bridge');
  });

  test('in a namespace without hardware an end of a pair may be taken, after the others', () => {
    const { candidates } = detect('first-found');
    expect(candidates.filter(({ standing }) => standing === 'lower')).toMatchObject([
      { interfaceName: 'way-out', reason: 'is a secondary address' },
      { interfaceName: 'net9', reason: 'is one end of a veth pair' },
    ]);
  });

  test('a secondary, a deprecated and a virtual address come after the one of the interface itself', () => {
    expect(verdict('interface=way-out')).toBe('10.0.0.5/24 way-out');
    expect(verdict('interface=way-out', 6)).toBe('2001:db8::5/64 way-out');
    const reasons = detect('interface=way-out', 6).candidates.map(({ address, reason }) =>
      address === undefined ? reason : `${formatPrefix(address)} ${reason}`,
    );
    expect(reasons).toContain('2001:db8::9/64 is deprecated');
    expect(reasons).toContain('2001:db8::100/128 is a single address beside 2001:db8::5/64: a virtual one');
  });

  test('what is named is taken, with the mask of its interface', () => {
    expect(verdict('interface=net0')).toBe('10.1.0.1/24 net0');
    expect(verdict('interface=lo')).toBe('10.255.0.1/32 lo');
    expect(verdict('cidr=10.0.0.100/32')).toBe('10.0.0.100/24 way-out');
    expect(verdict('cidr=10.1.9.0/24')).toBe('10.1.9.1/24 net9');
    expect(verdict('skip-interface=way-out')).toBe('10.1.9.1/24 net9');
  });

  test('what the node has stays, be it a bridge', () => {
    expect(verdict('first-found', 4, '10.1.0.1')).toBe('10.1.0.1/24 net0');
    expect(verdict('first-found', 4, '10.0.0.6')).toBe('10.0.0.6/24 way-out');
  });
});

/** An agent on a host with two uplinks, a bridge and a virtual address, told one thing after the other. */
describe.skipIf(!isWanted)('a node that finds its address', () => {
  let lab: AgentLab;
  let a: LabNode;

  beforeAll(() => {
    lab = makeAgentLab('ctad');
    [a] = lab.nodes as [LabNode];
    ip(
      a.netns,
      'addr add 172.30.7.100/32 dev eth0',
      'addr add fd00:7::11/64 dev eth0 nodad',
      'link add cni0 type bridge',
      'addr add 10.244.1.1/24 dev cni0',
      'link set cni0 up',
      'link add eth1 type veth peer name wire',
      'addr add 172.31.7.11/24 dev eth1',
      'route add 198.51.100.0/24 dev cni0',
    );
  });
  afterEach(() => a.kill('SIGKILL'));
  afterAll(() => lab.remove());

  const stored = async (): Promise<string> =>
    lab.text(['get', 'node', 'node-a', '-o', 'yaml']).then((text) => /ipv4Address: (.*)/.exec(text)?.[1] ?? '');

  /** Starts the agent, and gives what it says of its addresses once it has registered. */
  async function started(environment: Readonly<Record<string, string>>): Promise<NodeStatus['addresses']> {
    a.start(environment);
    let addresses: NodeStatus['addresses'];
    await until(async () => {
      ({ addresses } = await a.client.get<NodeStatus>('/v1/status'));
      return addresses !== undefined;
    }, a.log);
    return addresses;
  }

  test('takes the one way out; then a second one comes up, and it stays; then it is told the other', async () => {
    expect(await started({ IP6: 'autodetect' })).toMatchObject([
      { reason: '172.30.7.11/24 of eth0, by first-found', warnings: [], ambiguous: false },
      { reason: 'fd00:7::11/64 of eth0, by first-found' },
    ]);
    expect(await stored()).toBe('172.30.7.11/24');
    await a.kill('SIGTERM');

    ip(a.netns, 'link set eth1 up', 'link set wire up');
    expect(await started({})).toMatchObject([{ reason: '172.30.7.11/24 of eth0, which the node has already' }, {}]);
    await a.kill('SIGTERM');

    expect(await started({ IP_AUTODETECTION_METHOD: 'can-reach=198.51.100.9' })).toMatchObject([
      {
        reason: '10.244.1.1/24 of cni0, by can-reach=198.51.100.9',
        warnings: ['this node moves from 172.30.7.11/24 to 10.244.1.1/24'],
      },
      {},
    ]);
    await a.kill('SIGTERM');

    await started({ IP_AUTODETECTION_METHOD: 'interface=eth.*' });
    expect(await stored()).toBe('172.31.7.11/24');
    const { said } = a.ctl('node', 'status');
    expect(said).toContain('Address of this node: 172.31.7.11/24 of eth1, by interface=eth.*\n');
    expect(said).toContain(
      'Warning: several IPv4 addresses of this host would do as well as 172.31.7.11/24 of eth1: choose one with IP_AUTODETECTION_METHOD or IP\n',
    );
    expect(said).toMatch(
      /^\| eth0 +\| 172\.30\.7\.11\/24 +\| lower +\| would do as well, but its interface has a lower index +\|$/m,
    );
    expect(said).toMatch(
      /^\| eth0 +\| 172\.30\.7\.100\/32 +\| left out +\| is a single address beside 172\.30\.7\.11\/24/m,
    );
  });

  test('and where nothing fits it ends in one sentence, and the Node resource is as it was', async () => {
    await lab.cli(['delete', 'node', 'node-a']);
    a.start({ IP_AUTODETECTION_METHOD: 'interface=bond.*' });
    await until(() => Promise.resolve(a.log().includes("IP_AUTODETECTION_METHOD = 'interface=bond.*'")), a.log);
    expect(a.log()).toContain('eth0 172.30.7.11/24 is not asked for');
    await expect(stored()).rejects.toThrow('node-a');
  });
});
