import { describe, expect, test } from 'vitest';
import { chooseAddress } from '../../../src/agent/address-choice.ts';
import type { ChosenAddress } from '../../../src/agent/address-choice.ts';
import { parseDetectionMethod } from '../../../src/config/detection-method.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import { formatPrefix, parseIpAddress } from '../../../src/model/ip.ts';
import type { IpFamily } from '../../../src/model/ip.ts';
import { hostOf } from '../../support/host-interfaces.ts';

const HOST = ['2 eth0 10.0.0.5/24,2001:db8::5/64', '3 eth1 10.0.1.5/24,10.0.1.9/32', '4 wg0:wireguard 10.200.0.1/24'];

interface Asked {
  readonly family?: IpFamily;
  readonly setting?: string;
  readonly method?: string;
  readonly stored?: string;
  readonly towards?: string;
  readonly host?: readonly string[];
}

function choose({ family = 4, setting = '', method = '', stored, towards, host = HOST }: Asked) {
  const name = family === 4 ? 'IP' : 'IP6';
  const { ip, ip6 } = loadSettings({ DATASTORE_TYPE: 'file', [name]: setting });
  return chooseAddress({
    ...{ family, setting: family === 4 ? ip : ip6, stored, interfaces: hostOf(...host) },
    method: parseDetectionMethod(method, `${name}_AUTODETECTION_METHOD`, family),
    sourceTowards: (destination, ofFamily) =>
      Promise.resolve(
        destination === 'api.example' && ofFamily === family && towards !== undefined
          ? parseIpAddress(towards)
          : undefined,
      ),
  });
}

/** `REASON`, and what the operator is warned of. */
const words = (chosen: ChosenAddress | undefined): readonly string[] =>
  chosen === undefined ? ['no address'] : [chosen.reason, ...chosen.warnings];

const AMBIGUOUS =
  'several IPv4 addresses of this host would do as well as 10.0.1.5/24 of eth1: choose one with IP_AUTODETECTION_METHOD or IP';
const DETECTED = ['10.0.1.5/24 of eth1, by first-found', AMBIGUOUS];
const NOWHERE = '10.9.9.9/24 of the Node resource is on no interface of this host';

describe("the node's address", () => {
  test.each<[string, Asked, readonly string[]]>([
    ['not set and not stored is detected', {}, DETECTED],
    ['not set stays as it is stored', { stored: '10.0.0.5/16' }, ['10.0.0.5/16, as the Node resource has it']],
    [
      'even where the host has it no longer',
      { stored: '10.9.9.9/24' },
      ['10.9.9.9/24, as the Node resource has it', NOWHERE],
    ],
    [
      'stored without a mask gets that of its interface',
      { stored: '10.0.0.5' },
      ['10.0.0.5/24, as the Node resource has it'],
    ],
    [
      'none stays as it is stored',
      { setting: 'none', stored: '10.0.0.5/24' },
      ['10.0.0.5/24, as the Node resource has it'],
    ],
    ['none and not stored is none', { setting: 'none' }, ['no address']],
    ['autodetect detects', { setting: 'autodetect' }, DETECTED],
    [
      'autodetect keeps what is up',
      { setting: 'autodetect', stored: '10.0.0.5/24' },
      ['10.0.0.5/24 of eth0, which the node has already'],
    ],
    [
      'autodetect tells when it moves',
      { setting: 'autodetect', stored: '10.9.9.9/24', method: 'interface=eth0' },
      ['10.0.0.5/24 of eth0, by interface=eth0', 'this node moves from 10.9.9.9/24 to 10.0.0.5/24'],
    ],
    [
      'autodetect that finds nothing keeps what is stored, and says so',
      { setting: 'autodetect', stored: '10.9.9.9/24', method: 'cidr=203.0.113.0/24', host: HOST.slice(0, 1) },
      [
        '10.9.9.9/24, which the Node resource has, for nothing else was found',
        'no IPv4 address by cidr=203.0.113.0/24: eth0 10.0.0.5/24 is in none of the networks asked for; 10.9.9.9/24 of the Node resource is kept',
      ],
    ],
    [
      'can-reach asks the kernel',
      { setting: 'autodetect', method: 'can-reach=api.example', towards: '10.200.0.1' },
      ['10.200.0.1/24 of wg0, by can-reach=api.example'],
    ],
    ['given with a mask is taken so', { setting: '10.0.0.5/24' }, ['10.0.0.5/24, as IP says']],
    ['given without one gets that of its interface', { setting: '10.0.0.5' }, ['10.0.0.5/24, as IP says']],
    ['that of the subnet it lies in, where it is a virtual one', { setting: '10.0.1.9' }, ['10.0.1.9/24, as IP says']],
    [
      'given with another mask than the interface has is told',
      { setting: '10.0.0.5/16' },
      ['10.0.0.5/16, as IP says', 'IP gives 10.0.0.5/16, its interface has 10.0.0.5/24'],
    ],
    [
      'given and not there is told',
      { setting: '192.0.2.7/24', stored: '10.0.0.5/24' },
      ['192.0.2.7/24, as IP says', '192.0.2.7, which IP gives, is on no interface of this host'],
    ],
  ])('%s', async (_, asked, expected) => {
    expect(words(await choose(asked))).toEqual(expected);
  });

  test.each<[string, Asked, readonly string[]]>([
    ['not set is none, whatever the host has', {}, ['no address']],
    ['not set stays as it is stored', { stored: '2001:db8::5/64' }, ['2001:db8::5/64, as the Node resource has it']],
    [
      'none stays as it is stored',
      { setting: 'none', stored: '2001:db8::5/64' },
      ['2001:db8::5/64, as the Node resource has it'],
    ],
    ['autodetect detects', { setting: 'autodetect' }, ['2001:db8::5/64 of eth0, by first-found']],
    [
      'autodetect by its own method',
      { setting: 'autodetect', method: 'can-reach=api.example', towards: '2001:db8::5' },
      ['2001:db8::5/64 of eth0, by can-reach=api.example'],
    ],
    ['given without a mask gets that of its interface', { setting: '2001:db8::5' }, ['2001:db8::5/64, as IP6 says']],
  ])('of IPv6, %s', async (_, asked, expected) => {
    expect(words(await choose({ family: 6, ...asked }))).toEqual(expected);
  });

  test.each<[string, Asked, string]>([
    [
      'nothing to detect',
      { method: 'interface=bond.*', host: HOST.slice(0, 1) },
      "IP_AUTODETECTION_METHOD = 'interface=bond.*': no IPv4 address by interface=bond.*: eth0 10.0.0.5/24 is not asked for; name an interface with IP_AUTODETECTION_METHOD=interface=NAME, or set IP",
    ],
    [
      'no IPv6 to detect',
      { family: 6, setting: 'autodetect', host: HOST.slice(2) },
      "IP6_AUTODETECTION_METHOD = 'first-found': no IPv6 address by first-found: there is no interface; name an interface with IP6_AUTODETECTION_METHOD=interface=NAME, or set IP6",
    ],
    [
      'no mask',
      { setting: '192.0.2.7' },
      "IP = '192.0.2.7': is on no interface of this host; say its subnet's length too, as in 192.0.2.7/24",
    ],
    [
      'no mask of IPv6',
      { family: 6, setting: 'fd00::7' },
      "IP6 = 'fd00::7': is on no interface of this host; say its subnet's length too, as in fd00::7/64",
    ],
  ])('with %s it is one sentence', async (_, asked, sentence) => {
    await expect(choose(asked)).rejects.toThrow(sentence);
  });

  test('says when others would do as well, and only then', async () => {
    expect((await choose({ setting: 'autodetect' }))?.isAmbiguous).toBe(true);
    expect((await choose({ setting: 'autodetect', stored: '10.0.0.5/24' }))?.isAmbiguous).toBe(false);
    expect((await choose({ setting: 'autodetect', method: 'interface=eth0' }))?.isAmbiguous).toBe(false);
    expect((await choose({ setting: '10.0.0.5/24' }))?.candidates).toEqual([]);
    expect(formatPrefix((await choose({ setting: '10.0.0.5' }))!.address)).toBe('10.0.0.5/24');
  });
});
