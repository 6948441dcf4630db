import { expect, test } from 'vitest';
import { appended, formatResult, readPrevResult } from '../../../src/cni/result.ts';
import type { CniResult } from '../../../src/cni/result.ts';
import { SUPPORTED_VERSIONS } from '../../../src/cni/versions.ts';

const own: CniResult = {
  interfaces: [
    { name: 'cali0123456789a', mac: 'ee:ee:ee:ee:ee:ee' },
    { name: 'eth0', mac: '0a:00:00:00:00:01', mtu: 1440, sandbox: '/var/run/netns/c1' },
  ],
  ips: [
    { address: '10.48.0.1/32', interface: 1 },
    { address: 'fd00::1/128', interface: 1 },
  ],
  routes: [{ dst: '0.0.0.0/0', gw: '169.254.1.1' }],
  dns: {},
};

const shape = (version: (typeof SUPPORTED_VERSIONS)[number]): CniResult =>
  JSON.parse(formatResult(own, version)) as CniResult;

test.each(['0.3.0', '0.3.1', '0.4.0'] as const)('%s tells the family of an address, and no MTU', (version) => {
  expect(shape(version)).toEqual({
    cniVersion: version,
    interfaces: [own.interfaces[0], { name: 'eth0', mac: '0a:00:00:00:00:01', sandbox: '/var/run/netns/c1' }],
    ips: [
      { version: '4', address: '10.48.0.1/32', interface: 1 },
      { version: '6', address: 'fd00::1/128', interface: 1 },
    ],
    routes: [{ dst: '0.0.0.0/0', gw: '169.254.1.1' }],
    dns: {},
  });
});

test('1.0.0 tells neither, 1.1.0 the MTU', () => {
  expect(shape('1.0.0').ips).toEqual(own.ips);
  expect(shape('1.0.0').interfaces[1]).not.toHaveProperty('mtu');
  expect(shape('1.1.0')).toEqual({ cniVersion: '1.1.0', ...own });
});

test('what is printed in one version is read back, and printed in any other', () => {
  for (const from of SUPPORTED_VERSIONS) {
    for (const to of SUPPORTED_VERSIONS) {
      const back = readPrevResult(JSON.parse(formatResult(own, from)));
      const again = JSON.parse(formatResult(back, to)) as CniResult;
      // The MTU is lost on the way through an older version.
      const expected = from === '1.1.0' || to !== '1.1.0' ? shape(to) : { ...shape('1.0.0'), cniVersion: to };
      expect(again, `${from} to ${to}`).toEqual(expected);
    }
  }
});

test('what an earlier plugin of the chain made comes first, and ours is counted on from there', () => {
  const before = readPrevResult({
    interfaces: [{ name: 'lo', sandbox: '/var/run/netns/c1' }],
    ips: [{ address: '127.0.0.1/8', interface: 0 }],
    dns: { nameservers: ['10.0.0.53'] },
  });
  expect(appended(before, own)).toEqual({
    interfaces: [before.interfaces[0], ...own.interfaces],
    ips: [
      { address: '127.0.0.1/8', interface: 0 },
      { address: '10.48.0.1/32', interface: 2 },
      { address: 'fd00::1/128', interface: 2 },
    ],
    routes: own.routes,
    dns: { nameservers: ['10.0.0.53'] },
  });
});

test.each([
  [{ ips: [{ address: '10.48.0.1/99' }] }, /^prevResult.ips.0.address = '10.48.0.1\/99'/],
  [{ interfaces: [{ mac: 'x' }] }, /^prevResult.interfaces.0.name: /],
  ['text', /^prevResult: /],
])('a previous result that is none: %j', (value, expected) => {
  expect(() => readPrevResult(value)).toThrow(expected);
});
