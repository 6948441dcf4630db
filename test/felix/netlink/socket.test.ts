import { expect, test } from 'vitest';
import { concat, encodeAttributes, readU32, textOctets, u32 } from '../../../felix/netlink/attribute.ts';
import { encodeRequests, decodeMessages } from '../../../felix/netlink/header.ts';
import type { Message, Request } from '../../../felix/netlink/header.ts';
import { SystemError } from '../../../src/linux/libc.ts';
import type { Libc } from '../../../src/linux/libc.ts';
import { NetlinkSocket, batches } from '../../../felix/netlink/socket.ts';

/** Answers each datagram with those that `answer` gives; a number is an errno of recv(2). */
function scripted(answer: (requests: readonly Message[]) => readonly (Uint8Array | number)[]): Libc {
  const waiting: (Uint8Array | number)[] = [];
  return {
    socket: () => 3,
    bind: () => undefined,
    setSocketOption: () => undefined,
    getSocketOption: () => new Uint8Array(),
    fcntl: () => undefined,
    interfaceRequest: () => undefined,
    open: () => 4,
    close: () => undefined,
    setNetns: () => undefined,
    sendTo: () => undefined,
    readClock: () => 0,
    send: (_, data) => {
      waiting.push(...answer(decodeMessages(data)));
      return data.length;
    },
    receive: (_, buffer) => {
      const next = waiting.shift() ?? 11;
      if (typeof next === 'number') throw new SystemError('recv', next);
      buffer.set(next);
      return next.length;
    },
  };
}

const message = (type: number, sequence: number, { body = u32(0), flags = 0 }: Partial<Request> = {}): Uint8Array => {
  const octets = encodeRequests([{ type, flags, body }], sequence);
  octets[6] = flags & 255;
  octets[7] = flags >> 8;
  return octets;
};
const verdict = (sequence: number, errno: number): Uint8Array =>
  message(2, sequence, { body: concat([u32(-errno), new Uint8Array(16)]), flags: 0x100 });
const request = (n: number): Request => ({ type: 24, flags: 0, body: u32(n) });
const DONE = 3;

test('of a batch, only the last is acknowledged, and refusals find their place', () => {
  const seen: Message[] = [];
  const socket = new NetlinkSocket(
    scripted((requests) => {
      seen.push(...requests);
      const [first] = requests;
      return [verdict(first!.sequence + 1, 17), concat([verdict(first!.sequence + 2, 0)])];
    }),
  );
  expect(socket.executeBatch([0, 1, 2].map(request)).map(({ errno }) => errno)).toEqual([0, 17, 0]);
  expect(seen.map(({ flags }) => (flags & 4) !== 0)).toEqual([false, false, true]);
});

test('a signal in the middle of the answer is not the end of it; answers to earlier requests are passed over', () => {
  const socket = new NetlinkSocket(
    scripted(([first]) => [4, verdict(first!.sequence - 1, 1), verdict(first!.sequence, 0)]),
  );
  expect(socket.execute(request(1))).toEqual({ errno: 0 });
});

test('no answer is an error after the receive timeout, not a hang', () => {
  const socket = new NetlinkSocket(scripted(() => []));
  expect(() => socket.execute(request(1))).toThrow('recv: EAGAIN (no answer in time)');
});

test('a dump that the kernel calls interrupted is read again, from the start', () => {
  let attempts = 0;
  const socket = new NetlinkSocket(
    scripted(([first]) => {
      const interrupted = ++attempts < 3 ? 0x10 : 0;
      const item = (n: number): Uint8Array => message(24, first!.sequence, { body: u32(n), flags: 2 | interrupted });
      return [concat([item(1), item(2)]), item(3), message(DONE, first!.sequence, { flags: 2 })];
    }),
  );
  expect(socket.dump(request(0), readU32)).toEqual([1, 2, 3]);
  expect(attempts).toBe(3);
});

test('a table that never holds still is an error after five attempts', () => {
  let attempts = 0;
  const socket = new NetlinkSocket(
    scripted(([first]) => {
      attempts++;
      return [message(DONE, first!.sequence, { flags: 0x12 })];
    }),
  );
  expect(socket.dump(request(0), readU32)).toMatchObject({ errno: 4 });
  expect(attempts).toBe(5);
});

test('a refused dump gives the verdict, with the kernel’s sentence', () => {
  const explanation = encodeAttributes([[1, textOctets('no such table')]]);
  const body = concat([u32(-22), new Uint8Array(16), explanation]);
  const socket = new NetlinkSocket(scripted(([first]) => [message(2, first!.sequence, { body, flags: 0x300 })]));
  expect(socket.dump(request(0), readU32)).toEqual({ errno: 22, explanation: 'no such table' });
});

test('batches keep the order, lose nothing and stay under the limit', () => {
  const requests = Array.from({ length: 5000 }, (_, n) => request(n));
  const cut = [...batches(requests)];
  expect(cut.flat()).toEqual(requests);
  expect(cut.length).toBeGreaterThan(1);
  for (const batch of cut) expect(encodeRequests(batch, 1).length).toBeLessThanOrEqual(32 << 10);
});
