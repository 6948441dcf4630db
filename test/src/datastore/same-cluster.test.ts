import { expect, test } from 'vitest';
import { whyStrange } from '../../../src/datastore/same-cluster.ts';
import type { Entry, Listing } from '../../../src/datastore/store.ts';

const IDENTITY = '/calico/resources/v3/projectcalico.org/clusterinformations/default';
const of = (guid: string): Entry => ({ key: IDENTITY, value: { spec: { clusterGUID: guid } }, revision: 1 });
const ROUTE: Entry = { key: '/calico/ipam/v2/host/a/ipv4/block/10.0.0.0-26', value: {}, revision: 2 };

const view = (...entries: readonly Entry[]) => new Map(entries.map((entry) => [entry.key, entry]));
const listing = (revision: number, history: string, ...entries: readonly Entry[]): Listing => ({
  ...{ revision, history, entries },
});

const known = { entries: view(of('g1'), ROUTE), revision: 100, history: 'h1' };
const unnamed = { entries: view(ROUTE), revision: 100, history: 'h1' };
const OTHERS = "its data are another cluster's: ";

test.each([
  ['the history goes on, and the routes were deleted', known, listing(101, 'h1', of('g1')), undefined],
  ['the history goes on at the same revision', known, listing(100, 'h1', of('g1')), undefined],
  ['the history goes on, and everything was deleted where no GUID was known', unnamed, listing(101, 'h1'), undefined],
  ['the history goes on to its first GUID', unnamed, listing(101, 'h1', of('g1'), ROUTE), undefined],
  ['wiped, and grown past us', known, listing(900, 'h1', ROUTE), `${OTHERS}no clusterGUID, where ours has g1`],
  ['nothing was known', { ...known, entries: view() }, listing(1, 'h2'), undefined],
  ['restored from a backup, behind us', known, listing(50, 'h1', of('g1')), undefined],
  ['restored from a backup under another name, before us', known, listing(500, 'h2', of('g1')), undefined],
  ['wiped', known, listing(1, 'h2'), `${OTHERS}no clusterGUID, where ours has g1`],
  ['rolled back to nothing', known, listing(1, 'h1'), `${OTHERS}no clusterGUID, where ours has g1`],
  ['set up anew', known, listing(7, 'h2', of('g2')), `${OTHERS}the clusterGUID g2, where ours has g1`],
  [
    "another cluster's, far before us",
    known,
    listing(900, 'h2', of('g2')),
    `${OTHERS}the clusterGUID g2, where ours has g1`,
  ],
  ['wiped, where no GUID was known', unnamed, listing(1, 'h2'), 'it is empty now, where 1 entries were'],
  [
    'set up anew where no GUID was known',
    unnamed,
    listing(7, 'h2', of('g2')),
    `${OTHERS}the clusterGUID g2, where ours has none`,
  ],
  ['restored where no GUID was known', unnamed, listing(7, 'h2', ROUTE), undefined],
])('%s', (...[, before, fresh, strange]) => {
  expect(whyStrange(before, fresh)).toBe(strange);
});

test('of a store that names no history its revision alone is asked', () => {
  expect(whyStrange({ ...unnamed, history: undefined }, { entries: [], revision: 101 })).toBeUndefined();
  expect(whyStrange({ ...unnamed, history: undefined }, { entries: [], revision: 99 })).toContain('empty now');
});
