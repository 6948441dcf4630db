import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blockFromJson, blockToJson } from '../../../src/ipam/block-json.ts';
import type { Json } from '../../../src/datastore/store.ts';
import type { Block } from '../../../src/ipam/block.ts';
import {
  allocate,
  assignmentOf,
  assignmentsOfHandle,
  collectCooled,
  isEmpty,
  newBlock,
  nextSequenceNumber,
  release,
} from '../../../src/ipam/block.ts';
import { formatIpAddress, parsePrefix } from '../../../src/model/ip.ts';

const attributes = (handleId: string) => ({ handleId, secondary: { node: 'n1' } });
const fresh = (cidr: string): Block =>
  newBlock({ prefix: parsePrefix(cidr), affinity: 'host:n1', claimedAtMs: Date.UTC(2026, 0, 1) });
const texts = (got: readonly { readonly address: Parameters<typeof formatIpAddress>[0] }[]): string[] =>
  got.map(({ address }) => formatIpAddress(address));

describe.each([
  ['10.65.0.0/30', ['10.65.0.0', '10.65.0.1', '10.65.0.2', '10.65.0.3']],
  ['fd00::ffff:fffc/126', ['fd00::ffff:fffc', 'fd00::ffff:fffd', 'fd00::ffff:fffe', 'fd00::ffff:ffff']],
])('a block %s', (cidr, all) => {
  test('hands out its addresses from the first on, and then none', () => {
    const [block, first] = allocate(fresh(cidr), 3, attributes('h'));
    expect(texts(first)).toEqual(all.slice(0, 3));
    const [full, rest] = allocate(block, 3, attributes('h'));
    expect(texts(rest)).toEqual(all.slice(3));
    expect(allocate(full, 1, attributes('h'))).toEqual([full, []]);
  });

  test('uses a released address last', () => {
    const [one] = allocate(fresh(cidr), 1, attributes('h'));
    const [, again] = allocate(release(one, [0]), 4, attributes('i'));
    expect(texts(again)).toEqual([...all.slice(1), all[0]]);
  });

  test('keeps equal attributes once and forgets those that nobody uses', () => {
    const [one] = allocate(fresh(cidr), 1, attributes('h'));
    const [two] = allocate(one, 1, attributes('i'));
    const [three] = allocate(two, 1, attributes('h'));
    expect(three.attributes).toEqual([attributes('h'), attributes('i')]);
    const left = release(three, [0, 2]);
    expect(left.attributes).toEqual([attributes('i')]);
    expect(left.allocations).toEqual([null, 0, null, null]);
    expect(texts(assignmentsOfHandle(left, 'i'))).toEqual([all[1]]);
  });

  test('gives an address that is handed out anew another sequence number', () => {
    const [one, [first]] = allocate(fresh(cidr), 1, attributes('h'));
    const [, again] = allocate(release(one, [0]), 4, attributes('h'));
    expect(again.at(-1)!.ordinal).toBe(first!.ordinal);
    expect(again.at(-1)!.sequenceNumber).toBeGreaterThan(first!.sequenceNumber);
  });

  test('rests a released address for the cooldown, unassigned, and then brings it home once', () => {
    const [one, [held]] = allocate(fresh(cidr), 1, attributes('h'));
    const releasedAt = '2026-01-01T00:00:00.000Z';
    const resting = release(one, [0], { releasedAt });
    expect(assignmentOf(resting, held!.address)).toBeUndefined();
    expect(isEmpty(resting)).toBe(false);
    const at = (seconds: number): Block => collectCooled(resting, Date.parse(releasedAt) + seconds * 1000, 30);
    expect(at(29)).toBe(resting);
    expect(isEmpty(at(30))).toBe(true);
    expect(at(30).unallocated).toEqual([1, 2, 3, 0]);
    expect(collectCooled(at(30), Number.MAX_SAFE_INTEGER, 0)).toEqual(at(30));
  });

  test('is the same after a way through JSON', () => {
    const [block] = allocate(fresh(cidr), 2, attributes('h'));
    expect(blockFromJson(JSON.parse(JSON.stringify(blockToJson(block))) as Json, 'key')).toEqual(block);
  });
});

test("a block has Calico's JSON keys", () => {
  const [block] = allocate(fresh('10.65.0.0/31'), 1, attributes('h'));
  expect(blockToJson(block)).toEqual({
    cidr: '10.65.0.0/31',
    affinity: 'host:n1',
    affinity_claim_time: '2026-01-01T00:00:00.000Z',
    allocations: [0, null],
    unallocated: [1],
    attributes: [{ handle_id: 'h', secondary: { node: 'n1' } }],
    sequenceNumber: Date.UTC(2026, 0, 1) * 1000 + 1,
    sequenceNumberForAllocation: { '0': Date.UTC(2026, 0, 1) * 1000 },
    deleted: false,
  });
});

test('a block whose record is broken is refused with the field, never guessed at', () => {
  const good = blockToJson(fresh('10.65.0.0/31')) as object;
  const broken = (fields: object) => () => blockFromJson({ ...good, ...fields }, 'KEY');
  expect(broken({ cidr: '10.65.0.1/31' })).toThrow(/^KEY cidr = '10.65.0.1\/31': has host bits set/);
  expect(broken({ allocations: [null] })).toThrow("KEY allocations = '1': are not 2");
  expect(broken({ allocations: [7, null] })).toThrow("KEY allocations = '7': is no index into the attributes");
  expect(broken({ unallocated: [2] })).toThrow("KEY unallocated = '2': is no free place of the block");
});

test("a sequence number of Calico's nanoseconds grows too, though a double cannot count them", () => {
  const nanoseconds = 1_767_225_600_000_000_000;
  expect(nextSequenceNumber(nanoseconds)).toBeGreaterThan(nanoseconds);
  expect(nextSequenceNumber(41)).toBe(42);
});

test('whatever is allocated and released, each place is allocated or free, never both, never neither', () => {
  const steps = fc.array(fc.tuple(fc.nat(3), fc.constantFrom('a', 'b', 'c'), fc.boolean()), { maxLength: 40 });
  fc.assert(
    fc.property(steps, (script) => {
      let block = fresh('10.0.0.0/29');
      for (const [count, handle, isRelease] of script) {
        const mine = assignmentsOfHandle(block, handle).map(({ ordinal }) => ordinal);
        block = isRelease ? release(block, mine.slice(0, count)) : allocate(block, count, attributes(handle))[0];
        const allocated = block.allocations.flatMap((index, ordinal) => (index === null ? [] : [ordinal]));
        expect([...allocated, ...block.unallocated].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
        expect(new Set(block.allocations.filter((index) => index !== null)).size).toBe(block.attributes.length);
      }
    }),
  );
});
