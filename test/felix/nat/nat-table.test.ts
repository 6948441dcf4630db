import { beforeEach, describe, expect, test } from 'vitest';
import { listingOf } from '../../../felix/nat/listing.ts';
import { NatTableKeeper } from '../../../felix/nat/nat-table.ts';
import { NftablesUnavailableError } from '../../../felix/nat/nftables.ts';
import type { NatPlan } from '../../../felix/nat/plan.ts';
import { planNat } from '../../../felix/nat/plan.ts';
import { Repairs } from '../../../felix/repairs.ts';
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
let repairs: Repairs;
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
  repairs = new Repairs();
  keeper = new NatTableKeeper({ nftables, log, repairs, onSurprise: () => (surprises += 1) });
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
    nftables.givenTable(table, 'process 71 (nft)');
    expect(surprises).toBe(1);
    expect(states()).toEqual(['pending']);
    await keeper.reconcile(wanted, 1, false);
    expect(nftables.listing).toEqual(listingOf(wanted.table!));
    expect(logged.at(-1)).toBe(
      'warn the NAT table was changed by somebody else and is as it should be again {"by":"process 71 (nft)"}',
    );
  },
);

describe('a fight', () => {
  const undo = async (now: number): Promise<void> => {
    nftables.givenTable(undefined, 'process 71 (nft)');
    await keeper.reconcile(wanted, now, false);
  };

  test('four repairs are immediate, counted and told; with the fifth it is one, told by its report, and the next waits', async () => {
    await keeper.reconcile(wanted, 0, true);
    for (const now of [1, 2, 3, 4, 5]) await undo(now);
    expect(writes().length).toBe(6);
    expect(repairs.counts().nat).toBe(5);
    expect(repairs.takeBegun()).toEqual([
      {
        ...{ kind: 'nat', name: 'table inet calico-ts', repairs: 5, since: 1 },
        blame: { deed: 'changed', process: 'process 71 (nft)' },
      },
    ]);
    expect(logged.filter((line) => line.startsWith('warn')).length).toBe(4);
    await undo(6);
    expect(writes().length).toBe(6);
    expect(states()).toEqual(['pending']);
    expect(repairs.nextDueAt(6)).toBe(506);
    await keeper.reconcile(wanted, 506, false);
    expect(nftables.listing).toEqual(listingOf(wanted.table!));
    expect(logged.filter((line) => line.startsWith('warn')).length).toBe(4);
  });

  test('does not hold up a new wish, and what is whole again without us is no repair', async () => {
    await keeper.reconcile(wanted, 0, true);
    for (const now of [1, 2, 3, 4, 5, 6]) await undo(now);
    await keeper.reconcile(other, 7, false);
    expect(nftables.listing).toEqual(listingOf(other.table!));
    const { nat } = repairs.counts();
    nftables.givenTable(undefined);
    await keeper.reconcile(other, 8, false);
    nftables.givenTable(other.table);
    await keeper.reconcile(other, 9, false);
    expect(repairs.counts().nat).toBe(nat);
    expect(states()).toEqual(['in force']);
  });

  test('what an earlier process left otherwise is no damage', async () => {
    nftables.givenTable(other.table);
    await keeper.reconcile(wanted, 0, true);
    expect(repairs.counts().nat).toBe(0);
  });
});

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

test('a table that vanishes as soon as it is written is never believed to be in other words', async () => {
  nftables.words = () => [];
  for (const now of [0, 250, 750]) await keeper.reconcile(wanted, now, now === 0);
  expect(states()).toEqual(['failed: the NAT table lists otherwise than it was written']);
});

test('a process that was given no nftables says so', async () => {
  const ports = { log: {} as Logger, repairs: new Repairs(), onSurprise: () => undefined };
  const alone = new NatTableKeeper({ nftables: undefined, ...ports });
  await alone.reconcile(wanted, 0, true);
  expect(alone.statuses()).toMatchObject([{ state: 'failed', error: 'this process was given no nftables' }]);
});
