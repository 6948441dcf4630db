import { describe, expect, test } from 'vitest';
import type { ExportSource, ExportTarget } from '../../../bird/policy/export.ts';
import { judgeAttributes, rejectionText } from '../../../bird/policy/import.ts';
import { isInside } from '../../../bird/policy/packed.ts';
import type { ImportContext } from '../../../bird/policy/import.ts';
import { packPrefix } from '../../../bird/rib/prefix-table.ts';
import type { PathAttributes } from '../../../bird/wire.ts';
import { parsePrefix } from '../../../src/model/ip.ts';
import {
  CLIENT,
  EBGP,
  IBGP,
  LOCAL,
  OURS,
  route,
  sent as told,
  target,
  THEIRS,
  verdict as verdictOn,
} from './routes.ts';

const sent = (attributes: PathAttributes, source: ExportSource, to: ExportTarget): PathAttributes =>
  told(attributes, { source, to });
const keptBack = (attributes: PathAttributes, source: ExportSource, to: ExportTarget): string =>
  verdictOn(attributes, { source, to });

describe('a route of our own', () => {
  const own: PathAttributes = { origin: 'igp', asPath: [] };
  test('goes to iBGP with LOCAL_PREF 100, an empty AS_PATH and our address', () => {
    expect(sent(own, LOCAL, target())).toEqual({ origin: 'igp', asPath: [], localPref: 100, nextHop: OURS });
  });
  test('goes to eBGP with our AS and our address, and no LOCAL_PREF', () => {
    const asPath = [{ type: 'sequence', asns: [64512] }];
    expect(sent(own, LOCAL, target({ external: true }))).toEqual({ origin: 'igp', asPath, nextHop: OURS });
  });
  test('has no other next hop to keep', () => {
    expect(sent(own, LOCAL, target({ nextHop: 'keep' })).nextHop).toBe(OURS);
  });
  test('stays home where the session has no address of its family', () => {
    expect(keptBack(own, LOCAL, target({ localAddress: undefined }))).toContain('no address of the family');
  });
});

describe('a route that was learned', () => {
  test('by eBGP is not passed on by a node', () => {
    expect(keptBack(route, EBGP, target())).toBe('a node passes nothing on between ASes');
    expect(keptBack(route, IBGP, target({ external: true }))).toBe('a node passes nothing on between ASes');
  });
  test('is passed on by a switch: AS in front, MED and LOCAL_PREF stay behind, next hop ours', () => {
    expect(sent(route, EBGP, target({ external: true, transit: true, localAsn: 65002 }))).toEqual({
      origin: 'igp',
      asPath: [{ type: 'sequence', asns: [65002, 65001] }],
      nextHop: OURS,
    });
  });
  test('keeps its next hop in iBGP and to a peer that wants it kept; self replaces it', () => {
    expect(sent(route, EBGP, target({ transit: true })).nextHop).toBe(THEIRS);
    expect(sent(route, EBGP, target({ transit: true, external: true, nextHop: 'keep' })).nextHop).toBe(THEIRS);
    expect(sent(route, EBGP, target({ transit: true, nextHop: 'self' })).nextHop).toBe(OURS);
  });
  test('by iBGP goes to iBGP only through a reflector, from or to a client', () => {
    expect(keptBack(route, IBGP, target())).toContain('no route reflector');
    expect(keptBack(route, IBGP, target({ clusterId: 9 }))).toContain('neither side is a client');
    expect(keptBack(route, CLIENT, target({ clusterId: 9 }))).toBe('sent');
    expect(keptBack(route, IBGP, target({ clusterId: 9, routeReflectorClient: true }))).toBe('sent');
  });
  test('is reflected with its originator and our cluster in front', () => {
    const to = target({ clusterId: 9 });
    expect(sent(route, CLIENT, to)).toMatchObject({ originatorId: 7, clusterList: [9], localPref: 300, med: 5 });
    expect(sent({ ...route, originatorId: 3, clusterList: [4] }, CLIENT, to)).toMatchObject({
      originatorId: 3,
      clusterList: [9, 4],
    });
  });
  test('a full first segment gets a new one in front, and confederation segments do not leave', () => {
    const full = { type: 'sequence', asns: Array<number>(255).fill(1) } as const;
    const path = [{ type: 'confed-sequence', asns: [2] }, full] as const;
    const out = sent({ ...route, asPath: path }, EBGP, target({ external: true, transit: true }));
    expect(out.asPath).toEqual([{ type: 'sequence', asns: [64512] }, full]);
  });
});

test.each([
  [0xffff_ff02, 'community NO_ADVERTISE', 'community NO_ADVERTISE'],
  [0xffff_ff01, 'sent', 'community NO_EXPORT'],
  [0xffff_ff03, 'sent', 'community NO_EXPORT_SUBCONFED'],
])('community %i: to iBGP %s, to eBGP %s', (community, internal, external) => {
  const marked = { ...route, communities: [community] };
  expect(keptBack(marked, EBGP, target({ transit: true }))).toBe(internal);
  expect(keptBack(marked, EBGP, target({ transit: true, external: true }))).toBe(external);
});

describe('import', () => {
  const context: ImportContext = {
    localAsn: 64512,
    bgpIdentifier: 1,
    clusterId: 9,
    allowOwnAsn: 0,
    external: false,
    localAddress: OURS,
  };
  const verdict = (changes: Partial<PathAttributes>, of: Partial<ImportContext> = {}): string =>
    rejectionText(judgeAttributes({ ...route, ...changes }, { ...context, ...of }), context);
  const loop: PathAttributes['asPath'] = [{ type: 'sequence', asns: [65001, 64512] }];

  test('accepts what is in order', () => expect(verdict({})).toBe('accepted'));
  test('refuses our own AS, but as often as is allowed', () => {
    expect(verdict({ asPath: loop })).toBe('AS_PATH holds our own AS 64512');
    expect(verdict({ asPath: loop }, { allowOwnAsn: 1 })).toBe('accepted');
  });
  test('refuses what we reflected ourselves', () => {
    expect(verdict({ originatorId: 1 })).toContain('ORIGINATOR_ID');
    expect(verdict({ clusterList: [4, 9] })).toContain('CLUSTER_LIST');
  });
  test('refuses next hops that lead nowhere, and ourselves', () => {
    expect(verdict({ nextHop: Uint8Array.of(127, 0, 0, 1) })).toBe('the next hop is no host address');
    expect(verdict({ nextHop: Uint8Array.of(224, 0, 0, 1) })).toBe('the next hop is no host address');
    expect(verdict({ nextHop: new Uint8Array(16) })).toBe('the next hop is no host address');
    expect(verdict({ nextHop: OURS })).toBe('the next hop is our own address');
  });
});

test.each([
  ['10.1.0.0/26', '10.1.0.0/26', true],
  ['10.1.0.0/26', '10.1.0.63/32', true],
  ['10.1.0.0/26', '10.1.0.64/32', false],
  ['10.1.0.0/26', '10.1.0.0/25', false],
  ['fd00:1::/122', 'fd00:1::3f/128', true],
  ['fd00:1::/122', 'fd00:1::40/128', false],
  ['fd00:1:8000::/33', 'fd00:1:8001::/48', true],
])('block %s holds %s: %s', (block, prefix, holds) => {
  expect(isInside([packPrefix(parsePrefix(block))], packPrefix(parsePrefix(prefix)))).toBe(holds);
});
