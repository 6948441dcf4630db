import { beforeEach, describe, expect, test } from 'vitest';
import { listingOf } from '../../../felix/nat/listing.ts';
import { NatTableKeeper } from '../../../felix/nat/nat-table.ts';
import { NftablesUnavailableError } from '../../../felix/nat/nftables.ts';
import type { NatPlan } from '../../../felix/nat/plan.ts';
import { planNat } from '../../../felix/nat/plan.ts';
import type { Logger } from '../../../src/runtime/logger.ts';
import { inputs, pool } from '../../support/dataplane-inputs.ts';
import { FakeNftables } from '../../support/fake-nftables.ts';

const planOf = (cidr: string, nat: boolean): NatPlan =>
  planNat(inputs({ pools: [pool(cidr, { nat })] }), [], { vxlanPort: 4789 });
const wanted = planOf('10.0.0.0/16', true);
const other = planOf('10.1.0.0/16', true);
const none = planOf('10.0.0.0/16', false);

let nftables: FakeNftables;
let keeper: NatTableKeeper;
let surprises: number;
let logged: string[];

beforeEach(() => {
  nftables = new FakeNftables();
  surprises = 0;
  logged = [];
  const line =
    (level: string) =>
    (fields: object, message: string): void =>
      void logged.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const log = {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
  } as unknown as Logger;
  keeper = new NatTableKeeper({ nftables, log, onSurprise: () => (surprises += 1) });
});

const writes = (): readonly string[] => nftables.journal.filter((call) => call === 'replace' || call === 'remove');
const states = (): readonly string[] =>
  keeper.statuses().map(({ state, error }) => [state, error].filter(Boolean).join(': '));

test('writes the table where it is missing, and never again while it is right', async () => {
  expect(await keeper.reconcile(wanted, 0, true)).toMatchObject({ changed: 1 });
  expect(nftables.listing).toEqual(listingOf(wanted.table!));
  expect(states()).toEqual(['in force']);
  expect(await keeper.reconcile(wanted, 1, false)).toMatchObject({ changed: 0 });
  expect(await keeper.reconcile(wanted, 2, true)).toMatchObject({ changed: 0 });
  expect(writes()).toEqual(['replace']);
});

test('a process with an empty memory leaves alone what is right', async () => {
  nftables.givenTable(wanted.table);
  await keeper.reconcile(wanted, 0, true);
  expect(writes()).toEqual([]);
  expect(states()).toEqual(['in force']);
});

test('between resyncs nothing is read', async () => {
  await keeper.reconcile(wanted, 0, true);
  const calls = nftables.journal.length;
  await keeper.reconcile(wanted, 1, false);
  expect(nftables.journal.length).toBe(calls);
});

test('a change of pools is one replacement; where none wants NAT the table goes, also that of an earlier process', async () => {
  await keeper.reconcile(wanted, 0, true);
  await keeper.reconcile(other, 1, false);
  expect(nftables.listing).toEqual(listingOf(other.table!));
  await keeper.reconcile(none, 2, false);
  expect(nftables.listing).toBeUndefined();
  expect(writes()).toEqual(['replace', 'replace', 'remove']);
  expect(states()).toEqual(['off']);
});

test('where nobody wants NAT and there is no table, nothing is written', async () => {
  await keeper.reconcile(none, 0, true);
  expect(writes()).toEqual([]);
});

test.each([undefined, other.table])(
  'what somebody else makes of it (%#) is put right at once, and told',
  async (table) => {
    await keeper.reconcile(wanted, 0, true);
    nftables.givenTable(table, 'nft (pid 71)');
    expect(surprises).toBe(1);
    expect(states()).toEqual(['pending']);
    await keeper.reconcile(wanted, 1, false);
    expect(nftables.listing).toEqual(listingOf(wanted.table!));
    expect(logged.at(-1)).toBe(
      'warn the NAT table was changed by somebody else and is as it should be again {"by":"nft (pid 71)"}',
    );
  },
);

describe('what fails', () => {
  test.each(['read', 'replace'] as const)(
    'in %s is told, stops nothing, and is tried again after 250 ms',
    async (call) => {
      nftables.failNext(call, new Error('the kernel says no'), 2);
      expect(await keeper.reconcile(wanted, 0, true)).toEqual({ changed: 0, failed: new Map() });
      expect(states()).toEqual(['failed: the kernel says no']);
      expect(keeper.nextDueAt()).toBe(250);
      await keeper.reconcile(wanted, 249, false);
      expect(states()).toEqual(['failed: the kernel says no']);
      await keeper.reconcile(wanted, 250, false);
      expect(keeper.nextDueAt()).toBe(750);
      await keeper.reconcile(wanted, 750, false);
      expect(states()).toEqual(['in force']);
      expect(keeper.nextDueAt()).toBeUndefined();
      expect(logged.filter((line) => line.startsWith('warn'))).toEqual([
        'warn the NAT table is not as it should be; will try again {"error":"the kernel says no"}',
      ]);
    },
  );

  test('a new wish is tried at once', async () => {
    nftables.failNext('replace', new Error('the kernel says no'));
    await keeper.reconcile(wanted, 0, true);
    await keeper.reconcile(other, 1, false);
    expect(states()).toEqual(['in force']);
  });

  test('without nftables there is no hurry: the next full resync tries', async () => {
    nftables.failNext('watch', new NftablesUnavailableError('install libnftables'), 2);
    await keeper.reconcile(wanted, 0, true);
    expect(states()).toEqual(['failed: install libnftables']);
    expect(keeper.nextDueAt()).toBeUndefined();
    await keeper.reconcile(wanted, 90_000, true);
    await keeper.reconcile(wanted, 100_000, false);
    expect(states()).toEqual(['failed: install libnftables']);
    await keeper.reconcile(wanted, 180_000, true);
    expect(states()).toEqual(['in force']);
    expect(logged.filter((line) => line.startsWith('warn')).length).toBe(1);
  });

  test('where nobody wants NAT, nobody misses nftables', async () => {
    nftables.failNext('watch', new NftablesUnavailableError('install libnftables'));
    await keeper.reconcile(none, 0, true);
    expect(states()).toEqual(['off']);
    expect(logged).toEqual([]);
  });

  test('a table that cannot be watched is looked after by the resync', async () => {
    nftables.failNext('watch', new Error('no multicast'));
    await keeper.reconcile(wanted, 0, true);
    expect(states()).toEqual(['in force']);
    nftables.givenTable(undefined);
    expect(surprises).toBe(0);
    await keeper.reconcile(wanted, 90_000, true);
    expect(nftables.listing).toEqual(listingOf(wanted.table!));
  });
});

describe('a libnftables of other words', () => {
  test('is believed once it lists the same twice: no table is written for ever', async () => {
    nftables.words = (listing) => [...listing, 'in other words'];
    await keeper.reconcile(wanted, 0, true);
    expect(states()).toEqual(['failed: the NAT table lists otherwise than it was written']);
    await keeper.reconcile(wanted, 250, false);
    expect(states()).toEqual(['in force']);
    await keeper.reconcile(wanted, 90_000, true);
    expect(writes()).toEqual(['replace', 'replace']);
    nftables.givenTable(other.table);
    await keeper.reconcile(wanted, 90_001, false);
    expect(nftables.listing).toEqual(listingOf(wanted.table!));
  });
});

test('a process that was given no nftables says so', async () => {
  const alone = new NatTableKeeper({ nftables: undefined, log: {} as Logger, onSurprise: () => undefined });
  await alone.reconcile(wanted, 0, true);
  expect(alone.statuses()).toMatchObject([{ state: 'failed', error: 'this process was given no nftables' }]);
});
