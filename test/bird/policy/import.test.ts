import { describe, expect, test } from 'vitest';
import {
  ACCEPTED,
  importContext,
  judgeAttributes,
  REJECTED_BY_FILTER,
  rejectionText,
  rewriteOnImport,
} from '../../../bird/policy/import.ts';
import type { ImportContext, ImportSession } from '../../../bird/policy/import.ts';
import { wellKnown } from '../../../bird/policy/well-known.ts';
import type { PeerRole, PeerSettings } from '../../../bird/settings.ts';
import type { PathAttributes } from '../../../bird/wire.ts';
import { ipv4Address, parseIpAddress } from '../../../src/model/ip.ts';
import { OURS, path, route } from './routes.ts';

const octets = (text: string): Uint8Array => {
  const { family, words } = parseIpAddress(text);
  const all = words.flatMap((word) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]);
  return Uint8Array.from(family === 4 ? all.slice(-4) : all);
};
const pair = (global: string, linkLocal: string): Uint8Array => Uint8Array.of(...octets(global), ...octets(linkLocal));

const SETTINGS: PeerSettings = {
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
const SESSION = { bgpIdentifier: 1, clusterId: undefined, peerAsn: 65001, external: true, localAddress: OURS };

const context = (settings: Partial<PeerSettings> = {}, session: Partial<ImportSession> = {}): ImportContext =>
  importContext({ ...SETTINGS, ...settings }, { ...SESSION, ...session });

const verdict = (changes: Partial<PathAttributes>, of: ImportContext = context()): string => {
  const rejection = judgeAttributes({ ...route, ...changes }, of);
  expect(rejection).toBeLessThan(100);
  return rejectionText(rejection, SETTINGS);
};

describe('the next hop', () => {
  test.each([
    ['10.0.0.9', octets('10.0.0.9'), 'accepted'],
    ['IPv6', octets('fd00::9'), 'accepted'],
    ['IPv6 with a link-local address', pair('fd00::9', 'fe80::9'), 'accepted'],
    ['a mapped IPv4 address', octets('::ffff:10.0.0.9'), 'accepted'],
    ['0.0.0.0', octets('0.0.0.0'), 'the next hop is no host address'],
    ['loopback', octets('127.0.0.1'), 'the next hop is no host address'],
    ['mapped loopback', octets('::ffff:127.0.0.1'), 'the next hop is no host address'],
    ['multicast', octets('224.0.0.5'), 'the next hop is no host address'],
    ['reserved', octets('240.0.0.1'), 'the next hop is no host address'],
    ['::', octets('::'), 'the next hop is no host address'],
    ['::1', octets('::1'), 'the next hop is no host address'],
    ['ff02::1', octets('ff02::1'), 'the next hop is no host address'],
    // What BIRD says over link-local addresses.
    [':: with a link-local address', pair('::', 'fe80::9'), 'accepted'],
    [':: with another', pair('::', 'fd00::9'), 'the next hop is no host address'],
    ['five octets', new Uint8Array(5).fill(10), 'the next hop is no host address'],
    ['our own', OURS, 'the next hop is our own address'],
    ['our own, mapped', octets('::ffff:10.0.0.1'), 'the next hop is our own address'],
  ])('%s', (_, nextHop, expected) => expect(verdict({ nextHop })).toBe(expected));

  test.each([
    ['fd00::1', pair('fd00::1', 'fe80::9'), 'the next hop is our own address'],
    ['fe80::1', pair('fd00::9', 'fe80::1'), 'the next hop is our own address'],
    ['fe80::1', pair('::', 'fe80::1'), 'the next hop is our own address'],
    ['fd00::1', octets('fd00::9'), 'accepted'],
    ['fd00::1', octets('10.0.0.1'), 'accepted'],
  ])('on a session of %s', (ours, nextHop, expected) => {
    expect(verdict({ nextHop }, context({}, { localAddress: octets(ours) }))).toBe(expected);
  });

  test('is missing', () => {
    const { nextHop, ...rest } = route;
    expect(nextHop).toBeDefined();
    expect(rejectionText(judgeAttributes(rest, context()), SETTINGS)).toBe('the next hop is no host address');
  });
});

describe('the AS_PATH', () => {
  test('must begin with the peer’s AS where that is asked for, and only of external peers', () => {
    const strict = { enforceFirstAs: true };
    const refused = "AS_PATH does not begin with the peer's AS 65001";
    expect(verdict({ asPath: path(65009) })).toBe('accepted');
    expect(verdict({ asPath: path(65009, 65001) }, context(strict))).toBe(refused);
    expect(verdict({ asPath: [] }, context(strict))).toBe(refused);
    expect(verdict({ asPath: [{ type: 'set', asns: [65001] }] }, context(strict))).toBe(refused);
    expect(verdict({ asPath: path(65001, 65009) }, context(strict))).toBe('accepted');
    expect(verdict({ asPath: path(65009) }, context(strict, { external: false }))).toBe('accepted');
  });

  test('has at most 1000 ASes', () => {
    const long = (count: number) => ({ asPath: path(...Array<number>(count).fill(65001)) });
    expect(verdict(long(1000))).toBe('accepted');
    expect(verdict(long(1001))).toBe('AS_PATH is longer than 1000 ASes');
  });
});

describe('roles (RFC 9234)', () => {
  const ROLES: readonly PeerRole[] = ['provider', 'rs', 'rs-client', 'customer', 'peer'];
  const acceptedFrom = (onlyToCustomer: number): readonly PeerRole[] =>
    ROLES.filter((role) => verdict({ onlyToCustomer }, context({ role })) === 'accepted');

  test('a marked route does not come from below, and from a peer only with its own mark', () => {
    expect(acceptedFrom(65001)).toEqual(['rs-client', 'customer', 'peer']);
    expect(acceptedFrom(65009)).toEqual(['rs-client', 'customer']);
    expect(verdict({ onlyToCustomer: 1 }, context({ role: 'provider' }))).toContain('route leak');
  });

  test('what comes from above or beside is marked with the peer’s AS, where it is not yet', () => {
    const mark = (role: PeerRole, attributes = route) => rewriteOnImport(attributes, context({ role })).onlyToCustomer;
    expect(ROLES.map((role) => mark(role))).toEqual([undefined, undefined, 65001, 65001, 65001]);
    expect(mark('customer', { ...route, onlyToCustomer: 7 })).toBe(7);
  });

  test('do not count within the AS', () => {
    const internal = context({ role: 'customer' }, { external: false });
    expect(rewriteOnImport(route, internal)).toBe(route);
    expect(verdict({ onlyToCustomer: 1 }, context({ role: 'provider' }, { external: false }))).toBe('accepted');
  });
});

describe('GRACEFUL_SHUTDOWN (RFC 8326)', () => {
  const leaving = { ...route, communities: [wellKnown.GRACEFUL_SHUTDOWN.value] };

  test('from an external peer makes the route the last choice', () => {
    expect(rewriteOnImport(leaving, context())).toEqual({ ...leaving, localPref: 0 });
  });

  test('from within the AS leaves the LOCAL_PREF that came with it', () => {
    expect(rewriteOnImport(leaving, context({}, { external: false }))).toBe(leaving);
  });

  test('that changes nothing costs no new object', () => {
    const done = { ...leaving, localPref: 0 };
    expect(rewriteOnImport(done, context())).toBe(done);
    expect(rewriteOnImport(route, context())).toBe(route);
  });
});

describe('RFC 8212: an external peer without import filters', () => {
  const due = { requirePolicy: true };
  test('has nothing accepted where a policy is asked for', () => {
    expect(verdict({}, context(due))).toBe('the peer is external and has no import policy (RFC 8212)');
    expect(verdict({}, context(due, { external: false }))).toBe('accepted');
    const rules = [{ family: 4, action: 'accept', match: {} }] as const;
    expect(verdict({}, context({ ...due, importFilters: [{ name: 'all', rules }] }))).toBe('accepted');
  });
});

test('a rejection by a filter names its rule where the caller knows it', () => {
  expect(rejectionText(REJECTED_BY_FILTER, { localAsn: 1 })).toBe('rejected by an import filter');
  expect(rejectionText(REJECTED_BY_FILTER, { localAsn: 1, rule: 'rule 2 of BGPFilter(x)' })).toBe(
    'rejected by rule 2 of BGPFilter(x)',
  );
  expect(rejectionText(ACCEPTED, { localAsn: 1 })).toBe('accepted');
});
