import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { detectAddress } from '../../../src/agent/autodetect.ts';
import type { Detection } from '../../../src/agent/autodetect.ts';
import { parseDetectionMethod } from '../../../src/config/detection-method.ts';
import type { HostInterface } from '../../../felix/index.ts';
import {
  formatIpAddress,
  formatPrefix,
  parseInterfaceAddress,
  parseIpAddress,
  sameAddress,
} from '../../../src/model/ip.ts';
import type { IpFamily } from '../../../src/model/ip.ts';

/** Few enough that two links often have one, that methods match, and that virtual addresses lie in subnets. */
const ADDRESSES: Readonly<Record<IpFamily, readonly string[]>> = {
  4: ['10.0.0.5/24', '10.0.0.9/32', '10.0.1.5/24', '10.0.1.9/32', '192.168.0.5/16', '169.254.1.1/16', '203.0.113.9/32'],
  6: ['2001:db8::5/64', '2001:db8::9/128', 'fd00::5/64', 'fd00::9/128', 'fe80::1/64', '2001:db8:1::9/128'],
};
const METHODS: Readonly<Record<IpFamily, readonly string[]>> = {
  4: [
    'first-found',
    'interface=eth.*,br0',
    'skip-interface=eth1',
    'cidr=10.0.0.0/16',
    'cidr=10.0.0.9/32',
    'can-reach=x',
  ],
  6: ['first-found', 'interface=eth.*,br0', 'skip-interface=eth1', 'cidr=fd00::/8', 'cidr=fd00::9/128', 'can-reach=x'],
};
const LINKS: readonly (readonly [name: string, kind?: string])[] = [
  ...([['lo'], ['eth0'], ['eth1'], ['eth2', 'veth'], ['bond0', 'bond'], ['br0', 'bridge']] as const),
  ...([
    ['docker0', 'bridge'],
    ['wg0', 'wireguard'],
    ['kube-ipvs0', 'dummy'],
    ['cali1', 'veth'],
  ] as const),
];

const link = (index: number, family: IpFamily): fc.Arbitrary<HostInterface> => {
  const [name, kind] = LINKS[index]!;
  return fc.record({
    ...{ name: fc.constant(name), index: fc.constant(index + 1), mtu: fc.constant(1500), mac: fc.constant('') },
    ...{ up: fc.boolean(), running: fc.boolean() },
    ...(kind !== undefined && { kind: fc.constant(kind) }),
    addresses: fc.uniqueArray(
      fc
        .record({ text: fc.constantFrom(...ADDRESSES[family]), secondary: fc.boolean(), deprecated: fc.boolean() })
        .map(({ text, secondary, deprecated }) => ({ ...parseInterfaceAddress(text), secondary, deprecated })),
      { selector: formatPrefix, maxLength: 4 },
    ),
  });
};

/** Some of the links, in any order, and the question. */
const situation = fc.constantFrom<IpFamily>(4, 6).chain((family) =>
  fc.record({
    family: fc.constant(family),
    method: fc.constantFrom(...METHODS[family]).map((text) => parseDetectionMethod(text, 'METHOD', family)),
    interfaces: fc
      .shuffledSubarray(LINKS.map((_, i) => i))
      .chain((chosen) => fc.tuple(...chosen.map((index) => link(index, family)))),
    sourceTowards: fc.constantFrom(...ADDRESSES[family]).map((text) => parseIpAddress(text.split('/')[0]!)),
  }),
);

const taken = (detection: Detection): string =>
  detection.kind === 'found' ? `${formatPrefix(detection.address)} ${detection.interfaceName}` : 'none';

describe('whatever the host has', () => {
  test('the order in which its links are listed does not matter', () => {
    fc.assert(
      fc.property(situation, fc.array(fc.nat(), { minLength: 10, maxLength: 10 }), ({ method, ...inputs }, keys) => {
        const shuffled = inputs.interfaces.toSorted((a, b) => keys[a.index - 1]! - keys[b.index - 1]!);
        expect(detectAddress(method, { ...inputs, interfaces: shuffled })).toEqual(detectAddress(method, inputs));
      }),
      { numRuns: 300 },
    );
  });

  test('what was taken stays, whatever else comes, goes or changes, while it is up', () => {
    fc.assert(
      fc.property(situation, situation, ({ method, ...before }, after) => {
        const first = detectAddress(method, before);
        fc.pre(first.kind === 'found' && method.kind !== 'can-reach' && after.family === before.family);
        const own = before.interfaces.find(({ name }) => name === first.interfaceName)!;
        const others = after.interfaces.filter(({ name }) => name !== own.name);
        const now = detectAddress(method, {
          ...{ ...before, interfaces: [...others, own], stored: first.address.address },
        });
        expect(now.kind === 'found' && formatIpAddress(now.address.address)).toBe(
          formatIpAddress(first.address.address),
        );
      }),
      { numRuns: 300 },
    );
  });

  test('what is taken is up, of the family, and has a mask that its interface has', () => {
    fc.assert(
      fc.property(situation, ({ method, ...inputs }) => {
        const found = detectAddress(method, inputs);
        fc.pre(found.kind === 'found');
        const own = inputs.interfaces.find(({ name }) => name === found.interfaceName)!;
        expect(own.up).toBe(true);
        expect(own.addresses.some(({ address }) => sameAddress(address, found.address.address))).toBe(true);
        expect(own.addresses.map(({ length }) => length)).toContain(found.address.length);
        expect(found.address.address.family).toBe(inputs.family);
      }),
      { numRuns: 300 },
    );
  });

  test('unless it is named, it is no bridge, tunnel or dummy, and no single address beside one with a subnet', () => {
    fc.assert(
      fc.property(situation, ({ interfaces, family }) => {
        const found = detectAddress({ kind: 'first-found' }, { interfaces, family });
        fc.pre(found.kind === 'found');
        const own = interfaces.find(({ name }) => name === found.interfaceName)!;
        expect(['eth0', 'eth1', 'eth2', 'bond0']).toContain(own.name);
        if (own.name === 'eth2') expect(interfaces.some(({ name }) => /^eth[01]$/.test(name))).toBe(false);
        const usable = own.addresses.filter(({ address }) => !/^(169\.254|fe80)/.test(formatIpAddress(address)));
        const isSingle = found.address.length === (family === 4 ? 32 : 128);
        if (isSingle) expect(usable.every(({ length }) => length === found.address.length)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('one row is taken where something is found, and it comes first; what is left out comes last', () => {
    fc.assert(
      fc.property(situation, ({ method, ...inputs }) => {
        const found = detectAddress(method, inputs);
        const standings = found.candidates.map(({ standing }) => standing);
        const order = ['taken', 'lower', 'left out'];
        expect(standings).toEqual(standings.toSorted((a, b) => order.indexOf(a) - order.indexOf(b)));
        expect(standings.filter((each) => each === 'taken')).toHaveLength(found.kind === 'found' ? 1 : 0);
        if (taken(found) === 'none') expect(standings).not.toContain('lower');
      }),
      { numRuns: 300 },
    );
  });
});
