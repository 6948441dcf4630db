import { describe, expect, test } from 'vitest';
import { peerRestart } from '../../../bird/graceful-restart/peer-restart.ts';
import { localOpen } from '../../../bird/peer/negotiate.ts';
import type { LocalSettings } from '../../../bird/peer/negotiate.ts';
import type { LocalRestart } from '../../../bird/peer/restart-capabilities.ts';
import type { Capability, Open } from '../../../bird/wire.ts';
import { agreed, localSettings, openOf, withoutRestart } from '../../support/bgp.ts';

const IPV4 = { afi: 1, safi: 1 };
const IPV6 = { afi: 2, safi: 1 };
const dual = (gracefulRestart: LocalRestart): LocalSettings => localSettings({ families: [4, 6], gracefulRestart });
const capability = (open: Open, name: Capability['name']): Capability | undefined =>
  open.capabilities.find((each) => each.name === name);
const PLAIN: LocalRestart = { restartSeconds: 120, restarting: false };
const LONG: LocalRestart = { ...PLAIN, notification: true, longLivedSeconds: 3600 };

describe('our OPEN', () => {
  test('has the N bit where we keep routes over a NOTIFICATION', () => {
    expect(capability(localOpen(dual(PLAIN)), 'graceful-restart')).toMatchObject({ notification: false });
    expect(capability(localOpen(dual(LONG)), 'graceful-restart')).toMatchObject({ notification: true });
  });
  test('names the long-lived time and F of each family, and the plain capability with it', () => {
    const open = localOpen(dual({ ...LONG, restartSeconds: 0 }));
    expect(capability(open, 'graceful-restart')).toMatchObject({ restartSeconds: 0 });
    expect(capability(open, 'long-lived-graceful-restart')).toEqual({
      name: 'long-lived-graceful-restart',
      families: [
        { family: IPV4, forwardingPreserved: true, staleSeconds: 3600 },
        { family: IPV6, forwardingPreserved: true, staleSeconds: 3600 },
      ],
    });
  });
  test('has no long-lived capability without a time, nor without graceful restart', () => {
    expect(capability(localOpen(dual(PLAIN)), 'long-lived-graceful-restart')).toBeUndefined();
    expect(capability(localOpen(withoutRestart(dual(LONG))), 'long-lived-graceful-restart')).toBeUndefined();
  });
  test('says the longest time that the field can hold where ours is longer', () => {
    const open = localOpen(dual({ ...LONG, restartSeconds: 9999, longLivedSeconds: 20_000_000 }));
    expect(capability(open, 'graceful-restart')).toMatchObject({ restartSeconds: 4095 });
    expect(capability(open, 'long-lived-graceful-restart')).toMatchObject({
      families: [{ staleSeconds: 0xffffff }, {}],
    });
  });
});

describe('what is agreed of restarts', () => {
  const between = (ours: LocalRestart, theirs: LocalRestart) => peerRestart(agreed(dual(ours), openOf(dual(theirs))));

  test('the N bit where both sent it', () => {
    const n = (ours: boolean, theirs: boolean) =>
      between({ ...PLAIN, notification: ours }, { ...PLAIN, notification: theirs })?.notification;
    expect([n(false, false), n(true, false), n(false, true), n(true, true)]).toEqual([false, false, false, true]);
  });
  test('the long-lived time of the peer, and no more than ours', () => {
    const time = (ours: number, theirs: number) =>
      between({ ...LONG, longLivedSeconds: ours }, { ...LONG, longLivedSeconds: theirs })?.families.map(
        ({ longLivedSeconds }) => longLivedSeconds,
      );
    expect(time(3600, 600)).toEqual([600, 600]);
    expect(time(600, 3600)).toEqual([600, 600]);
    expect(time(0, 3600)).toEqual([0, 0]);
    expect(time(3600, 0)).toEqual([0, 0]);
  });
  test('nothing long-lived with a peer that names it without the plain capability', () => {
    const open = openOf(dual(LONG));
    const capabilities = open.capabilities.filter(({ name }) => name !== 'graceful-restart');
    expect(peerRestart(agreed(dual(LONG), { ...open, capabilities }))).toBeUndefined();
  });
  test('family by family: none is kept that a capability does not list', () => {
    const open = openOf(dual(LONG));
    const capabilities = open.capabilities.map((each): Capability => {
      if (each.name === 'graceful-restart') return { ...each, families: [{ family: IPV4, forwardingPreserved: true }] };
      if (each.name !== 'long-lived-graceful-restart') return each;
      return { ...each, families: [{ family: IPV6, forwardingPreserved: false, staleSeconds: 60 }] };
    });
    expect(peerRestart(agreed(dual(LONG), { ...open, capabilities }))?.families).toEqual([
      { family: 4, restartSeconds: 120, forwardingPreserved: true, longLivedSeconds: 0, longLivedPreserved: false },
      { family: 6, restartSeconds: 0, forwardingPreserved: false, longLivedSeconds: 60, longLivedPreserved: false },
    ]);
  });
  test('a peer that lists no family only helps', () => {
    const open = openOf(dual(PLAIN));
    const capabilities = open.capabilities.map((each): Capability =>
      each.name === 'graceful-restart' ? { ...each, families: [] } : each,
    );
    expect(peerRestart(agreed(dual(PLAIN), { ...open, capabilities }))).toMatchObject({ helpsOnly: true });
  });
});
