import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planTunnels } from '../../../felix/calc/tunnels.ts';
import type { DataplaneInputs } from '../../../felix/inputs.ts';
import { listingOf } from '../../../felix/nat/listing.ts';
import type { NatSettings, NatTable } from '../../../felix/nat/plan.ts';
import { planNat, portsBeside, separate, subjectText } from '../../../felix/nat/plan.ts';
import {
  formatPrefix,
  hostPrefix,
  ipv4Address,
  parseIpAddress,
  parsePrefix,
  prefixContainsAddress,
  prefixOf,
} from '../../../src/model/ip.ts';
import type { IpAddress } from '../../../src/model/ip.ts';
import { dualA1, dualA2, host, inputs, pool } from '../../support/dataplane-inputs.ts';

const TUNNEL_SETTINGS = { ipipMtu: 0, vxlanMtu: 0, vxlanVni: 4096, vxlanPort: 4789 };

function plan(some: Partial<DataplaneInputs>, settings: NatSettings = {}) {
  const all = inputs(some);
  return planNat(all, planTunnels(all, host(), TUNNEL_SETTINGS), { settings, vxlanPort: 4789 });
}

const sets = (table: NatTable | undefined): object =>
  Object.fromEntries((table?.sets ?? []).map(({ name, prefixes }) => [name, prefixes.map(formatPrefix)]));

/** What the rules say of a packet that no interface and no protocol matters for. */
function isTranslated(table: NatTable | undefined, source: IpAddress, destination: IpAddress): boolean {
  const holds = (name: string, address: IpAddress): boolean =>
    table?.sets.find((set) => set.name === name)?.prefixes.some((each) => prefixContainsAddress(each, address)) ??
    false;
  return (table?.rules ?? []).some(
    ({ family, packets }) =>
      family === source.family &&
      packets.kind === 'outgoing' &&
      holds(packets.sources, source) &&
      !holds(packets.inside, destination),
  );
}

describe('natOutgoing', () => {
  test('without a pool that asks for it there is no table', () => {
    expect(plan({ pools: [pool('10.0.0.0/16'), pool('fd10::/64')] }).table).toBeUndefined();
  });

  test('the sources are the pools that ask for it, the inside is every pool, each family by itself', () => {
    const pools = [
      pool('10.0.0.0/16', { nat: true }, 'a'),
      pool('10.9.0.0/16', {}, 'b'),
      pool('fd10::/64', { nat: true }, 'c'),
      pool('fd11::/64', {}, 'd'),
    ];
    const { table } = plan({ pools });
    expect(sets(table)).toEqual({
      'nat-outgoing-ipv4': ['10.0.0.0/16'],
      'inside-ipv4': ['10.0.0.0/16', '10.9.0.0/16'],
      'nat-outgoing-ipv6': ['fd10::/64'],
      'inside-ipv6': ['fd10::/64', 'fd11::/64'],
    });
    expect(table?.rules.map(({ family, packets }) => `${family} ${packets.kind}`)).toEqual([
      '4 outgoing',
      '6 outgoing',
    ]);
  });

  test('a family in which nobody asks for it has neither sets nor rules', () => {
    expect(sets(plan({ pools: [pool('10.0.0.0/16', { nat: true }), pool('fd10::/64')] }).table)).toEqual({
      'nat-outgoing-ipv4': ['10.0.0.0/16'],
      'inside-ipv4': ['10.0.0.0/16'],
    });
  });

  test('with IPPoolsAndHostIPs the nodes are inside, too', () => {
    const { table } = plan({ pools: [pool('10.0.0.0/16', { nat: true })] }, { exclusions: 'IPPoolsAndHostIPs' });
    expect(sets(table)).toMatchObject({
      'inside-ipv4': ['10.0.0.0/16', '172.30.1.11/32', '172.30.1.12/32', '172.30.2.11/32', '172.30.2.12/32'],
    });
  });

  test('of an IPv6 pool the IPv6 addresses of the nodes', () => {
    const dual = { local: dualA1, nodes: [dualA2], pools: [pool('fd10::/64', { nat: true })] };
    expect(sets(plan(dual, { exclusions: 'IPPoolsAndHostIPs' }).table)).toMatchObject({
      'inside-ipv6': ['fd00:30:1::11/128', 'fd00:30:1::12/128', 'fd10::/64'],
    });
  });

  test('a range of ports holds for TCP and UDP, and what has no ports is translated without', () => {
    const { table } = plan({ pools: [pool('10.0.0.0/16', { nat: true })] }, { portRange: { from: 3e4, to: 4e4 } });
    expect(table?.rules.map(({ protocol, ports }) => [protocol, ports?.from])).toEqual([
      [6, 3e4],
      [17, 3e4],
      [undefined, undefined],
    ]);
  });

  test('an address of IPv4 takes the place of the interface’s in IPv4 alone', () => {
    const pools = [pool('10.0.0.0/16', { nat: true }, 'a'), pool('fd10::/64', { nat: true }, 'b')];
    const { table } = plan({ pools }, { address: parseIpAddress('203.0.113.5') });
    expect(table?.rules.map(({ address }) => address?.family)).toEqual([4, undefined]);
  });

  const address = fc.integer({ min: 0, max: 0xffff_ffff }).map(ipv4Address);
  const somePool = fc
    .tuple(address, fc.integer({ min: 0, max: 32 }), fc.boolean())
    .map(([each, length, nat]) => ({ ...pool('0.0.0.0/0', { nat }), cidr: prefixOf(each, length) }));

  test('a packet is translated if and only if its source is in such a pool and its destination in no pool', () => {
    fc.assert(
      fc.property(fc.array(somePool, { maxLength: 5 }), fc.array(address, { maxLength: 3 }), (pools, more) => {
        const { table } = plan({ pools });
        // Addresses in the pools are met by chance as good as never.
        const addresses = [...more, ...pools.map(({ cidr }) => cidr.address)];
        for (const source of addresses) {
          for (const destination of addresses) {
            const isIn = ({ cidr }: { readonly cidr: (typeof pools)[number]['cidr'] }, one: IpAddress): boolean =>
              prefixContainsAddress(cidr, one);
            const wanted =
              pools.some((each) => each.natOutgoing && isIn(each, source)) &&
              !pools.some((each) => isIn(each, destination));
            expect(isTranslated(table, source, destination)).toBe(wanted);
          }
        }
      }),
    );
  });

  test('the order of pools and nodes makes no difference', () => {
    fc.assert(
      fc.property(
        fc
          .array(somePool, { maxLength: 6 })
          .chain((pools) => fc.tuple(fc.constant(pools), fc.shuffledSubarray(pools, { minLength: pools.length }))),
        ([pools, shuffled]) => {
          const [a, b] = [pools, shuffled].map(
            (each) => plan({ pools: each }, { exclusions: 'IPPoolsAndHostIPs' }).table,
          );
          expect(a && listingOf(a)).toEqual(b && listingOf(b));
        },
      ),
    );
  });
});

describe('tunnels', () => {
  test('what the host sends into a tunnel that is wanted gets the tunnel’s address, UDP never the port of VXLAN', () => {
    const { table } = plan({ pools: [pool('10.0.0.0/16', { vxlan: 'Always' })] });
    expect(table?.sets).toEqual([]);
    expect(table?.rules.map(({ packets, protocol, ports }) => ({ packets, protocol, ports }))).toEqual([
      { packets: { kind: 'tunnel', link: 'vxlan.calico' }, protocol: 17, ports: { from: 4790, to: 65_535 } },
      { packets: { kind: 'tunnel', link: 'vxlan.calico' }, protocol: undefined, ports: undefined },
    ]);
  });

  test('each of two tunnels has its rules, a disabled or plain pool adds none', () => {
    const pools = [pool('10.0.0.0/16', { ipip: 'CrossSubnet' }, 'a'), pool('10.1.0.0/16', { vxlan: 'Always' }, 'b')];
    const { table } = plan({ pools });
    const links = table?.rules.map(({ packets }) => packets.kind === 'tunnel' && packets.link);
    expect([...new Set(links)]).toEqual(['tunl0', 'vxlan.calico']);
  });

  test.each([
    [4789, { from: 4790, to: 65_535 }],
    [60_000, { from: 1024, to: 59_999 }],
    [1, { from: 1024, to: 65_535 }],
    [65_535, { from: 1024, to: 65_534 }],
  ])('beside port %d the wider range', (port, range) => {
    expect(portsBeside(port)).toEqual(range);
  });
});

test('whoever asks hears of each pool and tunnel, and why', () => {
  const pools = [pool('10.0.0.0/16', { nat: true }, 'b'), pool('10.1.0.0/16', { vxlan: 'Always' }, 'a')];
  const told = plan({ pools }).subjects.map((one) => `${subjectText(one)}: ${one.isWanted} ${one.reason}`);
  expect(told).toEqual([
    'ippool a (10.1.0.0/16): false the pool has natOutgoing false',
    "ippool b (10.0.0.0/16): true leaves as this host's address where the destination is in no ippool",
    "vxlan.calico: true what this host itself sends through it leaves as the tunnel's address",
  ]);
  const settings = { address: parseIpAddress('203.0.113.5'), exclusions: 'IPPoolsAndHostIPs' } as const;
  expect(plan({ pools: [pool('10.0.0.0/16', { nat: true })] }, settings).subjects[0]?.reason).toBe(
    'leaves as 203.0.113.5 where the destination is in no ippool and is no node',
  );
});

test('networks inside another are left out', () => {
  const all = ['10.0.0.0/16', '10.0.0.0/8', '10.0.0.0/8', '9.0.0.0/8', 'fd10::/64'].map((text) => parsePrefix(text));
  expect(separate(all).map(formatPrefix)).toEqual(['9.0.0.0/8', '10.0.0.0/8', 'fd10::/64']);
  expect(separate([hostPrefix(parseIpAddress('10.0.0.1'))]).map(formatPrefix)).toEqual(['10.0.0.1/32']);
});
