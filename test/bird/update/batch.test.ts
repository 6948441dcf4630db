import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeMessage } from '../../../bird/bgp-ts/index.ts';
import type { FamilyNlri } from '../../../bird/bgp-ts/index.ts';
import { ABSENT } from '../../../bird/rib/int-table.ts';
import { PrefixTable } from '../../../bird/rib/prefix-table.ts';
import { Batch, BATCH_ROWS, NO_PEER, partsFor } from '../../../bird/update/batch.ts';
import type { BatchView, Messages } from '../../../bird/update/batch.ts';
import { attributeBlock, Framer, plainContext } from '../../../bird/wire.ts';

const NEXT_HOP = Uint8Array.of(10, 0, 0, 1);
interface Row {
  readonly target: number;
  readonly except: number;
}

/** Many rows for one set, many sets, or many peers whose routes have one set: the index has neighbors in each way. */
const batches = fc
  .constantFrom({ sets: 2, peers: 2 }, { sets: 5000, peers: 2 }, { sets: 0, peers: 1_000_000 })
  .chain(({ sets, peers }) =>
    fc.array(
      fc.record({
        target: fc.oneof({ weight: 1, arbitrary: fc.constant(ABSENT) }, { weight: 5, arbitrary: fc.nat(sets) }),
        except: fc.nat(peers),
      }),
      { maxLength: 3000, size: 'max' },
    ),
  );
/** So many of the peers are asked what they heard. */
const ASKED = 8;
const NOBODY = 2_000_000;

const prefixesOf = (each: FamilyNlri): readonly string[] =>
  each.kind === 'prefix' ? each.nlri.map(({ words }) => words.join()) : expect.fail('no IPv4 prefixes');

/** `prefix → set`, or `prefix → -`, as the peer reads it; the set is told by its MED. */
function heard(messages: Messages, peer: number): readonly string[] {
  const framer = new Framer(4096);
  const lines: string[] = [];
  for (const part of partsFor(messages, peer)) framer.push(part);
  for (let frame = framer.next(); frame !== undefined; frame = framer.next()) {
    const decoded = decodeMessage(frame, plainContext);
    if (decoded.kind !== 'ok' || decoded.message.type !== 'update') throw new Error('no UPDATE');
    const { announced, withdrawn, attributes } = decoded.message;
    for (const row of withdrawn.flatMap(prefixesOf)) lines.push(`${row} -`);
    for (const row of announced.flatMap(prefixesOf)) lines.push(`${row} ${attributes.med}`);
  }
  return lines;
}

function setUp() {
  const batch = new Batch();
  const prefixes = new PrefixTable(4, 1);
  const view: BatchView = {
    prefixes,
    send: plainContext,
    encodedSet: (target) => {
      const set = { origin: 'igp', asPath: [], med: target, nextHop: NEXT_HOP } as const;
      const block = attributeBlock(set, plainContext, 'next-hop');
      return { block, blockLength: block.length, nextHop: undefined };
    },
  };
  const pass = (list: readonly Row[]): Messages => {
    for (const [at, { target, except }] of list.entries()) {
      const prefix = prefixes.intern(at, 0, 0, 0, 32);
      prefixes.retain(prefix);
      batch.add(prefix, target, except);
    }
    const messages = batch.encode(view);
    expect([batch.isEmpty, prefixes.size, messages.failure]).toEqual([true, 0, undefined]);
    return messages;
  };
  return pass;
}

const linesFor = (list: readonly Row[], peer: number): readonly string[] =>
  list
    .flatMap(({ target, except }, at) => (except === peer ? [] : [`${at} ${target === ABSENT ? '-' : target}`]))
    .sort();

test('every peer hears each row that is for it once, withdrawals first, whatever the batch had before', () => {
  const pass = setUp();
  fc.assert(
    fc.property(batches, (list: readonly Row[]) => {
      const messages = pass(list);
      const peers = list.slice(-ASKED).map(({ except }) => except);
      for (const peer of new Set([NOBODY, ...peers.filter((each) => each !== NO_PEER)])) {
        const told = heard(messages, peer);
        const lines = linesFor(list, peer);
        expect([...told].sort()).toEqual(lines);
        expect(told.findLastIndex((line) => line.endsWith('-'))).toBe(lines.filter((l) => l.endsWith('-')).length - 1);
      }
    }),
    { numRuns: 15 },
  );
});

test('a batch leaves nothing to the next, however many there are', () => {
  const pass = setUp();
  // More than the index has slots: one that was left taken each time would fill it, and the next search would not end.
  for (let i = 0; i < 33_000; i++) {
    // The first row is about the set of the last one before.
    const list = [i, i + 1].map((target): Row => ({ target, except: NO_PEER }));
    const messages = pass(list);
    if (i % 20 === 0) expect([...heard(messages, 1)].sort()).toEqual(linesFor(list, 1));
  }
});

test('a batch that is full of one set from as many peers tells each all but its own', () => {
  const list = Array.from({ length: BATCH_ROWS }, (_, i): Row => ({ target: 1, except: 1 + i * 61 }));
  const messages = setUp()(list);
  // Those that came last found most slots taken.
  for (const { except } of list.slice(-4)) expect([...heard(messages, except)].sort()).toEqual(linesFor(list, except));
});
