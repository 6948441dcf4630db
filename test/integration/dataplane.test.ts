/**
 * Three hosts and a router on the real kernel: `a` and `c` share 172.30.1.0/24, `b` is alone in 172.30.2.0/24, the
 * router stands between. A dataplane in a process of its own runs on each host, one pod lives on each.
 */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { DataplaneInputs, EncapMode, Pool } from '../../felix/inputs.ts';
import { parseIpAddress, parsePrefix } from '../../src/model/ip.ts';
import { learned, node, pool } from '../support/dataplane-inputs.ts';
import type { DataplaneAnswer, DataplaneRequest } from '../support/dataplane-process.ts';
import type { TestNetns } from '../support/netns.ts';
import { isRoot, makeNetns } from '../support/netns.ts';

const SCRIPT = fileURLToPath(new URL('../support/dataplane-process.ts', import.meta.url));

interface HostWords {
  readonly name: string;
  readonly address: string;
  readonly gateway: string;
  readonly block: string;
  readonly pod: string;
  readonly vxlan: string;
  readonly ipip: string;
}

const HOSTS: readonly HostWords[] = [1, 2, 3].map((i) => ({
  name: ['a', 'b', 'c'][i - 1]!,
  address: ['172.30.1.11', '172.30.2.11', '172.30.1.13'][i - 1]!,
  gateway: ['172.30.1.1', '172.30.2.1', '172.30.1.1'][i - 1]!,
  block: `192.168.${i}.0/26`,
  pod: `192.168.${i}.5`,
  vxlan: `192.168.${i}.1`,
  ipip: `192.168.${i}.2`,
}));
const [a, b, c] = HOSTS as [HostWords, HostWords, HostWords];
const cluster = HOSTS.map(({ name, address, vxlan, ipip }) => node(name, `${address}/24`, { vxlan, ipip }));
const poolOf = (modes: { ipip?: EncapMode; vxlan?: EncapMode }): Pool => pool('192.168.0.0/16', modes);

const inputsOf = (host: HostWords, some: Partial<DataplaneInputs>): DataplaneInputs => ({
  local: cluster.find(({ name }) => name === host.name)!,
  nodes: cluster.filter(({ name }) => name !== host.name),
  pools: [poolOf({ vxlan: 'CrossSubnet' })],
  localBlocks: [parsePrefix(host.block), parsePrefix('fd10::40/122')],
  endpoints: [{ name: `test/${host.name}`, interfaceName: `cali${host.name}`, addresses: [parseIpAddress(host.pod)] }],
  learned: HOSTS.filter((other) => other !== host).map(({ block, address }) => learned(block, address)),
  learnedComplete: true,
  ...some,
});

/** The other end of dataplane-process.ts, inside one namespace. */
class DataplaneProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;

  constructor(netns: string) {
    this.#child = spawn('ip', ['netns', 'exec', netns, process.execPath, SCRIPT]);
    this.#child.stderr.pipe(process.stderr);
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async ask(request: DataplaneRequest): Promise<DataplaneAnswer> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error('the dataplane process ended');
    return JSON.parse(value) as DataplaneAnswer;
  }

  /** kill -9; `ip netns exec` becomes the program that it runs, so the pid is the dataplane's own. */
  async kill(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }
}

const spaces = new Map<string, TestNetns>();
const running = new Map<string, DataplaneProcess>();
const space = (name: string): TestNetns => spaces.get(name)!;
const ip = (name: string, ...args: readonly string[]): string => space(name).run('ip', ...args);
const routesOf = (name: string): readonly string[] =>
  ip(name, 'route')
    .split('\n')
    .map((line) => line.trim().replace(/\s+/g, ' '))
    .filter((line) => line.includes('proto 80'));

function layCables(): void {
  for (const name of ['r', ...HOSTS.flatMap((host) => [host.name, `pod-${host.name}`])]) {
    spaces.set(name, makeNetns(`ctf-${name}`));
  }
  ip('r', 'link', 'add', 'rack', 'type', 'bridge');
  for (const { name, address, gateway } of HOSTS) {
    ip('r', 'link', 'add', `to-${name}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', `ctf-${name}`);
    if (name !== 'b') ip('r', 'link', 'set', `to-${name}`, 'master', 'rack');
    ip('r', 'link', 'set', `to-${name}`, 'up');
    ip(name, 'link', 'set', 'lo', 'up');
    ip(name, 'link', 'set', 'eth0', 'up');
    ip(name, 'address', 'add', `${address}/24`, 'dev', 'eth0');
    ip(name, 'route', 'add', 'default', 'via', gateway);
  }
  ip('r', 'link', 'set', 'rack', 'up');
  ip('r', 'address', 'add', '172.30.1.1/24', 'dev', 'rack');
  ip('r', 'address', 'add', '172.30.2.1/24', 'dev', 'to-b');
  space('r').run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
}

async function startAll(some: Partial<DataplaneInputs>): Promise<void> {
  for (const host of HOSTS) {
    const dataplane = new DataplaneProcess(`ctf-${host.name}`);
    running.set(host.name, dataplane);
    await dataplane.ask({ update: inputsOf(host, some) });
    const netns = space(`pod-${host.name}`).path;
    await dataplane.ask({ pod: { netns, hostInterface: `cali${host.name}`, address: host.pod } });
  }
  for (const host of HOSTS) await eventually(() => routesOf(host.name).length >= 4);
}

async function updateAll(some: Partial<DataplaneInputs>): Promise<void> {
  for (const host of HOSTS) await running.get(host.name)!.ask({ update: inputsOf(host, some) });
}

async function eventually(condition: () => boolean, withinMs = 2000): Promise<void> {
  const end = performance.now() + withinMs;
  while (performance.now() < end) {
    if (condition()) return;
    await sleep(20);
  }
  expect.fail(`it did not come true within ${withinMs} ms`);
}

const ping = (from: string, to: string): string =>
  space(`pod-${from}`).run('ping', '-c', '3', '-i', '0.05', '-W', '1', to);

/** Packets that the host has sent into vxlan.calico. */
function throughTunnel(name: string): number {
  const [link] = JSON.parse(ip(name, '-j', '-s', 'link', 'show', 'vxlan.calico')) as [
    { stats64: { tx: { packets: number } } },
  ];
  return link.stats64.tx.packets;
}

/** What `ip monitor` prints in a namespace while `work` runs; link-local addresses of new links come when they like. */
async function monitored(name: string, work: () => Promise<void>): Promise<string> {
  const child = spawn('ip', ['netns', 'exec', `ctf-${name}`, 'ip', '-o', 'monitor', 'route', 'link', 'address']);
  let heard = '';
  child.stdout.on('data', (data: Buffer) => (heard += data.toString()));
  // A route that is not ours, so that we know that the monitor listens.
  await eventually(() => {
    ip(name, 'route', 'replace', 'blackhole', '198.51.100.1');
    return heard !== '';
  });
  await sleep(100);
  heard = '';
  await work();
  await sleep(200);
  child.kill();
  const lines = heard.split('\n').filter((line) => line !== '' && !/fe80:|ff00::|multicast/.test(line));
  return lines.join('\n');
}

describe.runIf(isRoot || process.env['CI'] !== undefined)('three hosts with VXLAN', () => {
  beforeAll(async () => {
    layCables();
    await startAll({});
  });

  afterAll(async () => {
    for (const dataplane of running.values()) if (dataplane.isRunning) await dataplane.kill();
    for (const each of spaces.values()) each.remove();
  });

  afterEach(async () => {
    await updateAll({});
  });

  test('the kernel has the routes as Calico would have them', () => {
    expect(routesOf('a')).toEqual([
      'blackhole 192.168.1.0/26 proto 80',
      '192.168.1.5 dev calia proto 80 scope link',
      '192.168.2.0/26 via 192.168.2.1 dev vxlan.calico proto 80 onlink',
      '192.168.3.0/26 via 172.30.1.13 dev eth0 proto 80 onlink',
    ]);
  });

  test('an IPv6 block of ours is a blackhole too', () => {
    expect(ip('a', '-6', 'route')).toMatch(/^blackhole fd10::40\/122 dev lo proto 80 metric 1024/m);
  });

  test('vxlan.calico has VNI 4096, port 4789, no learning, MTU 1450 and its one address', () => {
    const [link] = JSON.parse(ip('a', '-j', '-d', 'link', 'show', 'vxlan.calico')) as [Record<string, never>];
    expect(link).toMatchObject({
      mtu: 1450,
      linkinfo: { info_data: { id: 4096, port: 4789, learning: false, local: a.address, link: 'eth0' } },
    });
    expect(ip('a', '-4', '-br', 'address', 'show', 'vxlan.calico')).toContain(`${a.vxlan}/32`);
    expect(ip('a', 'neigh', 'show', 'dev', 'vxlan.calico')).toContain(`${b.vxlan} lladdr 66:`);
  });

  test('a pod reaches a pod beyond the router through VXLAN, and one in its own subnet directly', () => {
    const before = throughTunnel('a');
    expect(ping('a', c.pod)).toContain(' 0% packet loss');
    expect(throughTunnel('a')).toBe(before);
    expect(ping('a', b.pod)).toContain(' 0% packet loss');
    expect(throughTunnel('a')).toBe(before + 3);
    expect(ping('b', c.pod)).toContain(' 0% packet loss');
  });

  test('pods have the MTU that VXLAN leaves', () => {
    expect(space('pod-a').run('ip', 'link', 'show', 'eth0')).toContain('mtu 1450');
  });

  test('a killed process and its successor over the same inputs touch nothing, and take over what is there', async () => {
    const heard = await monitored('a', async () => {
      await running.get('a')!.kill();
      const successor = new DataplaneProcess('ctf-a');
      running.set('a', successor);
      const { adopted, routes } = await successor.ask({ update: inputsOf(a, {}) });
      expect(adopted).toBe(5);
      expect(routes.map(({ state }) => state)).toEqual(routes.map(() => 'programmed'));
    });
    expect(heard).toBe('');
  });

  test('while bird is not in sync, a route that nobody wants yet is kept', async () => {
    await running.get('a')!.ask({ update: inputsOf(a, { learned: [], learnedComplete: false }) });
    expect(routesOf('a').length).toBe(4);
    await running.get('a')!.ask({ update: inputsOf(a, { learned: [] }) });
    expect(routesOf('a').length).toBe(2);
  });

  test('a route that somebody deletes is back within a second', async () => {
    ip('a', 'route', 'del', b.block);
    await eventually(() => routesOf('a').some((route) => route.startsWith(b.block)), 1000);
  });

  test('a tunnel that somebody deletes is back with its routes, neighbours and pings', async () => {
    ip('a', 'link', 'del', 'vxlan.calico');
    await eventually(() => routesOf('a').some((route) => route.includes('dev vxlan.calico')), 1000);
    await eventually(() => ip('a', 'neigh', 'show', 'dev', 'vxlan.calico').includes(b.vxlan), 1000);
    expect(ping('a', b.pod)).toContain(' 0% packet loss');
  });

  test('a change of mode under traffic loses no packet', async () => {
    const args = ['netns', 'exec', 'ctf-pod-a', 'ping', '-i', '0.01', '-c', '150', '-W', '1', c.pod];
    const child = spawn('ip', args);
    let printed = '';
    child.stdout.on('data', (data: Buffer) => (printed += data.toString()));
    const ended = once(child, 'exit');
    for (const vxlan of ['Always', 'CrossSubnet', 'Always', 'CrossSubnet'] as const) {
      await updateAll({ pools: [poolOf({ vxlan })] });
      await sleep(200);
    }
    await ended;
    expect(printed).toContain('150 packets transmitted, 150 received');
  });

  test('without encapsulation a block beyond the router goes through the gateway, and vxlan.calico goes', async () => {
    await running.get('a')!.ask({ update: inputsOf(a, { pools: [poolOf({})] }) });
    expect(routesOf('a')).toContain('192.168.2.0/26 via 172.30.1.1 dev eth0 proto 80');
    expect(ip('a', '-br', 'link')).not.toContain('vxlan.calico');
  });

  test('several next hops are one multipath route', async () => {
    const both = [learned('10.9.0.0/16', '172.30.1.1', '172.30.1.13')];
    await running.get('a')!.ask({ update: inputsOf(a, { learned: both }) });
    const [route] = JSON.parse(ip('a', '-j', 'route', 'show', '10.9.0.0/16')) as [{ nexthops: { gateway: string }[] }];
    expect(route.nexthops.map(({ gateway }) => gateway).sort()).toEqual(['172.30.1.1', '172.30.1.13']);
  });

  test('IPIP: routes through tunl0 where the kernel has it, else the reason, and all other routes', async () => {
    const pools = [poolOf({ ipip: 'CrossSubnet' })];
    const { routes } = await running.get('a')!.ask({ update: inputsOf(a, { pools }) });
    const far = routes.find(({ route }) => route.class === 'ipip');
    if (ip('a', '-br', 'link').includes('tunl0')) {
      expect(far?.state).toBe('programmed');
    } else {
      expect(far).toMatchObject({ state: 'unresolved', error: 'the kernel has no ipip module: modprobe ipip' });
    }
    expect(routesOf('a')).toContain('192.168.3.0/26 via 172.30.1.13 dev eth0 proto 80 onlink');
  });
});
