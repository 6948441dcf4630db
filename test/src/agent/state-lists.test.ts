/**
 * What a node programs hangs on what the datastore and bird say now, and not on how they came to say it. A story of
 * clusters is told in many ways, as Calico's felix/calc does it: in another order, one entry at a time, with all of it
 * gone in between, several chapters at once. After each chapter the kernel is as if the node had heard nothing else.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createDataplane } from '../../../felix/index.ts';
import type { Dataplane } from '../../../felix/index.ts';
import { formatRoute, SCOPE } from '../../../felix/routes/kernel-route.ts';
import { blocksUse, dataplaneInputs, localBlocks } from '../../../src/agent/cluster-view.ts';
import { affinityKey, blockKey, resourceKey } from '../../../src/datastore/keys.ts';
import type { Entry, Json } from '../../../src/datastore/store.ts';
import { parseInterfaceAddress, parseIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import type { LearnedRoute } from '../../../src/model/route.ts';
import { resourcesFromEntries } from '../../../src/resources/index.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { learned } from '../../support/dataplane-inputs.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeKernel } from '../../support/fake-kernel.ts';
import { routeText } from '../../support/route-text.ts';

/** One thing that the node hears of: an entry of the datastore, or a route of bird's. */
type Fact = { readonly entry: Json } | { readonly route: LearnedRoute };
/** All that is true at one moment, by key. */
type Chapter = ReadonlyMap<string, Fact>;

const PLURALS = { Node: 'nodes', IPPool: 'ippools', WorkloadEndpoint: 'workloadendpoints' } as const;

function resource(kind: keyof typeof PLURALS, name: string, spec: Json): [string, Fact] {
  const namespace = kind === 'WorkloadEndpoint' ? { namespace: 'default' } : {};
  const key = resourceKey({ plural: PLURALS[kind], name, ...namespace });
  return [key, { entry: { apiVersion: 'projectcalico.org/v3', kind, metadata: { name, ...namespace }, spec } }];
}

/** Rack 1 or 2, host number: `172.30.1.11`, `fd00:30:1::11`. */
const node = (name: string, rack: number, host: number): [string, Fact] =>
  resource('Node', name, {
    bgp: {
      ipv4Address: `172.30.${rack}.${host}/24`,
      ipv6Address: `fd00:30:${rack}::${host}/64`,
      ipv4IPIPTunnelAddr: `192.168.${host}.1`,
    },
    ipv4VXLANTunnelAddr: `192.168.${host}.2`,
    ipv6VXLANTunnelAddr: `fd10:${host}::1`,
  });
const pool = (name: string, cidr: string, modes: object = {}): [string, Fact] =>
  resource('IPPool', name, { cidr, ...modes });
const pod = (name: string, address: string, interfaceName = `cali${name}`): [string, Fact] =>
  resource('WorkloadEndpoint', `a-k8s-${name}-eth0`, {
    ...{ orchestrator: 'k8s', node: 'a', pod: name, endpoint: 'eth0', interfaceName },
    ipNetworks: [`${address}/${address.includes(':') ? 128 : 32}`],
  });
const owned = (cidr: string): [string, Fact] => [
  affinityKey('a', parsePrefix(cidr)),
  { entry: { state: 'confirmed', deleted: false } },
];
/** A block of two addresses, the second in use on another node. */
const lentBlock = (cidr: string, holder: string): [string, Fact] => [
  blockKey(parsePrefix(cidr)),
  {
    entry: {
      ...{ cidr, affinity: 'host:a', allocations: [null, 0], unallocated: [0], sequenceNumber: 1, deleted: false },
      attributes: [{ handle_id: 'h', secondary: { node: holder } }],
      sequenceNumberForAllocation: {},
    },
  },
];
const told = (prefix: string, ...nextHops: readonly string[]): [string, Fact] => [
  `bird ${prefix}`,
  { route: learned(prefix, ...nextHops) },
];

const NODES = [node('a', 1, 11), node('b', 1, 12), node('c', 2, 11)];
const BLOCKS = [
  owned('192.168.11.0/26'),
  told('192.168.12.0/26', '172.30.1.12'),
  told('192.168.21.0/26', '172.30.2.11'),
];
const BLOCKS6 = [
  owned('fd10:11::/122'),
  told('fd10:12::/122', 'fd00:30:1::12'),
  told('fd10:21::/122', 'fd00:30:2::11', 'fd00:30:1::12'),
];
const PODS = [pod('web', '192.168.11.5'), pod('db', '192.168.11.6'), pod('six', 'fd10:11::5')];
const crossSubnet = pool('p', '192.168.0.0/16', { ipipMode: 'CrossSubnet' });
const six = pool('six', 'fd10::/16', { vxlanMode: 'CrossSubnet' });

const STORY: readonly Chapter[] = [
  [...NODES],
  [...NODES, crossSubnet, ...BLOCKS],
  [...NODES, crossSubnet, ...BLOCKS, ...PODS],
  // Another mode; IPv6 comes.
  [...NODES, pool('p', '192.168.0.0/16', { vxlanMode: 'Always' }), six, ...BLOCKS, ...BLOCKS6, ...PODS],
  // Node b left.
  [NODES[0]!, NODES[2]!, pool('p', '192.168.0.0/16', { vxlanMode: 'Always' }), six, ...BLOCKS, ...BLOCKS6, ...PODS],
  // Mixed pools: the smaller one has the block of c.
  [...NODES, crossSubnet, pool('small', '192.168.21.0/24'), six, ...BLOCKS, ...BLOCKS6, ...PODS],
  // Borrowed both ways, c behind a switch; our own block is claimed by a stranger.
  [
    ...NODES,
    ...[crossSubnet, ...BLOCKS, ...PODS, pod('guest', '192.168.12.9')],
    ...[owned('192.168.11.64/31'), lentBlock('192.168.11.64/31', 'c'), told('192.168.11.65/32', '172.30.1.1')],
    told('192.168.11.0/28', '172.30.1.1'),
  ],
  // Our block was released while its pods live, and c has it now.
  [...NODES, crossSubnet, told('192.168.11.0/26', '172.30.2.11'), ...PODS],
  // Two pods with one address, two pools with one CIDR, two nodes with one address, and routes from outside.
  [
    ...[...NODES, node('b-again', 1, 12), crossSubnet, pool('o', '192.168.0.0/16', { vxlanMode: 'Always' })],
    ...[...BLOCKS, ...PODS, pod('twin', '192.168.11.5')],
    ...[told('10.0.0.0/8', '172.31.0.1'), told('172.31.0.0/16', '172.30.1.1'), told('10.9.0.0/16', 'fd00:30:1::1')],
  ],
  // Node b has another address, and no encapsulation is left.
  [...[NODES[0]!, NODES[2]!, node('b', 2, 12)], pool('p', '192.168.0.0/16'), ...BLOCKS, ...PODS],
  [NODES[0]!],
].map((facts) => new Map(facts));

/** A way to tell the story: each step is all that is true then; `ends` says where a chapter is complete. */
interface Telling {
  readonly steps: readonly { readonly facts: Chapter; readonly ends?: Chapter }[];
}

const reversed = (chapter: Chapter): Chapter => new Map([...chapter].reverse());
const whole = (chapter: Chapter): Telling['steps'][number] => ({ facts: chapter, ends: chapter });

/** From one chapter to the next one entry at a time, in the given order. */
function split(
  before: Chapter,
  after: Chapter,
  order: (keys: readonly string[]) => readonly string[],
): Telling['steps'] {
  const facts = new Map(before);
  const keys = order([...new Set([...before.keys(), ...after.keys()])]);
  const steps = keys.map((key) => {
    const fact = after.get(key);
    if (fact === undefined) facts.delete(key);
    else facts.set(key, fact);
    return { facts: new Map(facts) };
  });
  return [...steps, { facts: new Map(facts), ends: after }];
}

const telling = (steps: Telling['steps']): Telling => ({ steps });
const backwards = STORY.toReversed();
/** Nothing but ourselves: without our own Node the agent leaves all as it is. */
const EMPTY: Chapter = new Map([NODES[0]!]);
const splitAll = (story: readonly Chapter[], order: (keys: readonly string[]) => readonly string[]): Telling =>
  telling(story.flatMap((chapter, i) => split(story[i - 1] ?? EMPTY, chapter, order)));

const TELLINGS: Readonly<Record<string, Telling>> = {
  'as it is': telling(STORY.map(whole)),
  'each chapter in reverse order': telling(STORY.map((chapter) => ({ facts: reversed(chapter), ends: chapter }))),
  'from its end': telling(backwards.map(whole)),
  'with all gone in between': telling(STORY.flatMap((chapter) => [whole(EMPTY), whole(chapter)])),
  'without us in between': telling(STORY.flatMap((chapter) => [{ facts: new Map() }, whole(chapter)])),
  'one entry at a time': splitAll(STORY, (keys) => keys),
  'one entry at a time, the last first': splitAll(STORY, (keys) => keys.toReversed()),
  'one entry at a time, from its end': splitAll(backwards, (keys) => keys),
  'two chapters at once': telling(STORY.filter((_, i) => i % 2 === 1).map(whole)),
  'every chapter twice': telling(STORY.flatMap((chapter) => [whole(chapter), whole(reversed(chapter))])),
};

const INTERFACES = ['caliweb', 'calidb', 'calisix', 'caliguest', 'calitwin'];

class Host {
  readonly kernel = new FakeKernel();
  readonly #clock = new FakeClock();
  readonly #dataplane: Dataplane = createDataplane(
    { resyncSeconds: 90, ipipMtu: 0, vxlanMtu: 0, vxlanVni: 4096, vxlanPort: 4789 },
    { kernel: this.kernel, clock: this.#clock, random: () => 0, log: silentLogger },
  );

  async start(): Promise<void> {
    const link = { mtu: 1500, up: true, running: true, mac: '02:00:00:00:00:01' };
    const eth0 = this.kernel.givenLink({ name: 'eth0', ...link });
    for (const name of INTERFACES) this.kernel.givenLink({ name, kind: 'veth', ...link });
    const own = { table: 254, type: 'unicast', scope: SCOPE.universe, metric: 0 } as const;
    for (const [address, subnet, everything, gateway] of [
      ['172.30.1.11/24', '172.30.1.0/24', '0.0.0.0/0', '172.30.1.1'],
      ['fd00:30:1::11/64', 'fd00:30:1::/64', '::/0', 'fd00:30:1::1'],
    ] as const) {
      const hop = { ifindex: eth0, onlink: false };
      await this.kernel.addAddress({ ifindex: eth0, address: parseInterfaceAddress(address), scope: SCOPE.universe });
      this.kernel.givenRoute({ ...own, protocol: 2, prefix: parsePrefix(subnet), hops: [hop] });
      const via = [{ ...hop, gateway: parseIpAddress(gateway) }];
      this.kernel.givenRoute({ ...own, protocol: 16, prefix: parsePrefix(everything), hops: via });
    }
    await this.#dataplane.start();
  }

  /** What the agent makes of all that is known. */
  async hear(facts: Chapter): Promise<void> {
    const entries = new Map<string, Entry>();
    const routes: LearnedRoute[] = [];
    for (const [key, fact] of facts) {
      if ('route' in fact) routes.push(fact.route);
      else entries.set(key, { key, value: fact.entry, revision: 1 });
    }
    const { resources, unreadable } = resourcesFromEntries(entries.values());
    expect(unreadable).toEqual([]);
    const blocks = localBlocks(entries.values(), 'a');
    const { lent } = blocksUse(entries, { node: 'a', blocks });
    const inputs = dataplaneInputs({ node: 'a', resources, blocks, lent: lent! }, { routes, complete: true });
    if (inputs !== undefined) this.#dataplane.update(inputs);
    await this.#clock.advance(100);
  }

  /** Kernel and report, when every tunnel that nobody needs is gone. */
  async show(): Promise<object> {
    await this.#clock.advance(25_000);
    const links = await this.kernel.listLinks();
    const named = (text: string): string =>
      text.replace(
        /dev (\d+)/g,
        (_, index) => `dev ${links.find((link) => link.index === Number(index))?.name ?? '?'}`,
      );
    const addresses = await this.kernel.listAddresses();
    // A tunl0 without a use keeps no address, and is there or is not.
    const tunnels = links.filter(
      ({ kind, index }) => kind === 'vxlan' || (kind === 'ipip' && addresses.some(({ ifindex }) => ifindex === index)),
    );
    const neighbours = await Promise.all(tunnels.map(({ index }) => this.kernel.listNeighbours(index)));
    return {
      routes: [...(await this.kernel.listRoutes())].map((route) => named(formatRoute(route))).sort(),
      tunnels: tunnels.map(({ name, mtu, up, mac }) => `${name} ${mtu} ${up} ${mac}`).sort(),
      neighbours: neighbours
        .flat()
        .map(({ kind, mac }) => `${kind} ${mac}`)
        .sort(),
      report: this.#dataplane
        .routes()
        .map(({ route, state, error }) => [routeText(route), route.class, route.reason, state, error].join(' | '))
        .sort(),
    };
  }

  close(): Promise<void> {
    return this.#dataplane.close();
  }
}

async function tell({ steps }: Telling): Promise<ReadonlyMap<Chapter, object>> {
  const host = new Host();
  await host.start();
  const seen = new Map<Chapter, object>();
  for (const { facts, ends } of steps) {
    await host.hear(facts);
    if (ends !== undefined) seen.set(ends, await host.show());
  }
  await host.close();
  return seen;
}

/** Each chapter on a host that heard nothing else. */
const alone = new Map<string, Promise<object>>();
function shownAlone(chapter: Chapter): Promise<object> {
  const key = JSON.stringify([...chapter].sort(([a], [b]) => (a < b ? -1 : 1)));
  const shown = alone.get(key) ?? tell(telling([whole(chapter)])).then((seen) => seen.get(chapter)!);
  alone.set(key, shown);
  return shown;
}

async function expectSameAsAlone(way: Telling): Promise<void> {
  for (const [chapter, seen] of await tell(way)) expect(seen).toEqual(await shownAlone(chapter));
}

test.each(Object.entries(TELLINGS))('a story of clusters, told %s, leads to the same kernel', async (_, way) => {
  await expectSameAsAlone(way);
});

test('a story of clusters, told in whatever order, leads to the same kernel', async () => {
  const orders = fc.record({
    story: fc.shuffledSubarray([...STORY], { minLength: 2, maxLength: 3 }),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(orders, async ({ story, seed }) => {
      const order = (keys: readonly string[]): readonly string[] =>
        keys
          .map((key, i) => [(seed * (i + 7)) % 31, key] as const)
          .sort(([a], [b]) => a - b)
          .map(([, key]) => key);
      await expectSameAsAlone(splitAll(story, order));
    }),
    { numRuns: 6 },
  );
});

test('the story has what it is told for: every class of route, both families, losers and what waits', async () => {
  const shown = await Promise.all(STORY.map((chapter) => shownAlone(chapter)));
  const text = JSON.stringify(shown);
  for (const word of ['local-workload', 'local-block', 'same-subnet', 'vxlan', 'ipip', 'no-encap', 'external']) {
    expect(text).toContain(`| ${word} |`);
  }
  for (const word of ['tunl0', 'vxlan.calico', 'vxlan-v6.calico', 'loses to local-workload', 'loses to local-block']) {
    expect(text).toContain(word);
  }
  expect(text).toContain('192.168.11.65/32 via 172.30.1.1 dev eth0');
});
