import { describe, expect, test } from 'vitest';
import { candidateLines, detectAddress, maskOf } from '../../../src/agent/autodetect.ts';
import type { Detection } from '../../../src/agent/autodetect.ts';
import { parseDetectionMethod } from '../../../src/config/detection-method.ts';
import { formatPrefix, parseInterfaceAddress, parseIpAddress } from '../../../src/model/ip.ts';
import type { IpFamily } from '../../../src/model/ip.ts';
import { hostOf } from '../../support/host-interfaces.ts';

interface Case {
  readonly method?: string;
  readonly family?: IpFamily;
  readonly towards?: string;
  readonly stored?: string;
  readonly internal?: readonly string[];
}

function detect(
  host: readonly string[],
  { method = 'first-found', family = 4, towards, stored, internal = [] }: Case = {},
): Detection {
  return detectAddress(parseDetectionMethod(method, 'IP_AUTODETECTION_METHOD', family), {
    ...{ family, interfaces: hostOf(...host), internalIps: internal.map((text) => parseIpAddress(text)) },
    ...(towards !== undefined && { sourceTowards: parseIpAddress(towards) }),
    ...(stored !== undefined && { stored: parseIpAddress(stored) }),
  });
}

/** `10.0.0.5/24 eth0`, with a `?` where nothing but order decided, or `none`. */
function verdict(host: readonly string[], asked?: Case): string {
  const found = detect(host, asked);
  if (found.kind === 'none') return 'none';
  return `${formatPrefix(found.address)} ${found.interfaceName}${found.isAmbiguous ? '?' : ''}`;
}

const table = (host: readonly string[], asked?: Case): readonly string[] => {
  const { candidates } = detect(host, asked);
  const words = candidateLines(candidates);
  return candidates.map(({ standing }, i) => `${standing}: ${words[i]!}`);
};

/** What a node of Kubernetes collects beside its one way out. */
const CLUTTER = [
  '1 lo 127.0.0.1/8,::1/128,10.255.0.1/32',
  '4 docker0:bridge 172.17.0.1/16',
  '5 br-0a1b2c:bridge 172.18.0.1/16',
  '6 virbr0:bridge 192.168.122.1/24',
  '7 cni0:bridge 10.244.1.1/24',
  '8 kube-ipvs0:dummy 10.96.0.1/32,10.96.0.10/32',
  '9 nodelocaldns:dummy 169.254.20.10/32,10.96.0.10/32',
  '10 tailscale0:tun 100.64.0.7/32,fd7a:115c::7/128',
  '11 wg0:wireguard 10.200.0.1/24,fd99::1/64',
  '12 tunl0:ipip 10.48.0.1/32',
  '13 vxlan.calico:vxlan 10.48.0.2/32,fe80::1/64',
  '14 cali0123:veth fe80::ecee:ecff:feee:eeee/64',
  '15 vethb1d2:veth 10.4.0.1/32',
  '16 gretap0:gretap 192.0.2.1/24',
  '17 br-lan:bridge 10.11.0.1/24',
  '18 blue:vrf 10.12.0.1/24',
];

describe('first-found', () => {
  const ETH0 = '2 eth0 172.30.1.11/24,fe80::2/64';
  test.each<[string, readonly string[], string]>([
    ['one way out among bridges, tunnels, pods and services', [ETH0, ...CLUTTER], '172.30.1.11/24 eth0'],
    ['nothing but those', CLUTTER, 'none'],
    ['a bond, whose members have no address', ['2 eth0', '3 eth1', '4 bond0:bond 10.0.0.5/24'], '10.0.0.5/24 bond0'],
    ['a VLAN on a bond', ['4 bond0:bond', '5 bond0.7:vlan 10.0.7.5/24'], '10.0.7.5/24 bond0.7'],
    ['a name that tells nothing, of a bridge', [ETH0, '9 lan:bridge 10.9.0.1/24'], '172.30.1.11/24 eth0'],
    ['a name that tells nothing, of a tunnel', [ETH0, '9 office:tun 10.9.0.1/24'], '172.30.1.11/24 eth0'],
    ['a name that tells nothing, of a pair', [ETH0, '9 uplink:veth 10.9.0.1/24'], '172.30.1.11/24 eth0'],
    ['an Open vSwitch port', [ETH0, '9 ovs0:openvswitch 10.9.0.1/24'], '172.30.1.11/24 eth0'],
    ['a virtual address beside the own one', ['2 eth0 10.0.0.100/32,10.0.0.5/24'], '10.0.0.5/24 eth0'],
    ['a virtual address of another network', ['2 eth0 192.0.2.9/32,10.0.0.5/24'], '10.0.0.5/24 eth0'],
    ['a virtual address with a mask', ['2 eth0 10.0.0.5/24,10.0.0.100/24+secondary'], '10.0.0.5/24 eth0'],
    ['nothing but a single address, as clouds give it', ['2 eth0 10.128.0.2/32'], '10.128.0.2/32 eth0'],
    ['a single address beside a NIC with a subnet', ['2 eth0 10.0.0.5/24', '3 eth1 10.9.9.9/32'], '10.0.0.5/24 eth0'],
    ['two NICs in two networks', ['2 eth0 10.0.0.5/24', '3 eth1 10.0.1.5/24'], '10.0.1.5/24 eth1?'],
    ['two NICs in one network', ['2 eth0 10.0.0.5/24', '3 eth1 10.0.0.6/24'], '10.0.0.6/24 eth1?'],
    ['two networks on one NIC', ['2 eth0 10.0.0.5/24,10.0.1.5/24'], '10.0.0.5/24 eth0?'],
    ['a NIC that is down', ['2 eth0 10.0.0.5/24', '3! eth1 10.0.1.5/24'], '10.0.0.5/24 eth0'],
    ['a NIC without a cable', ['2 eth0 10.0.0.5/24', '3~ eth1 10.0.1.5/24'], '10.0.0.5/24 eth0'],
    ['nothing but a NIC without a cable', ['3~ eth1 10.0.1.5/24'], '10.0.1.5/24 eth1'],
    ['no DHCP server', ['2 eth0 169.254.3.4/16'], 'none'],
    ['IPv6 alone', ['2 eth0 2001:db8::5/64,fe80::2/64'], 'none'],
    ['class E, as some clouds use it', ['2 eth0 240.0.0.5/24'], '240.0.0.5/24 eth0'],
    ['a container, whose way out is a pair', ['1 lo 127.0.0.1/8', '2 eth0:veth 172.18.0.2/16'], '172.18.0.2/16 eth0'],
    ['a container of two networks', ['2 eth0:veth 10.0.0.5/24', '3 eth1:macvlan 10.0.1.5/24'], '10.0.1.5/24 eth1'],
    ['a container of pods', ['2 eth0:veth 172.18.0.2/16', '9 veth1:veth 10.4.0.1/32'], '172.18.0.2/16 eth0'],
    ['no interface', [], 'none'],
  ])('%s', (_, host, expected) => {
    expect(verdict(host)).toBe(expected);
  });
});

describe('of IPv6, first-found', () => {
  test.each<[string, readonly string[], string]>([
    ['IPv6 alone', ['2 eth0 2001:db8::5/64,fe80::2/64', ...CLUTTER], '2001:db8::5/64 eth0'],
    ['IPv4 alone', ['2 eth0 10.0.0.5/24,fe80::2/64', ...CLUTTER], 'none'],
    ['a unique local address', ['2 eth0 10.0.0.5/24,fd00::5/64'], 'fd00::5/64 eth0'],
    ['a temporary address, listed first', ['2 eth0 2001:db8::9/64+secondary,2001:db8::5/64'], '2001:db8::5/64 eth0'],
    ['a prefix that goes', ['2 eth0 2001:db8::5/64+deprecated,2001:db8:1::5/64'], '2001:db8:1::5/64 eth0'],
    ['a virtual address, listed first', ['2 eth0 2001:db8::100/128,2001:db8::5/64'], '2001:db8::5/64 eth0'],
    ['nothing but what DHCPv6 gave', ['2 eth0 2001:db8::5/128,fe80::2/64'], '2001:db8::5/128 eth0'],
    ['loopback, multicast and none', ['2 eth0 ::1/128,ff02::1/128,::/128,fe80::2/64'], 'none'],
    ['two prefixes', ['2 eth0 2001:db8::5/64,fd00::5/64'], '2001:db8::5/64 eth0?'],
  ])('%s', (_, host, expected) => {
    expect(verdict(host, { family: 6 })).toBe(expected);
  });
});

describe('the other methods', () => {
  const HOST = ['2 eth0 172.30.1.11/24,172.30.1.100/32,198.51.100.9/32', '3 eth1 172.31.1.11/24', ...CLUTTER];
  test.each<[why: string, method: string, expected: string, towards?: string]>([
    ['interface= takes what it names', 'interface=eth0', '172.30.1.11/24 eth0'],
    ['a bridge', 'interface=br-0.*', '172.18.0.1/16 br-0a1b2c'],
    ['a tunnel', 'interface=tailscale0', '100.64.0.7/32 tailscale0'],
    ['lo', 'interface=lo', '10.255.0.1/32 lo'],
    ['a part of a name means what has it', 'interface=ailsc', '100.64.0.7/32 tailscale0'],
    ['but what it names as a whole comes first, not a pod', 'interface=eth.*', '172.31.1.11/24 eth1?'],
    ['and so a way out comes before a bridge', 'interface=eth0,br-l', '172.30.1.11/24 eth0'],
    ['interfaces named together go by their index', 'interface=wg0,cni0', '10.200.0.1/24 wg0?'],
    ['of what is down nothing', 'interface=eth9', 'none'],
    ['skip-interface= adds to what is passed over', 'skip-interface=eth1,en.*', '172.30.1.11/24 eth0'],
    ['and may leave nothing', 'skip-interface=eth.*', 'none'],
    ['cidr= takes what lies inside', 'cidr=172.31.0.0/16', '172.31.1.11/24 eth1'],
    ['a bridge, where nothing else does', 'cidr=192.168.122.0/24', '192.168.122.1/24 virbr0'],
    ['else not the bridge that lies inside, too', 'cidr=172.16.0.0/12,10.99.0.0/16', '172.31.1.11/24 eth1?'],
    ['no virtual address', 'cidr=172.30.1.96/27', 'none'],
    ['not of another network, either', 'cidr=198.51.100.0/24', 'none'],
    ['but the one that it names, with the mask of its interface', 'cidr=172.30.1.100/32', '172.30.1.100/24 eth0'],
    ['nothing where nothing lies inside', 'cidr=203.0.113.0/24', 'none'],
    ['can-reach= takes the source towards it', 'can-reach=8.8.8.8', '172.30.1.11/24 eth0', '172.30.1.11'],
    ['over a tunnel, too', 'can-reach=10.200.0.9', '10.200.0.1/24 wg0', '10.200.0.1'],
    ['of a virtual address the one beside it', 'can-reach=172.30.1.100', '172.30.1.11/24 eth0', '172.30.1.100'],
    ['nothing where no route leads', 'can-reach=8.8.8.8', 'none'],
    ['nothing where the source is on no interface', 'can-reach=8.8.8.8', 'none', '192.0.2.77'],
  ])('%s: %s', (...[, method, expected, towards]) => {
    expect(verdict(HOST, { method, ...(towards !== undefined && { towards }) })).toBe(expected);
  });
});

test('interface=eth1 means eth1 before eth10, which it matches, too', () => {
  const host = ['2 eth0 10.0.0.5/24', '3 eth1 10.0.1.5/24', '12 eth10 10.0.10.5/24'];
  expect(table(host, { method: 'interface=eth1' })).toEqual([
    'taken: eth1 10.0.1.5/24 is the best that fits',
    'lower: eth10 10.0.10.5/24 is named only in part',
    'left out: eth0 10.0.0.5/24 is not asked for',
  ]);
});

test('can-reach= a virtual address that a link that is down has, too', () => {
  const host = ['2 eth0 10.0.0.9/32,10.0.0.5/24', '3! eth1 10.0.0.9/32,10.9.0.1/24'];
  expect(verdict(host, { method: 'can-reach=x', towards: '10.0.0.9' })).toBe('10.0.0.5/24 eth0');
});

describe('the address that the node has', () => {
  const TWO = ['2 eth0 10.0.0.5/24', '3 eth1 10.0.1.5/24'];
  test.each<[string, readonly string[], Case, string]>([
    ['stays where another would be taken now', TWO, { stored: '10.0.0.5' }, '10.0.0.5/24 eth0'],
    ['stays without a carrier', ['2~ eth0 10.0.0.5/24', TWO[1]!], { stored: '10.0.0.5' }, '10.0.0.5/24 eth0'],
    ['goes when its interface is down', ['2! eth0 10.0.0.5/24', TWO[1]!], { stored: '10.0.0.5' }, '10.0.1.5/24 eth1'],
    ['goes when DHCP has given another', TWO, { stored: '10.0.0.77' }, '10.0.1.5/24 eth1?'],
    ['goes when the method names another', TWO, { stored: '10.0.0.5', method: 'interface=eth1' }, '10.0.1.5/24 eth1'],
    ['goes when it is to be skipped', TWO, { stored: '10.0.1.5', method: 'skip-interface=eth1' }, '10.0.0.5/24 eth0'],
    ['goes when it is outside', TWO, { stored: '10.0.0.5', method: 'cidr=10.0.1.0/24' }, '10.0.1.5/24 eth1'],
    ['stays within', TWO, { stored: '10.0.0.5', method: 'cidr=10.0.0.0/16' }, '10.0.0.5/24 eth0'],
    [
      'goes where can-reach says another',
      TWO,
      { stored: '10.0.0.5', method: 'can-reach=8.8.8.8', towards: '10.0.1.5' },
      '10.0.1.5/24 eth1',
    ],
    [
      'stays on a bridge that Calico had taken',
      ['3 vmbr0:bridge 10.0.0.5/24', '4 eth1 10.0.1.5/24'],
      { stored: '10.0.0.5' },
      '10.0.0.5/24 vmbr0',
    ],
    [
      'goes from docker0, which Calico never took',
      [TWO[0]!, CLUTTER[1]!],
      { stored: '172.17.0.1' },
      '10.0.0.5/24 eth0',
    ],
    ['goes from a virtual one', ['2 eth0 10.0.0.5/24,10.0.0.9/32'], { stored: '10.0.0.9' }, '10.0.0.5/24 eth0'],
    ['has the mask of today', ['2 eth0 10.0.0.5/25'], { stored: '10.0.0.5' }, '10.0.0.5/25 eth0'],
    [
      'stays where DHCPv6 gave it beside another',
      ['2 eth0 2001:db8::9/128,2001:db8::5/64'],
      { stored: '2001:db8::9', family: 6 },
      '2001:db8::9/64 eth0',
    ],
  ])('%s', (...[, host, asked, expected]) => {
    expect(verdict(host, asked)).toBe(expected);
  });
});

describe('the ranking', () => {
  test('tells of each why it is where it is, and of an interface that is left out once', () => {
    const host = [
      '2 eth0 10.0.0.5/24,10.0.0.9/24+secondary,10.0.0.100/32,10.0.0.101/32',
      '3 eth1 10.0.1.5/24',
      '4! eth2',
      '5~ eth3 10.0.3.5/24',
      '6 eth4',
      ...['20 lan:bridge 10.9.0.1/24', '21 kube-ipvs0:dummy 10.96.0.1/32,10.96.0.10/32'],
    ];
    expect(table(host)).toEqual([
      'taken: eth1 10.0.1.5/24 comes first of what would do as well',
      'lower: eth0 10.0.0.5/24 would do as well, but its interface has a lower index',
      'lower: eth0 10.0.0.9/24 is a secondary address',
      'lower: eth3 10.0.3.5/24 has no carrier',
      "left out: kube-ipvs0 10.96.0.1/32 is passed over for its name, as Calico's first-found does",
      'left out: lan 10.9.0.1/24 is a bridge',
      'left out: eth4 has no IPv4 address',
      'left out: eth2 is down',
      'left out: eth0 10.0.0.100/32 is a single address beside 10.0.0.5/24: a virtual one',
      'left out: eth0 10.0.0.101/32 is a single address beside 10.0.0.5/24: a virtual one',
    ]);
  });

  test('tells what is kept, and what would be better but for that', () => {
    const host = ['2~ br0:bridge 10.0.0.5/24', '3 eth1 10.0.1.5/24'];
    expect(table(host, { stored: '10.0.0.5' })).toEqual([
      'taken: br0 10.0.0.5/24 stays, for the node has it and it is up, although it is a bridge',
      'lower: eth1 10.0.1.5/24 would do, but the address that the node has stays while it is up',
    ]);
  });

  test('tells on one interface what comes later there, and what is the only one', () => {
    expect(table(['2 eth0 10.0.0.5/24,10.0.1.5/24'])[1]).toBe(
      'lower: eth0 10.0.1.5/24 would do as well, but comes later on its interface',
    );
    expect(table(['2 eth0 10.0.0.5/32'])).toEqual([
      'taken: eth0 10.0.0.5/32 is the only one that fits, although it has no subnet',
    ]);
    expect(table(['2 eth0 10.0.0.5/24', '3 eth1 10.0.1.5/32'])[0]).toBe(
      'taken: eth0 10.0.0.5/24 is the best that fits',
    );
  });

  test('is one sentence where there is none', () => {
    expect(detect(['1 lo 127.0.0.1/8', '2 eth0 169.254.3.4/16', '3! eth1 10.0.0.1/8', CLUTTER[1]!]).reason).toBe(
      "no IPv4 address by first-found: docker0 172.17.0.1/16 is passed over for its name, as Calico's first-found does, eth1 10.0.0.1/8 is down, eth0 has no IPv4 address",
    );
    expect(detect(['2 eth0 10.0.0.5/24'], { method: 'can-reach=api.example' }).reason).toBe(
      'no IPv4 address by can-reach=api.example: no IPv4 route leads there, or the name is not known here',
    );
    expect(detect(['2 eth0 10.0.0.5/24'], { method: 'interface=bond.*' }).reason).toBe(
      'no IPv4 address by interface=bond.*: eth0 10.0.0.5/24 is not asked for',
    );
    expect(detect([], { family: 6 }).reason).toBe('no IPv6 address by first-found: there is no interface');
  });

  test('of a long list shows the first', () => {
    const host = Array.from({ length: 25 }, (_, i) => `${i + 2} eth${i} 10.0.${i}.5/24`);
    const { candidates } = detect(host);
    expect(candidates).toHaveLength(25);
    expect(candidateLines(candidates)).toHaveLength(21);
    expect(candidateLines(candidates).at(-1)).toBe('and 5 more');
  });
});

test('an address without a mask gets that of its interface, not /32', () => {
  const host = hostOf('2 eth0 172.30.1.11/24,172.30.1.100/32,192.0.2.9/32', '3 eth1 10.9.9.9/32');
  const mask = (text: string): string | undefined => {
    const found = maskOf(parseIpAddress(text), host);
    return found && formatPrefix(found);
  };
  expect(mask('172.30.1.11')).toBe('172.30.1.11/24');
  expect(mask('172.30.1.100')).toBe('172.30.1.100/24');
  expect(mask('192.0.2.9')).toBe('192.0.2.9/32');
  expect(mask('10.9.9.9')).toBe('10.9.9.9/32');
  expect(mask('9.9.9.9')).toBeUndefined();
  expect(maskOf(parseIpAddress('172.30.1.11'), host)).toEqual(parseInterfaceAddress('172.30.1.11/24'));
});

describe('kubernetes-internal-ip', () => {
  const host = ['2 eth0 10.0.0.5/24,fd00::5/64', '3 br0:bridge 10.0.1.5/24', '4 eth1 10.0.2.5/24'];
  const method = 'kubernetes-internal-ip';

  test('takes the InternalIP of the Node resource with the mask of its interface, whatever that is', () => {
    expect(verdict(host, { method, internal: ['fd00::5', '10.0.1.5'] })).toBe('10.0.1.5/24 br0');
    expect(verdict(host, { method, family: 6, internal: ['fd00::5', '10.0.1.5'] })).toBe('fd00::5/64 eth0');
  });

  test('follows it: an address that the node has and that it is no more does not stay', () => {
    expect(verdict(host, { method, internal: ['10.0.2.5'], stored: '10.0.0.5' })).toBe('10.0.2.5/24 eth1');
  });

  test('says where there is none, and where no interface has it', () => {
    expect(detect(host, { method, internal: ['fd00::5'] }).reason).toBe(
      'no IPv4 address by kubernetes-internal-ip: spec.addresses of the Node resource has no IPv4 address of type InternalIP',
    );
    const { reason } = detect(host, { method, internal: ['10.9.9.9'] });
    expect(reason).toContain('eth0 10.0.0.5/24 is not the InternalIP of the Node');
  });
});
