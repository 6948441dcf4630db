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

describe('what changes how UPDATEs are written', () => {
  const families = [4, 6] as const;
  const all = localSettings({
    families,
    addPath: { send: true, receive: true },
    extendedNextHop: true,
    extendedMessages: true,
  });
  const plain = localSettings({ families });

  test('is offered by settings alone', () => {
    const names = (settings: LocalSettings): readonly string[] => localOpen(settings).capabilities.map((c) => c.name);
    expect(names(plain)).not.toContain('add-path');
    expect(names(plain)).toContain('enhanced-route-refresh');
    expect(localOpen(all).capabilities).toEqual(
      expect.arrayContaining([
        { name: 'extended-next-hop', entries: [{ family: { afi: 1, safi: 1 }, nextHopAfi: 2 }] },
        { name: 'extended-message' },
        {
          name: 'add-path',
          entries: [
            { family: { afi: 1, safi: 1 }, mode: 'both' },
            { family: { afi: 2, safi: 1 }, mode: 'both' },
          ],
        },
      ]),
    );
    const receiver = localSettings({ addPath: { send: false, receive: true } });
    expect(localOpen(receiver).capabilities).toContainEqual({
      name: 'add-path',
      entries: [{ family: { afi: 1, safi: 1 }, mode: 'receive' }],
    });
    expect(localOpen(localSettings({ families: [6], extendedNextHop: true })).capabilities).not.toContainEqual(
      expect.objectContaining({ name: 'extended-next-hop' }),
    );
  });

  test('ADD-PATH holds in a direction where one side sends and the other receives', () => {
    const sender = localSettings({ addPath: { send: true, receive: false } });
    const receiver = localSettings({ addPath: { send: false, receive: true } });
    const keys = (local: LocalSettings, peer: LocalSettings): readonly string[] => {
      const { receive, send } = agreed(local, openOf(peer));
      return [...[...receive.addPath].map((key) => `in ${key}`), ...[...send.addPath].map((key) => `out ${key}`)];
    };
    expect(keys(receiver, sender)).toEqual(['in 1/1']);
    expect(keys(sender, receiver)).toEqual(['out 1/1']);
    expect(keys(sender, sender)).toEqual([]);
    expect(keys(localSettings(), sender)).toEqual([]);
    expect(keys(localSettings({ addPath: { send: true, receive: true } }), all)).toEqual(['in 1/1', 'out 1/1']);
  });

  test('extended messages come where we said so', () => {
    expect(agreed(plain, openOf(all)).receive.extendedMessage).toBe(false);
    expect(agreed(all, openOf(plain)).receive.extendedMessage).toBe(true);
  });

  test('IPv6 next hops of IPv4 routes, and marks around a refresh, need both sides', () => {
    expect([...agreed(all, openOf(all)).send.extendedNextHop]).toEqual(['1/1']);
    expect([...agreed(all, openOf(plain)).send.extendedNextHop]).toEqual([]);
    expect(agreed(plain, openOf(plain)).enhancedRefresh).toBe(true);
    expect(agreed(plain, without(openOf(plain), 'enhanced-route-refresh')).enhancedRefresh).toBe(false);
    expect(agreed(plain, without(openOf(plain), 'route-refresh')).enhancedRefresh).toBe(false);
  });
});

test('messages of more than 4096 octets go to a peer where both sides said that they read them', () => {
  const sent = (ours: boolean, peers: boolean): boolean =>
    agreed(localSettings({ extendedMessages: ours }), openOf(localSettings({ extendedMessages: peers }))).send
      .extendedMessage;
  expect([sent(true, true), sent(true, false), sent(false, true)]).toEqual([true, false, false]);
});
