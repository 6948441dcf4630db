import { describe, expect, test } from 'vitest';
import { formatDetectionMethod, parseDetectionMethod } from '../../../src/config/detection-method.ts';
import type { IpFamily } from '../../../src/model/ip.ts';

const FIELD = 'IP_AUTODETECTION_METHOD';
const reread = (text: string, family: IpFamily = 4): string =>
  formatDetectionMethod(parseDetectionMethod(text, FIELD, family));

describe('a method of detection', () => {
  test.each([
    ['', 'first-found'],
    ['first-found', 'first-found'],
    ['interface=eth.*', 'interface=eth.*'],
    ['interface=eth0 , en.*', 'interface=eth0,en.*'],
    ['skip-interface=wg.*,eth1', 'skip-interface=wg.*,eth1'],
    ['cidr=10.0.0.0/8 ,192.168.0.0/16', 'cidr=10.0.0.0/8,192.168.0.0/16'],
    ['cidr=10.0.0.0/8,fd00::/8', 'cidr=10.0.0.0/8,fd00::/8'],
    ['can-reach=8.8.8.8', 'can-reach=8.8.8.8'],
    ['can-reach=api.cluster.example', 'can-reach=api.cluster.example'],
  ])('%j is read as %s', (text, expected) => {
    expect(reread(text)).toBe(expected);
  });

  test.each([
    ['cidr=10.0.0.0/8,fd00::/8', 'cidr=10.0.0.0/8,fd00::/8'],
    ['can-reach=2001:db8::1', 'can-reach=2001:db8::1'],
  ])('of IPv6, %j is read as %s', (text, expected) => {
    expect(reread(text, 6)).toBe(expected);
  });

  const FORMS = 'is none of first-found, interface=…, skip-interface=…, cidr=…, can-reach=…';
  test.each<[string, string, IpFamily?]>([
    ['nonsense', `${FIELD} = 'nonsense': ${FORMS}`],
    ['first-found=eth0', FORMS],
    ['interface', FORMS],
    ['interface= , ', FORMS],
    ['can-reach=', FORMS],
    ['interface=eth0,(', `${FIELD} = '(': is not a regular expression`],
    ['cidr=10.0.0.1/8', 'has host bits set; the network is 10.0.0.0/8'],
    ['cidr=fd00::/8', `${FIELD} = 'fd00::/8': has no IPv4 network`],
    ['cidr=10.0.0.0/8', 'has no IPv6 network', 6],
    ['can-reach=2001:db8::1', `${FIELD} = '2001:db8::1': is not an IPv4 address`],
    ['can-reach=8.8.8.8', 'is not an IPv6 address', 6],
    ['can-reach=8.8.8', `${FIELD} = '8.8.8': is not an IP address`],
    ['kubernetes-internal-ip=eth0', 'is none of first-found, interface=…'],
  ])('%j is refused in one sentence', (text, sentence, family = 4) => {
    expect(() => parseDetectionMethod(text, FIELD, family)).toThrow(sentence);
  });
});
