import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PlannedRoute } from '../../../felix/calc/planned-route.ts';
import { planRoutes } from '../../../felix/calc/routes.ts';
import type { DataplaneInputs, LocalEndpoint } from '../../../felix/inputs.ts';
import { formatPrefix, parseInterfaceAddress, parseIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import { host, inputs, learned, node, nodeA1, pool } from '../../support/dataplane-inputs.ts';
import { programmable, routeText } from '../../support/route-text.ts';

const endpoint = (address: string, interfaceName = 'cali1'): LocalEndpoint => ({
  name: 'default/pod',
  interfaceName,
  addresses: [parseIpAddress(address)],
});

const crossSubnet = pool('192.168.0.0/16', { ipip: 'CrossSubnet' });
const plan = (some: Partial<DataplaneInputs>, words: Parameters<typeof host>[0] = {}): readonly PlannedRoute[] => [
  ...planRoutes(inputs(some), host(words)),
];
const routesOf = (...args: Parameters<typeof plan>): readonly string[] => programmable(plan(...args));
const troubleOf = (...args: Parameters<typeof plan>): readonly (string | undefined)[] =>
  plan(...args).map(({ unresolved }) => unresolved);

describe('local routes', () => {
  test('a pod gets its /32 on its interface', () => {
    const [planned] = plan({ endpoints: [endpoint('192.168.1.5')] }, { up: ['cali1'] });
    expect(planned?.unresolved).toBeUndefined();
    expect(planned?.route.class).toBe('local-workload');
    expect(routeText(planned!.route)).toBe('192.168.1.5/32 dev cali1 scope link');
    expect(planned?.route.reason).toBe('pod default/pod is on this node, behind cali1');
  });

  test('an IPv6 pod gets its /128 in the same way', () => {
    expect(routesOf({ endpoints: [endpoint('fd10::5')] }, { up: ['cali1'] })).toEqual([
      'fd10::5/128 dev cali1 scope link',
    ]);
  });

  test('a pod waits for its interface, and the error names it', () => {
    const endpoints = [endpoint('192.168.1.5')];
    expect(troubleOf({ endpoints })).toEqual(['interface cali1 does not exist']);
    expect(troubleOf({ endpoints }, { down: ['cali1'] })).toEqual(['interface cali1 is down']);
  });

  test('a block of ours is a blackhole, unless it is one address', () => {
    const localBlocks = ['192.168.1.0/26', '192.168.9.9/32'].map((text) => parsePrefix(text));
    expect(routesOf({ localBlocks })).toEqual(['blackhole 192.168.1.0/26']);
  });

  test('of two pods with one address, the one on the youngest interface has the route, the other says why not', () => {
    const endpoints = [endpoint('192.168.1.5', 'cali2'), endpoint('192.168.1.5', 'cali1')];
    const words = { up: ['cali1', 'cali2'] };
    expect(routesOf({ endpoints }, words)).toEqual(['192.168.1.5/32 dev cali2 scope link']);
    expect(troubleOf({ endpoints }, words)).toContain(
      'loses to local-workload: pod default/pod is on this node, behind cali2',
    );
  });
});

test('a block released while its pod lives leaves the pod its route; the block goes where its new owner is', () => {
  const endpoints = [endpoint('192.168.1.5')];
  const words = { up: ['cali1'] };
  expect(routesOf({ endpoints, localBlocks: [parsePrefix('192.168.1.0/26')] }, words)).toEqual([
    '192.168.1.5/32 dev cali1 scope link',
    'blackhole 192.168.1.0/26',
  ]);
  expect(routesOf({ endpoints }, words)).toEqual(['192.168.1.5/32 dev cali1 scope link']);
  expect(routesOf({ endpoints, learned: [learned('192.168.1.0/26', '172.30.1.12')] }, words)).toEqual([
    '192.168.1.0/26 via 172.30.1.12 dev eth0 onlink',
    '192.168.1.5/32 dev cali1 scope link',
  ]);
});

test('a node whose tunl0 may not be up yet is named, and so are the older ways to it that may stay', () => {
  const nodes = [node('node-b1', '172.30.2.11/24', { vxlan: '192.168.3.2' })];
  const [planned] = plan({ nodes, learned: [learned('192.168.3.0/26', '172.30.2.11')] });
  expect(routeText(planned!.route)).toBe('192.168.3.0/26 via 172.30.2.11 dev tunl0 onlink');
  expect(planned?.unresolved).toBeUndefined();
  expect(planned?.meanwhile?.reason).toBe('node node-b1 has no IPIP tunnel address yet');
  expect(planned?.meanwhile?.targets.map((target) => routeText({ ...planned.route, target }))).toEqual([
    '192.168.3.0/26 via 172.30.1.1 dev eth0',
    '192.168.3.0/26 via 192.168.3.2 dev vxlan.calico onlink',
  ]);
});

describe('blocks of other nodes', () => {
  const near = learned('192.168.2.0/26', '172.30.1.12');
  const far = learned('192.168.3.0/26', '172.30.2.11');

  test('IPIP CrossSubnet: within the subnet direct, beyond it through tunl0, both onlink', () => {
    expect(routesOf({ learned: [near, far] })).toEqual([
      '192.168.2.0/26 via 172.30.1.12 dev eth0 onlink',
      '192.168.3.0/26 via 172.30.2.11 dev tunl0 onlink',
    ]);
    expect(plan({ learned: [near, far] }).map(({ route }) => route.class)).toEqual(['same-subnet', 'ipip']);
  });

  test('VXLAN: through the tunnel address of the other node', () => {
    const pools = [pool('192.168.0.0/16', { vxlan: 'CrossSubnet' })];
    expect(routesOf({ pools, learned: [near, far] })).toEqual([
      '192.168.2.0/26 via 172.30.1.12 dev eth0 onlink',
      '192.168.3.0/26 via 192.168.3.2 dev vxlan.calico onlink',
    ]);
  });

  test('VXLAN waits for the other node to have a tunnel address', () => {
    const pools = [pool('192.168.0.0/16', { vxlan: 'Always' })];
    const nodes = [node('node-b1', '172.30.2.11/24')];
    expect(troubleOf({ pools, nodes, learned: [far] })).toEqual(['node node-b1 has no VXLAN tunnel address yet']);
  });

  test('without encapsulation: direct within the subnet, through the gateway beyond it', () => {
    const pools = [pool('192.168.0.0/16')];
    expect(routesOf({ pools, learned: [near, far] })).toEqual([
      '192.168.2.0/26 via 172.30.1.12 dev eth0 onlink',
      '192.168.3.0/26 via 172.30.1.1 dev eth0',
    ]);
    expect(plan({ pools, learned: [far] })[0]?.route.reason).toBe(
      'ippool p has no encapsulation, so direct, and next hop 172.30.2.11 is reached through 172.30.1.1 (learned from 172.30.2.11)',
    );
  });

  test('the smallest pool that holds the block decides', () => {
    const pools = [crossSubnet, pool('192.168.3.0/24', {}, 'small')];
    const [planned] = plan({ pools, learned: [far] });
    expect(planned?.route.pool).toBe('small');
    expect(planned?.route.class).toBe('no-encap');
  });

  test('a setting without a mask goes by the mask on the interface, never by /32', () => {
    const local = { ...nodeA1, address: parseInterfaceAddress('172.30.1.11/32') };
    expect(routesOf({ local, learned: [near] })).toEqual(['192.168.2.0/26 via 172.30.1.12 dev eth0 onlink']);
    expect(plan({ local, learned: [near] })[0]?.route.reason).toContain('172.30.1.11/24 contains 172.30.1.12');
  });

  test('several next hops are one multipath route, tunl0 included', () => {
    const both = learned('192.168.3.0/26', '172.30.2.12', '172.30.2.11');
    expect(routesOf({ learned: [both] })).toEqual([
      '192.168.3.0/26 via 172.30.2.11 dev tunl0 onlink via 172.30.2.12 dev tunl0 onlink',
    ]);
  });

  test('two next hops behind one gateway are one hop', () => {
    const both = learned('192.168.3.0/26', '172.30.2.12', '172.30.2.11');
    const pools = [pool('192.168.0.0/16')];
    expect(routesOf({ pools, learned: [both] })).toEqual(['192.168.3.0/26 via 172.30.1.1 dev eth0']);
  });

  test('of several next hops those that can be used are used', () => {
    const both = learned('192.168.3.0/26', '172.30.2.11', '172.30.1.12');
    expect(routesOf({ learned: [both] }, { up: [] })).toEqual(['192.168.3.0/26 via 172.30.1.12 dev eth0 onlink']);
  });

  test('a route through tunl0 waits while tunl0 cannot be made, and says why', () => {
    const linkErrors = { tunl0: 'the kernel has no ipip module: modprobe ipip' };
    expect(troubleOf({ learned: [far] }, { up: [], linkErrors })).toEqual([
      'the kernel has no ipip module: modprobe ipip',
    ]);
    expect(troubleOf({ learned: [far] }, { down: ['tunl0'], up: [] })).toEqual(['interface tunl0 is down']);
  });

  test('without an interface that carries our address a direct route waits', () => {
    expect(troubleOf({ learned: [near] }, { noParent: true })).toEqual([
      "no interface of this host carries this node's address 172.30.1.11",
    ]);
  });
});

describe('routes from outside', () => {
  test('a ToR that is a neighbour is the next hop as it is', () => {
    const [planned] = plan({ learned: [learned('10.0.0.0/8', '172.30.1.1')] });
    expect(planned?.route.class).toBe('external');
    expect(routeText(planned!.route)).toBe('10.0.0.0/8 via 172.30.1.1 dev eth0');
  });

  test('a next hop further away is resolved through the host’s routes', () => {
    const words = { routes: ['172.30.9.0/24 via 172.30.1.254 dev eth0'] };
    expect(routesOf({ learned: [learned('10.0.0.0/8', '172.30.9.1')] }, words)).toEqual([
      '10.0.0.0/8 via 172.30.1.254 dev eth0',
    ]);
  });

  test('a next hop may be resolved through a route of a ToR that is a neighbour', () => {
    const routes = [learned('10.0.0.0/8', '172.31.9.1'), learned('172.31.9.0/24', '172.30.1.253')];
    expect(routesOf({ learned: routes })).toContain('10.0.0.0/8 via 172.30.1.253 dev eth0');
  });

  test('a next hop that nothing leads to is named', () => {
    const noRoutes = { ...host(), foreignRoutes: [] };
    const [planned] = planRoutes(inputs({ learned: [learned('10.0.0.0/8', '172.31.9.1')] }), noRoutes);
    expect(planned?.unresolved).toBe('the host has no route to next hop 172.31.9.1');
    expect(planned?.isRefused).toBeUndefined();
  });

  test('a pool’s prefix whose next hop is no node goes where BGP says', () => {
    const [planned] = plan({ learned: [learned('192.168.3.0/26', '172.30.1.1')] });
    expect(planned?.route).toMatchObject({ class: 'external', pool: 'p' });
    expect(routeText(planned!.route)).toBe('192.168.3.0/26 via 172.30.1.1 dev eth0');
  });
});

describe('what is refused, and why', () => {
  const refused: readonly [string, string, string][] = [
    [
      '0.0.0.0/0',
      '172.30.1.1',
      '0.0.0.0/0 is refused: a default route is the host administrator’s to set, not a peer’s',
    ],
    ['172.30.1.0/24', '172.30.1.1', '172.30.1.0/24 is refused: 172.30.1.0/24 is this node’s own subnet'],
    ['172.30.1.99/32', '172.30.1.1', '172.30.1.99/32 is refused: it lies in this node’s own subnet 172.30.1.0/24'],
    ['169.254.1.1/32', '172.30.1.1', '169.254.1.1/32 is refused: 169.254.0.0/16 is never learned from a peer'],
    ['127.0.0.0/8', '172.30.1.1', '127.0.0.0/8 is refused: 127.0.0.0/8 is never learned from a peer'],
    ['224.0.0.0/24', '172.30.1.1', '224.0.0.0/24 is refused: 224.0.0.0/4 is never learned from a peer'],
    ['10.9.0.0/24', '172.30.1.1', '10.9.0.0/24 is refused: the host has a connected route for it on eth1'],
    ['10.8.0.0/24', '172.30.1.1', '10.8.0.0/24 is refused: the host has its own route for it (protocol 4)'],
    ['10.0.0.0/8', '172.30.1.11', 'next hop 172.30.1.11 is this node itself'],
    [
      '172.30.2.0/24',
      '172.30.2.11',
      'tunl0 would carry its own outer packets: 172.30.2.0/24 holds the other node’s address',
    ],
  ];
  test.each(refused)('%s via %s: %s', (prefix, nextHop, error) => {
    const routes = ['10.9.0.0/24 dev eth1', '10.8.0.0/24 via 172.30.1.1 dev eth0'];
    const pools = [crossSubnet, pool('172.30.2.0/24', { ipip: 'Always' }, 'mad')];
    const [planned] = plan({ pools, learned: [learned(prefix, nextHop)] }, { routes });
    expect(planned?.unresolved).toBe(error);
    expect(planned?.isRefused).toBe(true);
  });

  test('a route that somebody tells us for our own block loses to the blackhole', () => {
    const localBlocks = [parsePrefix('192.168.1.0/26')];
    const claims = [learned('192.168.1.0/26', '172.30.1.12'), learned('192.168.1.0/28', '172.30.1.1')];
    expect(routesOf({ localBlocks, learned: claims })).toEqual(['blackhole 192.168.1.0/26']);
    expect(troubleOf({ localBlocks, learned: claims }).filter(Boolean)).toEqual([
      "loses to local-block: block 192.168.1.0/26 is this node's own",
      "loses to local-block: block 192.168.1.0/26 is this node's own",
    ]);
  });

  test('an address that IPAM knows to be lent is reached wherever BGP says, also where the next hop is a ToR', () => {
    const localBlocks = [parsePrefix('192.168.1.0/26')];
    const claims = [learned('192.168.1.7/32', '172.30.1.1'), learned('192.168.1.8/32', '172.30.1.1')];
    const lentAddresses = [parseIpAddress('192.168.1.7')];
    expect(routesOf({ localBlocks, lentAddresses, learned: claims })).toEqual([
      '192.168.1.7/32 via 172.30.1.1 dev eth0',
      'blackhole 192.168.1.0/26',
    ]);
  });

  test('an address of our block that another node borrowed is reached there', () => {
    const localBlocks = [parsePrefix('192.168.1.0/26')];
    expect(routesOf({ localBlocks, learned: [learned('192.168.1.7/32', '172.30.1.12')] })).toEqual([
      '192.168.1.7/32 via 172.30.1.12 dev eth0 onlink',
      'blackhole 192.168.1.0/26',
    ]);
  });

  test('a pod of ours wins over any route for its address', () => {
    const some = { endpoints: [endpoint('192.168.1.7')], learned: [learned('192.168.1.7/32', '172.30.1.12')] };
    expect(routesOf(some, { up: ['cali1'] })).toEqual(['192.168.1.7/32 dev cali1 scope link']);
  });
});

test('at most one route per prefix is for the kernel', () => {
  const address = fc.constantFrom('172.30.1.12', '172.30.2.11', '172.30.2.12', '172.30.1.1', '172.30.1.11', '9.9.9.9');
  const prefix = fc.constantFrom('192.168.1.0/26', '192.168.1.5/32', '192.168.2.0/26', '10.0.0.0/8', '0.0.0.0/0');
  const some = fc.record({
    learned: fc.array(
      fc.tuple(prefix, address, address).map(([p, a, b]) => learned(p, a, b)),
      { maxLength: 6 },
    ),
    localBlocks: fc.subarray([parsePrefix('192.168.1.0/26'), parsePrefix('192.168.2.0/26')]),
    endpoints: fc.subarray([endpoint('192.168.1.5'), endpoint('192.168.1.5', 'cali2')]),
  });
  fc.assert(
    fc.property(some, (lists) => {
      const routes = plan(lists, { up: ['tunl0', 'cali1', 'cali2'] }).filter((r) => r.unresolved === undefined);
      const prefixes = routes.map(({ route }) => formatPrefix(route.prefix));
      expect(new Set(prefixes).size).toBe(prefixes.length);
    }),
  );
});
