/** What happens to a host's links, routes and addresses under traffic, and how long pods notice. */
import { afterEach, expect, test } from 'vitest';
import type { DataplaneInputs } from '../../felix/inputs.ts';
import { parseIpAddress, parsePrefix } from '../../src/model/ip.ts';
import type { Encapsulation } from './chaos-lab.ts';
import { PAIRS, tell } from './chaos-lab.ts';
import { learned, node } from './dataplane-inputs.ts';
import type { DataplaneLab, LabHost } from './dataplane-lab.ts';
import { a, b, c, HOSTS } from './dataplane-lab.ts';
import { eventually } from './eventually.ts';
import { inWords, longestOutage, pingWhile, unexplainedLossOf } from './pinger.ts';
import type { PingReports, Traffic } from './pinger.ts';
import { expectedRoutes, kernelRoutes } from './route-oracle.ts';

/** Far more than any of them takes on an idle machine, emulated or not; what they take is told. */
const PATIENCE_MS = process.env['CALICO_TS_VM'] === undefined ? 5000 : 30_000;

/** One lab and its encapsulation, whose usual mode is CrossSubnet. */
export class Mischief {
  readonly lab: DataplaneLab;
  readonly encapsulation: Encapsulation;

  constructor(lab: DataplaneLab, encapsulation: Encapsulation) {
    this.lab = lab;
    this.encapsulation = encapsulation;
  }

  async under(name: string, work: (traffic: Traffic) => Promise<void>): Promise<PingReports> {
    const reports = await pingWhile(this.lab.flows(...PAIRS), work);
    tell(`${name}: ${inWords(reports)}`);
    return reports;
  }

  isRight(): boolean {
    return this.#wrong().length === 0;
  }

  async becomesRight(): Promise<void> {
    await eventually(() => this.isRight(), PATIENCE_MS).catch((error: unknown) => {
      throw new Error(this.#wrong().join('\n'), { cause: error });
    });
  }

  /** Per host whose routes are others than they should be, what it has and what it should have. */
  #wrong(): readonly string[] {
    return HOSTS.flatMap((host) => {
      const [have, want] = [kernelRoutes(this.lab, host), expectedRoutes(host, this.encapsulation.modes[1]!)];
      const text = (routes: readonly string[]): string => routes.join('; ');
      return text(have) === text(want) ? [] : [`${host.name} has ${text(have)}, and should have ${text(want)}`];
    });
  }
}

/** Whatever may happen to a host on any kernel that we know; see testRenamedPod for the rest. */
export function testMischief(mischief: Mischief): void {
  testFlush(mischief);
  testUplink(mischief);
  testRelease(mischief);
  testTwins(mischief);
  testMove(mischief);
}

/** Also after a test that failed, so that it is the only one. */
export function restoreAfterEach(mischief: Mischief): void {
  afterEach(async () => {
    await mischief.lab.updateAll();
    await mischief.becomesRight();
  });
}

export function testFlush(mischief: Mischief): void {
  const { lab } = mischief;

  test('all our routes flushed by hand are back, and counted', async () => {
    const repaired = async (): Promise<number> => (await lab.ask(a)).repairs.counts.route;
    const before = await repaired();
    const reports = await mischief.under('routes flushed', async () => {
      lab.ip('a', 'route', 'flush', 'proto', '80');
      await mischief.becomesRight();
    });
    expect(await repaired()).toBe(before + 4);
    expect(longestOutage(reports)).toBeLessThan(2 * PATIENCE_MS);
  });
}

export function testUplink(mischief: Mischief): void {
  const { lab } = mischief;

  test('the uplink set down and up: its routes are back when the host’s own way is', async () => {
    const reports = await mischief.under('uplink down and up', async ({ answers }) => {
      lab.ip('a', 'link', 'set', 'eth0', 'down');
      await eventually(() => !kernelRoutes(lab, a).join('\n').includes('dev eth0'), PATIENCE_MS);
      const began = performance.now();
      lab.ip('a', 'link', 'set', 'eth0', 'up');
      // The kernel took the host's default route too; whoever configures the host brings it back.
      lab.ip('a', 'route', 'add', 'default', 'via', a.gateway);
      await answers(1);
      tell(`uplink up: answers on all flows after ${(performance.now() - began).toFixed(0)} ms`);
      await mischief.becomesRight();
    });
    expect(longestOutage(reports)).toBeLessThan(2 * PATIENCE_MS);
  });

  test('the uplink without a carrier for a while: no route of ours is touched', async () => {
    const before = kernelRoutes(lab, a);
    await mischief.under('carrier lost and back', async ({ answers }) => {
      lab.ip('r', 'link', 'set', 'to-a', 'down');
      await eventually(() => lab.ip('a', 'link', 'show', 'eth0').includes('NO-CARRIER'), PATIENCE_MS);
      await lab.update(a);
      expect(kernelRoutes(lab, a).map((route) => route.replace(' linkdown', ''))).toEqual(before);
      lab.ip('r', 'link', 'set', 'to-a', 'up');
      await answers(1);
      await mischief.becomesRight();
    });
  });
}

/** Kernels before 6.2 rename no link that is up. */
export function testRenamedPod(mischief: Mischief): void {
  const { lab } = mischief;
  const route = async (): Promise<unknown> => {
    const { routes } = await lab.ask(a);
    return routes.find(({ route: { class: one } }) => one === 'local-workload');
  };

  /** The kernel's word of the new name and our update come by different ways. */
  const told = (status: object): Promise<void> =>
    eventually(async () => {
      await lab.update(a);
      expect(await route()).toMatchObject(status);
    }, PATIENCE_MS);

  test('a pod’s interface renamed: its route stays, is told, and no packet is lost', async () => {
    const before = kernelRoutes(lab, a);
    const reports = await mischief.under('veth renamed', async ({ answers }) => {
      lab.ip('a', 'link', 'set', 'calia', 'name', 'other');
      await told({ state: 'unresolved', error: 'interface calia does not exist' });
      expect(kernelRoutes(lab, a)).toEqual(before.map((line) => line.replace('calia', 'other')));
      await lab.restart(a);
      expect(kernelRoutes(lab, a)).toEqual(before.map((line) => line.replace('calia', 'other')));
      await answers(20);
      lab.ip('a', 'link', 'set', 'other', 'name', 'calia');
      await told({ state: 'programmed' });
      await mischief.becomesRight();
    });
    expect(unexplainedLossOf(reports)).toEqual({});
  });
}

function testRelease(mischief: Mischief): void {
  const { lab } = mischief;
  const podOfA = learned(`${a.pod}/32`, a.address);
  const blocks = (...owners: readonly (readonly [block: string, owner: LabHost])[]): DataplaneInputs['learned'] =>
    owners.map(([block, { address }]) => learned(block, address));

  test('a block released, and claimed by another node, while a pod of ours lives in it: no packet is lost', async () => {
    const reports = await mischief.under('block released', async ({ answers }) => {
      await lab.update(a, { localBlocks: [] });
      expect(kernelRoutes(lab, a)).toContain(`${a.pod} dev calia`);
      expect(kernelRoutes(lab, a)).not.toContain(`blackhole ${a.block}`);
      await answers(20);
      // A pod outside its node's blocks is announced by itself.
      await lab.update(b, { learned: [...blocks([a.block, a], [c.block, c]), podOfA] });
      await lab.update(c, { learned: [...blocks([a.block, a], [b.block, b]), podOfA] });
      await lab.update(b, {
        learned: [...blocks([c.block, c]), podOfA],
        localBlocks: [b.block, a.block].map((text) => parsePrefix(text)),
      });
      await lab.update(c, { learned: [...blocks([a.block, b], [b.block, b]), podOfA] });
      await lab.update(a, { localBlocks: [], learned: blocks([a.block, b], [b.block, b], [c.block, c]) });
      expect(kernelRoutes(lab, b)).toContain(`blackhole ${a.block}`);
      await answers(40);
    });
    expect(unexplainedLossOf(reports)).toEqual({});
  });
}

function testTwins(mischief: Mischief): void {
  const { lab } = mischief;

  test('two pods with one address: the younger interface has it, the other is told why not, in whatever order', async () => {
    const address = '192.168.1.20';
    for (const name of ['older', 'younger']) await lab.addPod(a, name, address);
    const endpoints = ['a', 'older', 'younger'].map((name) => ({
      name: `test/${name}`,
      interfaceName: `cali${name}`,
      addresses: [parseIpAddress(name === 'a' ? a.pod : address)],
    }));
    const shown = async (list: typeof endpoints, act = lab.update.bind(lab)): Promise<readonly unknown[]> => {
      const { routes } = await act(a, { endpoints: list });
      const own = routes.filter(({ route: { target } }) => target.kind === 'link' && target.interfaceName !== 'calia');
      return own.map(({ state, error }) => [state, error]).sort();
    };
    const verdict = [
      ['programmed', undefined],
      ['unresolved', 'loses to local-workload: pod test/younger is on this node, behind caliyounger'],
    ];
    expect(await shown(endpoints)).toEqual(verdict);
    expect(kernelRoutes(lab, a)).toContain(`${address} dev caliyounger`);
    const heard = await lab.monitored('a', async () => {
      expect(await shown(endpoints.toReversed())).toEqual(verdict);
      expect(await shown(endpoints, lab.restart.bind(lab))).toEqual(verdict);
    });
    expect(heard).toBe('');
    const sent = lab.sentInto('caliyounger', a);
    expect(lab.ping(b, address)).toContain(' 0% packet loss');
    expect(lab.sentInto('caliyounger', a)).toBeGreaterThanOrEqual(sent + 3);
    expect(await shown(endpoints.slice(0, 2))).toEqual([['programmed', undefined]]);
    expect(kernelRoutes(lab, a)).toContain(`${address} dev caliolder`);
    expect(lab.ping(b, address)).toContain(' 0% packet loss');
  });
}

function testMove(mischief: Mischief): void {
  const { lab } = mischief;
  const moved: LabHost = { ...a, address: '172.30.1.21' };

  /** Everybody's inputs where host a has another address. */
  const inputsAt = (host: LabHost, cluster: readonly LabHost[]): Partial<DataplaneInputs> => {
    const nodes = cluster.map(({ name, address, vxlan, ipip }) => node(name, `${address}/24`, { vxlan, ipip }));
    return {
      local: nodes.find(({ name }) => name === host.name)!,
      nodes: nodes.filter(({ name }) => name !== host.name),
      learned: cluster.filter(({ name }) => name !== host.name).map(({ block, address }) => learned(block, address)),
    };
  };

  test('the node’s address changed: tunnel and routes follow on all hosts', async () => {
    // Else the kernel takes the second address of a subnet along with the first.
    lab.space('a').run('sysctl', '-qw', 'net.ipv4.conf.all.promote_secondaries=1');
    const move = async (from: LabHost, to: LabHost): Promise<void> => {
      lab.ip('a', 'address', 'add', `${to.address}/24`, 'dev', 'eth0');
      for (const host of HOSTS) await lab.update(host, inputsAt(host, [to, b, c]));
      lab.ip('a', 'address', 'del', `${from.address}/24`, 'dev', 'eth0');
      await lab.update(a, inputsAt(a, [to, b, c]));
    };
    const reports = await mischief.under('address changed', async ({ answers }) => {
      await move(a, moved);
      await answers(20);
      expect(kernelRoutes(lab, c)).toContain(`${a.block} via ${moved.address} dev eth0 onlink`);
    });
    expect(longestOutage(reports)).toBeLessThan(2 * PATIENCE_MS);
    await mischief.under('address changed back', async ({ answers }) => {
      await move(moved, a);
      await answers(20);
    });
  });
}

const SMALL = '192.168.3.40';

/** What a pod's packet of so many octets, not to be fragmented, comes to. */
function bigPing(lab: DataplaneLab, pod: string, [to, octets]: readonly [string, number]): string {
  const command = `ip route flush cache; ping -c 2 -i 0.2 -W 1 -M do -s ${octets - 28} ${to} 2>&1 || true`;
  return lab.space(pod).run('sh', '-c', command);
}

export function testMtu(mischief: Mischief): void {
  const { lab } = mischief;
  const { device, overhead } = mischief.encapsulation;
  const mtuOf = (space: string, link: string): number =>
    Number(/ mtu (\d+) /.exec(lab.ip(space, 'link', 'show', link))?.[1]);
  const setAll = async (mtu: number): Promise<void> => {
    for (const { name } of HOSTS) {
      lab.ip('r', 'link', 'set', `to-${name}`, 'mtu', String(mtu));
      lab.ip(name, 'link', 'set', 'eth0', 'mtu', String(mtu));
    }
    await eventually(() => HOSTS.every(({ name }) => mtuOf(name, device) === mtu - overhead), PATIENCE_MS);
  };
  const endpointOf = (name: string, address: string) => ({
    name: `test/${name}`,
    interfaceName: `cali${name}`,
    addresses: [parseIpAddress(address)],
  });
  const podsOf = (names: readonly string[]) => (host: LabHost, i: number) => ({
    endpoints: [endpointOf(host.name, host.pod), endpointOf(names[i]!, bigOf(host))],
  });
  const bigOf = ({ pod }: LabHost): string => pod.replace(/\d+$/, '30');

  test('MTU 9000, 1400, 9000: the tunnel and new pods follow, what is too big is told, and no small packet is lost', async () => {
    const big = 9000 - overhead;
    const small = 1400 - overhead;
    const names = HOSTS.map(({ name }) => `big${name}`);
    const reports = await mischief.under('MTU 9000, 1400, 9000', async ({ answers }) => {
      await setAll(9000);
      for (const [i, host] of HOSTS.entries()) {
        await lab.addPod(host, names[i]!, bigOf(host));
        await lab.update(host, podsOf(names)(host, i));
      }
      expect(names.map((name) => mtuOf(name, 'eth0'))).toEqual([big, big, big]);
      for (const to of [b, c]) {
        expect(bigPing(lab, 'biga', [bigOf(to), big])).toContain(' 0% packet loss');
        expect(bigPing(lab, 'biga', [bigOf(to), big + 1])).toContain('message too long');
      }
      await answers(20);
      await setAll(1400);
      await lab.addPod(c, 'small', SMALL);
      await lab.update(c, { endpoints: [...podsOf(names)(c, HOSTS.indexOf(c)).endpoints, endpointOf('small', SMALL)] });
      expect(mtuOf('small', 'eth0')).toBe(small);
      expect(bigPing(lab, 'biga', [bigOf(b), big])).toContain(`mtu = ${small}`);
      expect(bigPing(lab, 'biga', [bigOf(b), small])).toContain(' 0% packet loss');
      // Towards the near host there is no tunnel in the way.
      expect(bigPing(lab, 'biga', [bigOf(c), big])).toContain('mtu = 1400');
      expect(bigPing(lab, 'biga', [bigOf(c), 1400])).toContain(' 0% packet loss');
      await answers(20);
      await setAll(9000);
      for (const to of [b, c]) expect(bigPing(lab, 'biga', [bigOf(to), big])).toContain(' 0% packet loss');
    });
    expect(unexplainedLossOf(reports)).toEqual({});
    await setAll(1500);
  });
}
