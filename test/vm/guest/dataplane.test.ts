/** The dataplane over a real tunl0; what dataplane-lab.ts lays out. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { EncapMode } from '../../../felix/inputs.ts';
import { learned } from '../../support/dataplane-inputs.ts';
import type { LabHost } from '../../support/dataplane-lab.ts';
import { a, b, c, DataplaneLab, poolOf } from '../../support/dataplane-lab.ts';
import { eventually } from '../../support/eventually.ts';
import { recordPings, takeSources } from '../../support/ping-recorder.ts';

const lab = new DataplaneLab('ctg', { pools: [poolOf({ ipip: 'CrossSubnet' })] });

const ADDRESS = `${a.ipip}/32`;
const TO_B = `${b.block} via ${b.address} dev tunl0 proto 80 onlink`;

interface ShownLink {
  readonly mtu: number;
  readonly flags: readonly string[];
  readonly addr_info: readonly { readonly family: string; readonly local: string; readonly prefixlen: number }[];
}

/** tunl0 as iproute2 shows it: MTU, whether it is up, its IPv4 addresses. */
function tunl0({ name }: LabHost) {
  const [link] = JSON.parse(lab.ip(name, '-j', 'address', 'show', 'tunl0')) as [ShownLink];
  const own = link.addr_info.filter(({ family }) => family === 'inet');
  return {
    mtu: link.mtu,
    up: link.flags.includes('UP'),
    addresses: own.map(({ local, prefixlen }) => `${local}/${prefixlen}`),
  };
}

/** Everything back as the usual inputs want it on host a. */
const repaired = (): boolean => {
  const { mtu, up, addresses } = tunl0(a);
  return mtu === 1480 && up && addresses.join() === ADDRESS && lab.routesOf('a').includes(TO_B);
};

/** What tcpdump sees on b's cable while `work` runs: whole packets, outer header first. */
async function onTheWire(
  work: () => void,
  words = ['-nlqt', '--immediate-mode', '-i', 'to-b', 'icmp or proto 4'],
): Promise<readonly string[]> {
  const child = spawn('ip', ['netns', 'exec', 'ctg-r', 'tcpdump', ...words]);
  let printed = '';
  let said = '';
  child.stdout.on('data', (data: Buffer) => (printed += data.toString()));
  child.stderr.on('data', (data: Buffer) => (said += data.toString()));
  const ended = once(child, 'close');
  const isListening = async (): Promise<void> => {
    for (let i = 0; i < 500 && !said.includes('listening on'); i++) await sleep(20);
  };
  await isListening();
  expect(said).toContain('listening on');
  work();
  await sleep(200);
  child.kill('SIGINT');
  await ended;
  return printed.split('\n').filter((line) => line !== '');
}

beforeAll(() => lab.start());

afterAll(() => lab.close());

afterEach(async () => {
  await lab.updateAll();
  await eventually(repaired);
});

describe('IPIP CrossSubnet', () => {
  test('the kernel has the routes as Calico would have them', () => {
    expect(lab.routesOf('a')).toEqual([
      `blackhole ${a.block} proto 80`,
      `${a.pod} dev calia proto 80 scope link`,
      TO_B,
      `${c.block} via ${c.address} dev eth0 proto 80 onlink`,
    ]);
  });

  test('tunl0 is up, with the MTU that the outer header leaves, and exactly our /32; pods have that MTU too', () => {
    expect(tunl0(a)).toEqual({ mtu: 1480, up: true, addresses: [ADDRESS] });
    expect(lab.space('pod-a').run('ip', 'link', 'show', 'eth0')).toContain('mtu 1480');
  });

  test('tunl0 follows the MTU of eth0 down and up again, and pings go on', async () => {
    const { received, lost } = await lab.pingDuring({ from: a, to: b.pod }, async () => {
      for (const mtu of [9000, 1400, 9000, 1500]) {
        lab.ip('r', 'link', 'set', 'to-a', 'mtu', String(mtu));
        lab.ip('a', 'link', 'set', 'eth0', 'mtu', String(mtu));
        await eventually(() => tunl0(a).mtu === mtu - 20);
      }
    });
    expect(lost).toEqual([]);
    expect(received).toBeGreaterThan(10);
  });

  test('outer packets have Don’t Fragment, also around inner ones without it', async () => {
    const words = ['-nlqtv', '--immediate-mode', '-i', 'to-b', 'proto 4'];
    const seen = await onTheWire(() => lab.ping(a, b.pod, '-M', 'dont'), words);
    const outer = seen.filter((line) => line.includes('proto IPIP'));
    expect(outer.length).toBeGreaterThanOrEqual(6);
    expect(outer.filter((line) => !line.includes('flags [DF]'))).toEqual([]);
  });

  test('beyond the router every packet, the largest too, is inside protocol 4 between the two nodes', async () => {
    const before = lab.sentInto('tunl0', a);
    const seen = await onTheWire(() => lab.ping(a, b.pod, '-M', 'do', '-s', '1452'));
    const there = `IP ${a.address} > ${b.address}: IP ${a.pod} > ${b.pod}: ICMP echo request`;
    const back = `IP ${b.address} > ${a.address}: IP ${b.pod} > ${a.pod}: ICMP echo reply`;
    expect(seen.map((line) => line.replace(/(request|reply).*/, '$1'))).toEqual([
      there,
      back,
      there,
      back,
      there,
      back,
    ]);
    expect(lab.sentInto('tunl0', a)).toBe(before + 3);
  });

  test('within the subnet packets are plain', () => {
    const before = [lab.sentInto('tunl0', a), lab.sentInto('tunl0', c)];
    expect(lab.ping(a, c.pod)).toContain(' 0% packet loss');
    expect([lab.sentInto('tunl0', a), lab.sentInto('tunl0', c)]).toEqual(before);
  });

  test('a host itself reaches a pod beyond the router, from the address on tunl0', () => {
    const route = lab.ip('a', 'route', 'get', b.pod);
    expect(route).toContain(`dev tunl0 src ${a.ipip}`);
    expect(lab.space('a').run('ping', '-c', '1', '-W', '2', b.pod)).toContain(' 0% packet loss');
  });

  test('and also where its socket has another: NAT gives what enters tunl0 the address on it, to pods none', async () => {
    const { nat } = await lab.update(a);
    expect(nat.filter(({ subject }) => subject.kind === 'tunnel')).toMatchObject([{ state: 'in force' }]);
    const pod = lab.space('pod-b');
    recordPings(pod);
    lab.space('a').run('ping', '-c', '1', '-W', '2', '-I', a.address, b.pod);
    expect(takeSources(pod, b.pod)).toEqual([a.ipip]);
    lab.ping(a, b.pod);
    expect(takeSources(pod, b.pod)).toEqual([a.pod]);
  });

  test('two nodes that announce one prefix are two onlink next hops over tunl0', async () => {
    const both = [learned('192.168.9.0/26', b.address, c.address)];
    const pools = [poolOf({ ipip: 'Always' })];
    const { routes } = await lab.update(a, { pools, learned: both });
    expect(routes.find(({ route }) => route.class === 'ipip')).toMatchObject({ state: 'programmed' });
    const [route] = JSON.parse(lab.ip('a', '-j', 'route', 'show', '192.168.9.0/26')) as [{ nexthops: object[] }];
    expect(route.nexthops).toEqual([
      expect.objectContaining({ gateway: c.address, dev: 'tunl0', flags: ['onlink'] }),
      expect.objectContaining({ gateway: b.address, dev: 'tunl0', flags: ['onlink'] }),
    ]);
    const heard = await lab.monitored('a', async () => {
      await lab.update(a, { pools, learned: both });
    });
    expect(heard).toBe('');
  });

  test('a killed process and its successor over the same inputs touch nothing, and take over what is there', async () => {
    const heard = await lab.monitored('a', async () => {
      const { adopted, routes } = await lab.restart(a);
      expect(adopted).toBe(5);
      expect(routes.map(({ state }) => state)).toEqual(routes.map(() => 'programmed'));
    });
    expect(heard).toBe('');
  });

  test('a mode that changed while the process was dead is caught up with under traffic, and no packet is lost', async () => {
    const pools = [poolOf({ ipip: 'Always' })];
    const { received, lost } = await lab.pingDuring({ from: a, to: c.pod }, async () => {
      await lab.restart(a, { pools });
      await lab.updateAll({ pools });
    });
    expect(lab.routesOf('a')).toContain(`${c.block} via ${c.address} dev tunl0 proto 80 onlink`);
    expect(lost).toEqual([]);
    expect(received).toBeGreaterThan(50);
  });

  test('without encapsulation tunl0 carries no route, and after a while no address', async () => {
    await lab.update(a, { pools: [poolOf({})] });
    expect(lab.routesOf('a')).toContain(`${b.block} via 172.30.1.1 dev eth0 proto 80`);
    expect(lab.ip('a', 'route', 'show', 'dev', 'tunl0')).toBe('');
    expect(tunl0(a).addresses).toEqual([ADDRESS]);
    await eventually(() => tunl0(a).addresses.length === 0, 15_000);
  });
});

describe('what somebody else does to tunl0 is repaired', () => {
  const mischief: Readonly<Record<string, readonly string[]>> = {
    'set down': ['link', 'set', 'tunl0', 'down'],
    'another MTU': ['link', 'set', 'tunl0', 'mtu', '1300'],
    'its address removed': ['address', 'del', ADDRESS, 'dev', 'tunl0'],
    'a second address': ['address', 'add', '10.99.0.1/32', 'dev', 'tunl0'],
    'a route of ours removed': ['route', 'del', b.block],
  };

  test.each(Object.entries(mischief))('%s', async (_, words) => {
    // felix may be done before we could look, so the kernel's own words show that something happened.
    const heard = await lab.monitored('a', async () => {
      lab.ip('a', ...words);
      await eventually(repaired);
    });
    expect(heard).not.toBe('');
    expect(lab.ping(a, b.pod)).toContain(' 0% packet loss');
  });
});

/** Reverse path filters as the kernel has them, and loose, as systemd sets them. */
describe.each([0, 2])('with rp_filter %d', (filter) => {
  beforeAll(() => {
    for (const { name } of [a, b, c]) {
      // The larger of `all` and the interface's own counts.
      lab.space(name).run('sysctl', '-qw', `net.ipv4.conf.all.rp_filter=${filter}`);
    }
    // Without encapsulation the fabric must know the blocks, as a ToR would by BGP.
    for (const { block, address } of [a, b, c]) lab.ip('r', 'route', 'replace', block, 'via', address);
  });

  afterAll(() => {
    for (const { block } of [a, b, c]) lab.ip('r', 'route', 'del', block);
    for (const { name } of [a, b, c]) lab.space(name).run('sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=0');
  });

  test.each([b, c])('twenty changes of mode under traffic to $name lose no packet', async (to) => {
    const modes: readonly EncapMode[] = ['Always', 'CrossSubnet', 'Never', 'Always', 'Never', 'CrossSubnet'];
    const { received, lost } = await lab.pingDuring({ from: a, to: to.pod }, async () => {
      for (let i = 0; i < 20; i++) {
        await lab.updateAll({ pools: [poolOf({ ipip: modes[i % modes.length]! })] });
        await sleep(100);
      }
    });
    expect(lost).toEqual([]);
    expect(received).toBeGreaterThan(50);
  });
});
