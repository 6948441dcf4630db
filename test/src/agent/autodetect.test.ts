import { describe, expect, test } from 'vitest';
import type { HostInterface } from '../../../felix/index.ts';
import { detectAddress, maskOf } from '../../../src/agent/autodetect.ts';
import { parseDetectionMethod } from '../../../src/config/detection-method.ts';
import { formatPrefix, parseInterfaceAddress, parseIpAddress } from '../../../src/model/ip.ts';

/** `2 eth0 172.30.1.11/24,…` or `3! eth1 …` for one that is down. */
const host = (...lines: string[]): HostInterface[] =>
  lines.map((line) => {
    const [index = '', name = '', addresses = ''] = line.split(' ');
    return {
      name,
      index: Number.parseInt(index),
      up: !index.includes('!'),
      running: true,
      mtu: 1500,
      mac: '',
      addresses: addresses
        .split(',')
        .filter(Boolean)
        .map((text) => parseInterfaceAddress(text)),
    };
  });

const detect = (method: string, ...lines: string[]): string => {
  const [name, towards] = method.split('~');
  const found = detectAddress(parseDetectionMethod(name!, 'IP_AUTODETECTION_METHOD'), {
    interfaces: host(...lines),
    ...(towards === undefined ? {} : { sourceTowards: parseIpAddress(towards) }),
  });
  return found.kind === 'found' ? `${formatPrefix(found.address)} ${found.interfaceName}` : found.reason;
};

const LAPTOP = [
  '1 lo 127.0.0.1/8',
  '2 eth0 172.30.1.11/24',
  '3! eth1 172.31.1.11/24',
  '4 docker0 172.17.0.1/16',
  '5 br-0a1b 172.18.0.1/16',
  '6 virbr0 192.168.122.1/24',
  '7 cali0123 169.254.1.1/32',
  '8 tunl0 192.168.1.0/32',
  '9 wg0',
];

describe('first-found', () => {
  test('passes over bridges, tunnels, pods and what is down', () => {
    expect(detect('first-found', ...LAPTOP)).toBe('172.30.1.11/24 eth0');
  });

  test('goes from the highest index down, as Calico', () => {
    expect(detect('first-found', '2 eth0 10.0.0.1/24', '3 eth1 10.0.1.1/24')).toBe('10.0.1.1/24 eth1');
  });

  test('tells what was passed over when nothing fits', () => {
    expect(detect('first-found', '1 lo 127.0.0.1/8', '2 eth0 169.254.3.4/16', '3! eth1 10.0.0.1/8')).toBe(
      'no address by first-found: eth1 is down, eth0 has no fitting IPv4 address, lo is a bridge, tunnel or pod interface',
    );
  });
});

describe('the other methods', () => {
  test('interface= takes what it names, bridges too', () => {
    expect(detect('interface=br-.*', ...LAPTOP)).toBe('172.18.0.1/16 br-0a1b');
  });

  test('skip-interface= adds to what is never taken', () => {
    expect(detect('skip-interface=eth1', '2 eth0 10.0.0.1/24', '3 eth1 10.0.1.1/24')).toBe('10.0.0.1/24 eth0');
  });

  test('cidr= takes the address that lies inside', () => {
    expect(detect('cidr=192.168.122.0/24', ...LAPTOP)).toBe('192.168.122.1/24 virbr0');
  });

  test('can-reach= takes the interface of the source address', () => {
    expect(detect('can-reach=8.8.8.8~172.30.1.11', ...LAPTOP)).toBe('172.30.1.11/24 eth0');
  });

  test.each(['nonsense', 'interface=', 'interface=(', 'cidr=10.0.0.1/8', 'kubernetes-internal-ip'])(
    '%j is refused',
    (text) => {
      expect(() => parseDetectionMethod(text, 'IP_AUTODETECTION_METHOD')).toThrow('IP_AUTODETECTION_METHOD');
    },
  );
});

test('an address without a mask gets that of its interface, not /32', () => {
  expect(maskOf(parseIpAddress('172.30.1.11'), host(...LAPTOP))).toEqual(parseInterfaceAddress('172.30.1.11/24'));
  expect(maskOf(parseIpAddress('9.9.9.9'), host(...LAPTOP))).toBeUndefined();
});
