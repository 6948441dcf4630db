import { expect, test } from 'vitest';
import { ApartPerformer } from '../../../felix/netlink/apart.ts';
import { encodeRequests } from '../../../felix/netlink/header.ts';
import { u32 } from '../../../felix/netlink/attribute.ts';
import { SystemError } from '../../../src/linux/libc.ts';
import { fakeLibc } from '../../support/fake-libc.ts';

/** NLMSG_DONE: the end of a dump. */
const DONE = 3;
const message = (type: number, sequence: number, octets = 4): Uint8Array<ArrayBuffer> =>
  encodeRequests([{ type, flags: 0, body: new Uint8Array([...u32(0), ...new Uint8Array(octets - 4)]) }], sequence);
const exchange = (until: number) => ({ do: 'exchange', fd: 3, octets: message(16, until), until }) as const;

function performer(answers: (Uint8Array | number)[]) {
  const sent: number[] = [];
  const libc = fakeLibc({
    sendApart: (_, data) => Promise.resolve(sent.push(data.length)),
    receiveApart: async (_, buffer) => {
      const next = answers.shift();
      await new Promise((resolve) => void setImmediate(resolve));
      if (typeof next !== 'object') throw new SystemError('recv', next ?? 5);
      buffer.set(next);
      return next.length;
    },
  });
  return { apart: new ApartPerformer(libc), sent };
}

test('an answer of many datagrams comes in parts, all of it and in order', async () => {
  const datagrams = Array.from({ length: 9 }, (_, i) => message(16, 7, 30_000 - i * 4));
  const { apart } = performer([...datagrams, message(DONE, 7)]);
  const parts: number[] = [];
  const { octets } = await apart.perform(exchange(7), (part) => parts.push(part.length));
  const total = [...datagrams, message(DONE, 7)].reduce((sum, { length }) => sum + length, 0);
  expect(parts.length).toBeGreaterThan(1);
  expect(parts.reduce((a, b) => a + b) + octets!.length).toBe(total);
});

test('one exchange after the other, also behind one that fails, and nobody uses the socket after forget', async () => {
  const { apart, sent } = performer([5, message(DONE, 2)]);
  const [first, second] = [apart.perform(exchange(1)), apart.perform(exchange(2))];
  const ended: string[] = [];
  void second.then(() => ended.push('second'));
  const forgotten = apart.forget().then(() => ended.push('forget'));
  await expect(first).rejects.toThrow(SystemError);
  await forgotten;
  expect(ended).toEqual(['second', 'forget']);
  expect(sent).toHaveLength(2);
});
