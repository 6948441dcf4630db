import { describe, expect, test } from 'vitest';
import { exportTarget } from '../../../bird/policy/export.ts';
import type { ExportSource, ExportTarget } from '../../../bird/policy/export.ts';
import { wellKnown } from '../../../bird/policy/well-known.ts';
import type { PeerRole, PeerSettings } from '../../../bird/settings.ts';
import { wellKnownCommunities } from '../../../bird/bgp-ts/iana.ts';
import { ipv4Address } from '../../../src/model/ip.ts';
import { CLIENT, EBGP, external, IBGP, LOCAL, OURS, path, route, sent, target, THEIRS, verdict } from './routes.ts';

const { NO_EXPORT, NO_ADVERTISE, LLGR_STALE, NO_LLGR, GRACEFUL_SHUTDOWN } = wellKnown;

describe('an export filter', () => {
  const accepted = { attributes: { ...route, localPref: 7, communities: [NO_EXPORT.value] } };

  test('that rejects keeps the route back, our own too', () => {
    expect(verdict(route, { source: LOCAL, to: target(), rule: 'rejected' })).toBe('rejected by an export filter');
    expect(verdict(route, { source: EBGP, to: external(), rule: 'rejected' })).toBe('rejected by an export filter');
  });

  test('that accepts has its attributes told, for the peer to act on', () => {
    expect(sent(route, { source: EBGP, to: external(), rule: accepted })).toEqual({
      origin: 'igp',
      asPath: path(64512, 65001),
      nextHop: OURS,
      communities: [NO_EXPORT.value],
    });
    expect(sent(route, { source: LOCAL, to: target(), rule: accepted })).toMatchObject({ localPref: 7 });
  });

  test('that prepends is behind our own AS', () => {
    const rule = { attributes: { ...route, asPath: path(65000, 65001) } };
    expect(sent(route, { source: EBGP, to: external(), rule }).asPath).toEqual(path(64512, 65000, 65001));
  });

  test('that accepts lets a node pass on between ASes what it would keep', () => {
    const to = target({ external: true });
    expect(verdict(route, { source: EBGP, to })).toBe('a node passes nothing on between ASes');
    expect(verdict(route, { source: EBGP, to, rule: { attributes: route } })).toBe('sent');
    expect(verdict(route, { source: IBGP, to, rule: { attributes: route } })).toBe('sent');
    expect(verdict(route, { source: EBGP, to: target(), rule: { attributes: route } })).toBe('sent');
  });

  test.each<[string, object, { source: ExportSource; to: ExportTarget; reason: string }]>([
    [
      'iBGP to iBGP',
      {},
      { source: IBGP, to: target(), reason: 'learned by iBGP, and this node is no route reflector' },
    ],
    [
      'a non-client to a non-client',
      {},
      { source: IBGP, to: target({ clusterId: 9 }), reason: 'neither side is a client of this route reflector' },
    ],
    [
      'NO_ADVERTISE',
      { communities: [NO_ADVERTISE.value] },
      { source: EBGP, to: target(), reason: 'community NO_ADVERTISE' },
    ],
    ['NO_EXPORT', { communities: [NO_EXPORT.value] }, { source: IBGP, to: external(), reason: 'community NO_EXPORT' }],
    [
      'Only to Customer',
      { onlyToCustomer: 65001 },
      {
        source: EBGP,
        to: external({ role: 'customer' }),
        reason: 'Only to Customer 65001, and the peer is a provider (RFC 9234)',
      },
    ],
    [
      'LLGR_STALE',
      { communities: [LLGR_STALE.value] },
      {
        source: EBGP,
        to: external(),
        reason: 'community LLGR_STALE, and the peer does not speak long-lived graceful restart',
      },
    ],
  ])('that accepts does not open %s', (_, marks, { reason, ...ends }) => {
    const held = { ...route, ...marks };
    expect(verdict(held, ends)).not.toBe('sent');
    expect(verdict(held, { ...ends, rule: { attributes: held } })).toBe(reason);
    // Nor when it takes the mark away: what was received decides.
    expect(verdict(held, { ...ends, rule: { attributes: route } })).toBe(reason);
  });
});

test('communities on a route of our own are for whoever is told, not for us', () => {
  const own = { origin: 'igp', asPath: [], communities: [NO_EXPORT.value, NO_ADVERTISE.value] } as const;
  expect(sent(own, { source: LOCAL, to: external() }).communities).toEqual(own.communities);
});

describe('long-lived graceful restart', () => {
  const stale = { ...route, communities: [LLGR_STALE.value] };

  test('is told of stale routes where both sides speak it, with the mark on them', () => {
    expect(verdict(stale, { source: CLIENT, to: target({ clusterId: 9 }) })).toContain('long-lived');
    expect(sent(stale, { source: CLIENT, to: target({ clusterId: 9, longLived: true }) }).communities).toEqual([
      LLGR_STALE.value,
    ]);
  });

  test('keeps back a stale route that must not be kept, and passes NO_LLGR on by itself', () => {
    const both = { ...route, communities: [LLGR_STALE.value, NO_LLGR.value] };
    expect(verdict(both, { source: EBGP, to: external({ longLived: true }) })).toContain('NO_LLGR');
    expect(sent({ ...route, communities: [NO_LLGR.value] }, { source: EBGP, to: external() }).communities).toEqual([
      NO_LLGR.value,
    ]);
  });
});

describe('while we drain', () => {
  test('everything carries GRACEFUL_SHUTDOWN once, and within the AS LOCAL_PREF 0', () => {
    const to = { draining: true };
    expect(sent(route, { source: LOCAL, to: target(to) })).toMatchObject({
      localPref: 0,
      communities: [GRACEFUL_SHUTDOWN.value],
    });
    const told = sent({ ...route, communities: [1, GRACEFUL_SHUTDOWN.value] }, { source: EBGP, to: external(to) });
    expect(told.communities).toEqual([1, GRACEFUL_SHUTDOWN.value]);
    expect(told).not.toHaveProperty('localPref');
  });
});

describe('roles (RFC 9234)', () => {
  const ROLES: readonly PeerRole[] = ['provider', 'rs', 'rs-client', 'customer', 'peer'];
  const marked = { ...route, onlyToCustomer: 65001 };

  test('what is marked goes down only', () => {
    const goes = ROLES.filter((role) => verdict(marked, { source: EBGP, to: external({ role }) }) === 'sent');
    expect(goes).toEqual(['provider', 'rs']);
  });

  test('what goes down or across is marked with our AS, and a mark stays as it is', () => {
    const mark = (role: PeerRole | undefined, attributes = route): number | undefined =>
      sent(attributes, { source: LOCAL, to: external({ role, localAsn: 64999 }) }).onlyToCustomer;
    expect(ROLES.map((role) => mark(role))).toEqual([64999, 64999, undefined, undefined, 64999]);
    expect(mark('provider', marked)).toBe(65001);
    expect(mark(undefined)).toBeUndefined();
  });

  test('say nothing within the AS', () => {
    const settings = { ...PEER, role: 'customer' } as const;
    expect(exportTarget(settings, { ...SESSION, external: false }).role).toBeUndefined();
    expect(sent(marked, { source: EBGP, to: target({ transit: true }) }).onlyToCustomer).toBe(65001);
  });
});

describe('a client of a route server (RFC 7947)', () => {
  const to = target({ external: true, routeServerClient: true });

  test('sees the routes of others as if there were no server', () => {
    expect(sent(route, { source: EBGP, to })).toEqual({
      origin: 'igp',
      asPath: path(65001),
      nextHop: THEIRS,
      med: 5,
    });
  });

  test('is told the server’s own routes like any external peer', () => {
    expect(sent({ origin: 'igp', asPath: [] }, { source: LOCAL, to })).toEqual({
      origin: 'igp',
      asPath: path(64512),
      nextHop: OURS,
    });
  });
});

describe('what the AS_PATH shows', () => {
  test('asOverride puts our AS in the place of the peer’s', () => {
    const held = { ...route, asPath: path(65001, 65009, 65001) };
    const to = external({ asOverride: 65001, localAsn: 65500 });
    expect(sent(held, { source: EBGP, to }).asPath).toEqual(path(65500, 65500, 65009, 65500));
  });

  test.each([
    [64511, true],
    [64512, false],
    [65534, false],
    [65535, true],
    [4199999999, true],
    [4200000000, false],
    [4294967294, false],
    [4294967295, true],
  ])('removePrivateAs: AS %i stays %s', (asn, stays) => {
    const held = { ...route, asPath: path(3, asn) };
    const told = sent(held, { source: EBGP, to: external({ privateAsKept: 0, localAsn: 64999 }) });
    // Our own AS stands in front, private or not.
    expect(told.asPath).toEqual(path(...(stays ? [64999, 3, asn] : [64999, 3])));
  });

  test('removePrivateAs leaves no empty segment', () => {
    const asPath = [...path(64512), { type: 'set', asns: [64513] }, { type: 'set', asns: [7, 64513] }] as const;
    const told = sent({ ...route, asPath }, { source: EBGP, to: external({ privateAsKept: 0, localAsn: 1 }) });
    expect(told.asPath).toEqual([
      { type: 'sequence', asns: [1] },
      { type: 'set', asns: [7] },
    ]);
  });

  test('removePrivateAs leaves the AS of the peer, which finds its own routes by it', () => {
    const held = { ...route, asPath: path(3, 64600, 64512) };
    const told = (peerAsn: number, more: Partial<PeerSettings> = {}) => {
      const to = exportTarget({ ...PEER, removePrivateAs: true, ...more }, { ...SESSION, peerAsn });
      return sent(held, { source: EBGP, to: { ...to, localAsn: 1, transit: true } }).asPath;
    };
    expect(told(64600)).toEqual(path(1, 3, 64600));
    expect(told(7)).toEqual(path(1, 3));
    expect(told(64600, { asOverride: true })).toEqual(path(1, 3, 1));
  });
});

test('MED of our own routes goes out, that of others stays in the AS that was told it', () => {
  expect(sent(route, { source: LOCAL, to: external() }).med).toBe(5);
  expect(sent(route, { source: IBGP, to: external() })).not.toHaveProperty('med');
  expect(sent(route, { source: EBGP, to: target({ transit: true }) }).med).toBe(5);
});

describe('a link-local next hop', () => {
  const global = Uint8Array.of(0xfd, ...new Uint8Array(14), 9);
  const linkLocal = Uint8Array.of(0xfe, 0x80, ...new Uint8Array(13), 9);
  const toldOf = (nextHop: readonly Uint8Array[], to: ExportTarget): unknown =>
    sent({ ...route, nextHop: Uint8Array.from(nextHop.flatMap((part) => [...part])) }, { source: EBGP, to }).nextHop;

  test('is not passed on within the AS: the peer is told the global address, or ours where there is none', () => {
    expect(toldOf([global, linkLocal], target({ transit: true }))).toEqual(global);
    for (const alone of [[linkLocal], [linkLocal, linkLocal], [new Uint8Array(16), linkLocal]]) {
      expect(toldOf(alone, target({ transit: true }))).toEqual(OURS);
    }
  });

  test('is kept where that is asked for', () => {
    const to = target({ transit: true, nextHop: 'keep' });
    expect(toldOf([global, linkLocal], to)).toEqual(Uint8Array.of(...global, ...linkLocal));
    expect(toldOf([linkLocal], to)).toEqual(linkLocal);
  });
});

describe('a next hop of the other family', () => {
  const six = { ...route, nextHop: Uint8Array.of(0xfd, ...new Uint8Array(14), 9) };

  test('is told only to a peer that can take it (RFC 8950)', () => {
    const to = { transit: true, nextHopFamily: 4 } as const;
    expect(verdict(six, { source: EBGP, to: target({ ...to, nextHopFamily: undefined }) })).toBe('sent');
    expect(verdict(six, { source: EBGP, to: target(to) })).toBe(
      'the next hop is an IPv6 address, and the session carries IPv4 ones alone (RFC 8950)',
    );
    expect(verdict(route, { source: EBGP, to: target(to) })).toBe('sent');
    expect(sent(six, { source: EBGP, to: target({ ...to, nextHop: 'self' }) }).nextHop).toEqual(OURS);
  });
});

const PEER: PeerSettings = {
  address: ipv4Address(0x0a000009),
  port: 179,
  kind: 'global',
  origin: 'BGPPeer(p)',
  remoteAsn: 65001,
  localAsn: 64512,
  families: [4],
  passive: false,
  holdSeconds: 90,
  connectRetrySeconds: 5,
  errorWaitSeconds: [5, 30],
  gracefulRestartSeconds: 0,
  nextHop: 'auto',
  routeReflectorClient: false,
  allowOwnAsn: 0,
};

const SESSION = {
  external: true,
  peerAsn: 65001,
  clusterId: undefined,
  transit: false,
  localAddress: OURS,
  longLived: false,
  draining: false,
} as const;

describe('RFC 8212: an external peer without export filters', () => {
  const rule = { family: 4, action: 'accept', match: {} } as const;
  const due = { ...PEER, requirePolicy: true };

  test('is told nothing where a policy is asked for', () => {
    expect(verdict(route, { source: LOCAL, to: exportTarget(due, SESSION) })).toBe(
      'the peer is external and has no export policy (RFC 8212)',
    );
  });

  test('is told all where none is asked for, one is there, or the peer is internal', () => {
    const filtered = { ...due, exportFilters: [{ name: 'all', rules: [rule] }] };
    for (const to of [
      exportTarget(PEER, SESSION),
      exportTarget(filtered, SESSION),
      exportTarget(due, { ...SESSION, external: false }),
    ]) {
      expect(verdict(route, { source: LOCAL, to })).toBe('sent');
    }
  });
});

test('peers that are told the same have equal targets, whatever else their settings say', () => {
  const other = { ...PEER, remoteAsn: 65009, routeServerClient: false, removePrivateAs: false };
  expect(exportTarget(other, { ...SESSION, peerAsn: 65009 })).toEqual(exportTarget(PEER, SESSION));
  const [one, another] = [3356, 1299].map((peerAsn) =>
    exportTarget({ ...PEER, removePrivateAs: true }, { ...SESSION, peerAsn }),
  );
  expect(one).toEqual(another);
  expect(exportTarget({ ...PEER, asOverride: true }, SESSION)).not.toEqual(exportTarget(PEER, SESSION));
});

test('every well-known community that the codec names has its row', () => {
  const rows = Object.entries(wellKnown).map(([name, { value }]) => [String(value), name]);
  const named = Object.entries(wellKnownCommunities).map(([value, name]) => [
    value,
    name.toUpperCase().replaceAll('-', '_'),
  ]);
  expect(rows.sort()).toEqual(named.sort());
});
