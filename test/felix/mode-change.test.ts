/** A change of mode: replacements in place, in an order in which at no moment a packet has no way. */
import { expect, test } from 'vitest';
import type { ClusterNode, DataplaneInputs, EncapMode, Pool } from '../../felix/inputs.ts';
import { createDataplane } from '../../felix/index.ts';
import type { Dataplane } from '../../felix/index.ts';
import { SCOPE } from '../../felix/routes/kernel-route.ts';
import { formatPrefix, parseInterfaceAddress, parseIpAddress, parsePrefix } from '../../src/model/ip.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { dualA1, dualA2, dualB1, inputs, learned, node, pool } from '../support/dataplane-inputs.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeKernel } from '../support/fake-kernel.ts';

const settings = { resyncSeconds: 90, ipipMtu: 0, vxlanMtu: 0, vxlanVni: 4096, vxlanPort: 4789 };
const ETH0 = 2;

interface Rig {
  readonly kernel: FakeKernel;
  readonly clock: FakeClock;
  readonly dataplane: Dataplane;
}

async function start(mtu = 1500): Promise<Rig> {
  const kernel = new FakeKernel();
  kernel.givenLink({ name: 'eth0', mtu, up: true, running: true, mac: '02:00:00:00:00:01' });
  for (const text of ['172.30.1.11/24', 'fd00:30:1::11/64']) {
    await kernel.addAddress({ ifindex: ETH0, address: parseInterfaceAddress(text), scope: SCOPE.universe });
  }
  for (const [prefix, gateway] of [
    ['0.0.0.0/0', '172.30.1.1'],
    ['::/0', 'fd00:30:1::1'],
  ] as const) {
    const hops = [{ ifindex: ETH0, onlink: false, gateway: parseIpAddress(gateway) }];
    const common = { table: 254, protocol: 16, type: 'unicast', scope: SCOPE.universe, metric: 0 } as const;
    kernel.givenRoute({ ...common, prefix: parsePrefix(prefix), hops });
  }
  const clock = new FakeClock();
  const dataplane = createDataplane(settings, { kernel, clock, random: () => 0, log: silentLogger });
  await dataplane.start();
  return { kernel, clock, dataplane };
}

async function update({ clock, dataplane }: Rig, wanted: DataplaneInputs): Promise<void> {
  dataplane.update(wanted);
  await clock.advance(1000);
}

const BLOCKS = ['192.168.2.0/26', '192.168.3.0/26', 'fd10::80/122', 'fd10::c0/122'];
const blocks = [
  learned(BLOCKS[0]!, '172.30.1.12'),
  learned(BLOCKS[1]!, '172.30.2.11'),
  learned(BLOCKS[2]!, 'fd00:30:1::12'),
  learned(BLOCKS[3]!, 'fd00:30:2::11'),
];
const cluster = (...pools: readonly Pool[]): DataplaneInputs =>
  inputs({ local: dualA1, nodes: [dualA2, dualB1], learned: blocks, pools });

const MODES: readonly { readonly ipip?: EncapMode; readonly vxlan?: EncapMode }[] = [
  ...(['Always', 'CrossSubnet'] as const).map((ipip) => ({ ipip })),
  ...(['Always', 'CrossSubnet'] as const).map((vxlan) => ({ vxlan })),
  {},
];
const changes = MODES.flatMap((before) =>
  MODES.filter((after) => after !== before).map((after) => ({ before, after })),
);
const poolsOf = ({ ipip = 'Never', vxlan = 'Never' }: (typeof MODES)[number]): readonly Pool[] => [
  pool('192.168.0.0/16', { ipip, vxlan }),
  pool('fd10::/48', { vxlan }, 'six'),
];

/** The prefixes of our routes, and whether each goes over a link that is there. */
const waysTo = async (kernel: FakeKernel): Promise<readonly string[]> => {
  const links = new Set((await kernel.listLinks()).map(({ index }) => index));
  const ours = [...(await kernel.listRoutes())].filter(({ protocol }) => protocol === 80);
  const whole = ours.filter(({ hops }) => hops.length > 0 && hops.every(({ ifindex }) => links.has(ifindex)));
  return whole.map(({ prefix }) => formatPrefix(prefix)).sort();
};

test.each(changes)('from $before to $after: no prefix is ever without a way', async ({ before, after }) => {
  const rig = await start();
  const { kernel, clock, dataplane } = rig;
  await update(rig, cluster(...poolsOf(before)));
  expect(await waysTo(kernel)).toEqual(BLOCKS);
  kernel.journal.length = 0;
  const seen: Promise<readonly string[]>[] = [];
  const abort = new AbortController();
  await kernel.watch(() => seen.push(waysTo(kernel)), abort.signal);
  await update(rig, cluster(...poolsOf(after)));
  await clock.advance(20_000);
  abort.abort();
  for (const ways of await Promise.all(seen)) expect(ways).toEqual(BLOCKS);
  expect(dataplane.routes().filter(({ state }) => state !== 'programmed')).toEqual([]);
  const order = kernel.journal.filter((line) => /^(create|delete) |^(replace|remove) route/.test(line));
  const kinds = order.map((line) => (/^(create|delete)/.exec(line) ?? [line.split(' ', 2).join(' ')])[0]);
  // New links, then routes in place, then links that nobody uses; and nothing twice.
  expect(kinds).toEqual([...kinds].sort((a, b) => rank(a) - rank(b)));
  expect(kinds).not.toContain('remove route');
  expect(new Set(order).size).toBe(order.length);
});

const rank = (kind: string): number => ['create', 'replace route', 'delete'].indexOf(kind);

const far = learned('192.168.3.0/26', '172.30.2.11');
const ipip = (remote: ClusterNode): DataplaneInputs =>
  inputs({ nodes: [remote], learned: [far], pools: [pool('192.168.0.0/16', { ipip: 'Always' })] });
const routeTo = async ({ kernel }: Rig): Promise<string | undefined> => {
  const links = await kernel.listLinks();
  const route = [...(await kernel.listRoutes())].find(({ prefix }) => formatPrefix(prefix) === '192.168.3.0/26');
  return links.find(({ index }) => index === route?.hops[0]?.ifindex)?.name;
};

test.each([
  ['no encapsulation', {}, 'eth0'],
  ['VXLAN', { vxlan: 'Always' }, 'vxlan.calico'],
] as const)('from %s to IPIP: the way stays until the other node has a tunnel address', async (_, modes, link) => {
  const rig = await start();
  const unready = node('node-b1', '172.30.2.11/24', { vxlan: '192.168.3.2' });
  const before = inputs({ nodes: [unready], learned: [far], pools: [pool('192.168.0.0/16', modes)] });
  await update(rig, before);
  await update(rig, ipip(unready));
  expect(await routeTo(rig)).toBe(link);
  expect(rig.dataplane.routes()[0]).toMatchObject({
    state: 'unresolved',
    error: 'node node-b1 has no IPIP tunnel address yet; the way that was there before stays',
  });
  await rig.clock.advance(200_000);
  expect(await routeTo(rig)).toBe(link);
  await update(rig, ipip(dualB1));
  expect(await routeTo(rig)).toBe('tunl0');
  expect(rig.dataplane.routes()[0]).toMatchObject({ state: 'programmed' });
});

test('where there is no older way, or one that leads elsewhere, tunl0 is tried all the same', async () => {
  const rig = await start();
  const unready = node('node-b1', '172.30.2.11/24');
  await update(rig, ipip(unready));
  expect(await routeTo(rig)).toBe('tunl0');
  const moved = { ...unready, address: parseInterfaceAddress('172.30.1.12/24') };
  const plain = [pool('192.168.0.0/16')];
  await update(rig, inputs({ nodes: [unready], learned: [far], pools: plain }));
  expect(await routeTo(rig)).toBe('eth0');
  const learnedAnew = [learned('192.168.3.0/26', '172.30.1.12')];
  await update(rig, { ...ipip(moved), learned: learnedAnew });
  expect(await routeTo(rig)).toBe('tunl0');
});

test('every tunnel follows the parent’s MTU down and up again', async () => {
  const rig = await start(9000);
  const mtus = async (): Promise<object> =>
    Object.fromEntries((await rig.kernel.listLinks()).filter(({ kind }) => kind).map(({ name, mtu }) => [name, mtu]));
  await update(rig, cluster(...poolsOf({ vxlan: 'Always' }), pool('10.0.0.0/8', { ipip: 'Always' }, 'q')));
  const high = { tunl0: 8980, 'vxlan.calico': 8950, 'vxlan-v6.calico': 8930 };
  expect(await mtus()).toEqual(high);
  await rig.kernel.setLink(ETH0, { mtu: 1400 });
  await rig.clock.advance(1000);
  expect(await mtus()).toEqual({ tunl0: 1380, 'vxlan.calico': 1350, 'vxlan-v6.calico': 1330 });
  await rig.kernel.setLink(ETH0, { mtu: 9000 });
  await rig.clock.advance(1000);
  expect(await mtus()).toEqual(high);
});
