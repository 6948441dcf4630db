import { expect, test } from 'vitest';
import { BatchWriter, MAX_REQUESTS } from '../../../felix/netlink/batch-writer.ts';
import { decodeAttributes, readU32 } from '../../../felix/netlink/attribute.ts';
import { decodeMessages } from '../../../felix/netlink/header.ts';

const REQUEST = 0x1;
const ACK = 0x4;

test('requests are numbered in a row, and the last one alone is acknowledged', () => {
  const batch = new BatchWriter(41);
  for (const type of [24, 25, 24]) {
    batch.begin(type, 0x100);
    batch.u8(type);
    batch.end();
  }
  const { octets, first, count } = batch.finish();
  const messages = decodeMessages(octets);
  expect([first, count]).toEqual([41, 3]);
  expect(messages.map(({ type, sequence }) => [type, sequence])).toEqual([
    [24, 41],
    [25, 42],
    [24, 43],
  ]);
  expect(messages.map(({ flags }) => flags)).toEqual([0x100 | REQUEST, 0x100 | REQUEST, 0x100 | REQUEST | ACK]);
  expect(messages.map(({ body }) => [...body])).toEqual([[24], [25], [24]]);
});

test('a batch is full at 32 KiB, and holds no more requests than it has numbers', () => {
  const batch = new BatchWriter(1);
  while (batch.hasRoom) {
    batch.begin(24, 0);
    for (let i = 0; i < 3; i++) batch.u32(i);
    batch.end();
  }
  const { octets, count } = batch.finish();
  expect(Number.isInteger(MAX_REQUESTS)).toBe(true);
  expect(count).toBeLessThanOrEqual(MAX_REQUESTS);
  expect(octets.length).toBeGreaterThanOrEqual(32 << 10);
  expect(octets.length).toBeLessThan((32 << 10) + 28);
});

test('one request may be larger than all the room there was', () => {
  const batch = new BatchWriter(1);
  batch.begin(24, 0);
  for (let i = 0; i < 20_000; i++) batch.attributeU32(7, i);
  batch.end();
  const [message] = decodeMessages(batch.finish().octets);
  expect(message!.body.length).toBe(160_000);
  expect(readU32(decodeAttributes(message!.body).get(7)!)).toBe(19_999);
});
