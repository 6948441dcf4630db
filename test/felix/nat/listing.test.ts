import { describe, expect, test } from 'vitest';
import { listingOf, readListing, replaceCommands } from '../../../felix/nat/listing.ts';
import { parsePrefix } from '../../../src/model/ip.ts';
import type { NatTable } from '../../../felix/nat/plan.ts';

const table: NatTable = {
  sets: [{ name: 's', family: 4, prefixes: [parsePrefix('10.0.0.0/8'), parsePrefix('192.0.2.1/32')] }],
  rules: [
    { family: 4, packets: { kind: 'outgoing', sources: 's', inside: 't' }, comment: 'one' },
    { family: 4, packets: { kind: 'tunnel', link: 'tunl0' }, comment: 'two' },
  ],
};

/** As libnftables 1.0.6 of Debian 12 lists such a table; others wrap other things into lists of one. */
const listed = (change: (text: string) => string = (text) => text): string =>
  change(
    JSON.stringify({
      nftables: [
        { metainfo: { version: '1.0.6', json_schema_version: 1 } },
        { table: { family: 'inet', name: 'calico-ts', handle: 7 } },
        {
          set: {
            ...{ family: 'inet', name: 's', table: 'calico-ts', type: 'ipv4_addr', handle: 1, flags: ['interval'] },
            elem: [{ prefix: { addr: '10.0.0.0', len: 8 } }, '192.0.2.1'],
          },
        },
        {
          chain: {
            ...{ family: 'inet', table: 'calico-ts', name: 'postrouting', handle: 2, type: 'nat' },
            ...{ hook: 'postrouting', prio: 110, policy: 'accept' },
          },
        },
        {
          rule: {
            ...{ family: 'inet', table: 'calico-ts', chain: 'postrouting', handle: 3, comment: 'one' },
            expr: [
              { match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: '@s' } },
              { match: { op: '!=', left: { payload: { protocol: 'ip', field: 'daddr' } }, right: '@t' } },
              { counter: null },
              { masquerade: { flags: 'fully-random' } },
            ],
          },
        },
        {
          rule: {
            ...{ family: 'inet', table: 'calico-ts', chain: 'postrouting', handle: 4, comment: 'two' },
            expr: [
              { match: { op: '==', left: { meta: { key: 'nfproto' } }, right: 2 } },
              { match: { op: '==', left: { meta: { key: 'oifname' } }, right: 'tunl0' } },
              { match: { op: '!=', left: { fib: { result: 'type', flags: ['saddr', 'oif'] } }, right: 2 } },
              { match: { op: '==', left: { fib: { result: 'type', flags: ['saddr'] } }, right: 2 } },
              { counter: null },
              { masquerade: { flags: 'fully-random' } },
            ],
          },
        },
      ],
    }),
  );

describe('what the kernel lists is compared', () => {
  test.each<[string, (text: string) => string]>([
    ['as Debian 12 says it', (text) => text],
    [
      'with a list of one unwrapped',
      (text) => text.replace('["interval"]', '"interval"').replace('["saddr"]', '"saddr"'),
    ],
    ['with a word wrapped', (text) => text.replace('"fully-random"', '["fully-random"]')],
    ['under other handles', (text) => text.replaceAll('"handle":', '"handle":1')],
    [
      'with elements in another order',
      (text) => text.replace(/"elem":\[(\{.*?\}\}),("192.0.2.1")\]/, '"elem":[$2,$1]'),
    ],
  ])('%s it is equal', (_, change) => {
    expect(readListing(listed(change))).toEqual(listingOf(table));
  });

  test.each<[string, (text: string) => string]>([
    ['another element', (text) => text.replace('192.0.2.1', '192.0.2.2')],
    ['another length', (text) => text.replace('"len":8', '"len":9')],
    ['another priority', (text) => text.replace('110', '100')],
    ['a table that sleeps', (text) => text.replace('"handle":7', '"handle":7,"flags":["dormant"]')],
    ['a match turned round', (text) => text.replace('"!="', '"=="')],
    [
      'rules in another order',
      (text) => text.replace('"one"', '"x"').replace('"two"', '"one"').replace('"x"', '"two"'),
    ],
    ['a rule without its verdict', (text) => text.replace(',{"masquerade":{"flags":"fully-random"}}', '')],
  ])('%s is not', (_, change) => {
    expect(listed(change)).not.toBe(listed());
    expect(readListing(listed(change))).not.toEqual(listingOf(table));
  });
});

test('the transaction adds the table, deletes it with all that is in it, and makes it anew', () => {
  const { nftables } = JSON.parse(replaceCommands(table)) as {
    nftables: readonly Record<string, Record<string, object>>[];
  };
  const words = nftables.map((command) =>
    Object.entries(command).map(([verb, what]) => `${verb} ${Object.keys(what)[0]}`),
  );
  expect(words.flat()).toEqual([
    ...['add table', 'delete table', 'add table'],
    ...['add set', 'add chain', 'add rule', 'add rule'],
  ]);
});
