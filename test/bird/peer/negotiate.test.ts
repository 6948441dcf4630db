import { describe, expect, test } from 'vitest';
import { localOpen, negotiate } from '../../../bird/peer/negotiate.ts';
import type { LocalSettings } from '../../../bird/peer/negotiate.ts';
import type { Capability, Open } from '../../../bird/wire.ts';
import { agreed, localSettings, openOf, withoutRestart } from '../../support/bgp.ts';

const local: LocalSettings = localSettings();
const theirs: Open = openOf(local);

const without = (open: Open, name: Capability['name']): Open => ({
  ...open,
  capabilities: open.capabilities.filter((capability) => capability.name !== name),
});

function refusal(open: Open, settings: LocalSettings = local): readonly [string, string, readonly number[]] {
  const outcome = negotiate(open, settings);
  if (outcome.kind === 'agreed') throw new Error('was agreed');
  return [outcome.fault.code.join('/'), outcome.fault.text, [...outcome.fault.data]];
}

describe('an OPEN is refused with the code and data that RFC 4271 §6.2 asks for', () => {
  test('version 3', () =>
    expect(refusal({ ...theirs, version: 3 })).toEqual(['2/1', 'BGP version 3 is not 4', [0, 4]]));
  test('hold time 1 and 2', () => {
    expect(refusal({ ...theirs, holdSeconds: 2 })).toEqual(['2/6', 'hold time 2 is below 3 and not 0', [0, 2]]);
    expect(refusal({ ...theirs, holdSeconds: 1 })[0]).toBe('2/6');
  });
  test('BGP Identifier zero', () => expect(refusal({ ...theirs, bgpIdentifier: 0 })[0]).toBe('2/3'));
  test('our own BGP Identifier inside the AS', () => {
    expect(refusal({ ...theirs, bgpIdentifier: local.bgpIdentifier })[0]).toBe('2/3');
  });
  test('our own BGP Identifier in another AS is no fault, RFC 6286', () => {
    const external = localSettings({ remoteAsn: 65001 });
    const open = { ...openOf(external), bgpIdentifier: external.bgpIdentifier };
    expect(negotiate(open, external).kind).toBe('agreed');
  });
  test('another AS, four octets where they said so', () => {
    expect(refusal(theirs, { ...local, remoteAsn: 65009 })).toEqual([
      '2/2',
      'AS mismatch: the peer says AS 64512, AS 65009 is configured',
      [0, 0, 0xfc, 0],
    ]);
  });
  test('another AS, two octets from an old peer', () => {
    const old = without(theirs, 'four-octet-as');
    expect(refusal(old, { ...local, remoteAsn: 65009 })[2]).toEqual([0xfc, 0]);
  });
  test('an AS that is not among those that a dynamic peer may have', () => {
    expect(refusal(theirs, { ...local, remoteAsns: [65001, 65002] })[1]).toBe(
      'AS mismatch: the peer says AS 64512, AS 65001 or 65002 is configured',
    );
  });
  test('no family in common names ours', () => {
    const other = { ...theirs, capabilities: [{ name: 'multiprotocol', family: { afi: 2, safi: 1 } }] as const };
    expect(refusal({ ...other, asn: 64512 })).toEqual([
      '2/7',
      'the peer offers none of IPv4 unicast',
      [1, 4, 0, 1, 0, 1],
    ]);
  });
  test('the hold time is named before the AS where both are wrong', () => {
    expect(refusal({ ...theirs, holdSeconds: 1 }, { ...local, remoteAsn: 65009 })[0]).toBe('2/6');
  });
});

describe('what is agreed', () => {
  test('the lower hold time, and a third of it for keepalives', () => {
    expect(agreed(local, { ...theirs, holdSeconds: 9 })).toMatchObject({ holdSeconds: 9, keepaliveSeconds: 3 });
    expect(agreed(local, { ...theirs, holdSeconds: 3 })).toMatchObject({ holdSeconds: 3, keepaliveSeconds: 1 });
  });
  test('a configured keepalive time counts where it is shorter', () => {
    expect(agreed({ ...local, keepaliveSeconds: 10 }, theirs).keepaliveSeconds).toBe(10);
    expect(agreed({ ...local, keepaliveSeconds: 80 }, theirs).keepaliveSeconds).toBe(30);
  });
  test('hold time zero means no keepalives', () => {
    expect(agreed(local, { ...theirs, holdSeconds: 0 })).toMatchObject({ holdSeconds: 0, keepaliveSeconds: 0 });
  });
  test('a peer without any Multiprotocol capability speaks IPv4 unicast', () => {
    const settings = localSettings({ families: [4, 6] });
    expect(agreed(settings, without(openOf(settings), 'multiprotocol')).families).toEqual([4]);
  });
  test('two-octet AS_PATHs with a peer that lacks the capability', () => {
    expect(agreed(local, without(theirs, 'four-octet-as')).send.fourOctetAs).toBe(false);
  });
  test('graceful restart only where both speak it', () => {
    expect(agreed(local, theirs).gracefulRestart).toBeDefined();
    expect(agreed(local, without(theirs, 'graceful-restart')).gracefulRestart).toBeUndefined();
    expect(agreed(withoutRestart(local), theirs).gracefulRestart).toBeUndefined();
  });
});

describe('our OPEN', () => {
  test('says AS_TRANS where our AS needs four octets, and the truth in the capability', () => {
    const open = localOpen({ ...local, asn: 4200000001 });
    expect(open.asn).toBe(23456);
    expect(open.capabilities).toContainEqual({ name: 'four-octet-as', asn: 4200000001 });
  });
  test('has the R bit after a restart alone, and the F bit always', () => {
    const restarted = localOpen({ ...local, gracefulRestart: { restartSeconds: 120, restarting: true } });
    const capability = restarted.capabilities.find((c) => c.name === 'graceful-restart');
    expect(capability).toMatchObject({ restarting: true, families: [{ forwardingPreserved: true }] });
    expect(localOpen(local).capabilities.find((c) => c.name === 'graceful-restart')).toMatchObject({
      restarting: false,
    });
  });
});

describe('a dynamic peer names its AS itself', () => {
  const asns = { remoteAsn: 65000, remoteAsns: [65001, 64512] };

  test.each([
    [65001, true],
    [64512, false],
  ])('AS %i', (asn, external) => {
    const session = agreed({ ...local, ...asns }, openOf({ ...local, remoteAsn: asn }));
    expect(session).toMatchObject({ peerAsn: asn, external });
  });
});

test('messages of more than 4096 octets go to a peer where both sides said that they read them', () => {
  const sent = (ours: boolean, peers: boolean): boolean =>
    agreed(localSettings({ extendedMessages: ours }), openOf(localSettings({ extendedMessages: peers }))).send
      .extendedMessage;
  expect([sent(true, true), sent(true, false), sent(false, true)]).toEqual([true, false, false]);
});
