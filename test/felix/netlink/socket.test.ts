import { expect, test } from 'vitest';
import { concat, encodeAttributes, readU32, textOctets, u32 } from '../../../felix/netlink/attribute.ts';
import { BatchWriter } from '../../../felix/netlink/batch-writer.ts';
import type { Batch } from '../../../felix/netlink/batch-writer.ts';
import { encodeRequests, decodeMessages } from '../../../felix/netlink/header.ts';
import type { Message, Request } from '../../../felix/netlink/header.ts';
import { SystemError } from '../../../src/linux/libc.ts';
import type { Libc } from '../../../src/linux/libc.ts';
import { Pump } from '../../../felix/netlink/pump.ts';
import { NetlinkSocket } from '../../../felix/netlink/socket.ts';
import type { Performer } from '../../../felix/netlink/thread.ts';
import { fakeLibc } from '../../support/fake-libc.ts';

/** A socket, pumped by this thread, that answers each datagram with those that `answer` gives; a number is an errno of recv(2). */
function scripted(answer: (requests: readonly Message[]) => readonly (Uint8Array | number)[]): NetlinkSocket {
  const libc = scriptedLibc(answer);
  return new NetlinkSocket(libc, pumpedHere(libc));
}

function scriptedLibc(answer: (requests: readonly Message[]) => readonly (Uint8Array | number)[]): Libc {
  const waiting: (Uint8Array | number)[] = [];
  return fakeLibc({
    ...{ socket: () => 3, bind: () => undefined, setSocketOption: () => undefined, close: () => undefined },
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
  });
}

function pumpedHere(libc: Libc): Performer {
  const unused = (): Promise<never> => Promise.reject(new Error('these tests watch nothing'));
  return {
    watch: unused,
    forget: () => Promise.resolve(),
    perform: (task, onOctets) =>
      new Promise((resolve, reject) => {
        const pump = new Pump(libc, (said) => {
          if (said.type === 'octets') onOctets?.(said.octets);
          else if (said.type === 'heard') reject(new Error('nothing is watched'));
          else if (said.outcome.ok) resolve(said.outcome);
          else reject(new SystemError(said.outcome.call, said.outcome.errno));
        });
        pump.perform(1, task);
      }),
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
/** `count` requests of eight octets. */
function batchOf(first: number, count: number): Batch {
  const batch = new BatchWriter(first);
  for (let n = 0; n < count; n++) {
    batch.begin(24, 0);
    batch.u32(n);
    batch.end();
  }
  return batch.finish();
}
const DONE = 3;

test('of a batch, only the last is acknowledged, and refusals find their place', async () => {
  const seen: Message[] = [];
  const socket = scripted((requests) => {
    seen.push(...requests);
    const [first] = requests;
    return [verdict(first!.sequence + 1, 17), concat([verdict(first!.sequence + 2, 0)])];
  });
  const refusals = await socket.executeBatch(batchOf(socket.number(3), 3));
  expect([...refusals]).toEqual([[1, { errno: 17 }]]);
  expect(seen.map(({ flags }) => (flags & 4) !== 0)).toEqual([false, false, true]);
});

test('two batches at once get numbers of their own', async () => {
  const socket = scripted((requests) => [verdict(requests.at(-1)!.sequence, 1)]);
  const [one, two] = [batchOf(socket.number(2), 2), batchOf(socket.number(1), 1)];
  const [second, first] = [await socket.executeBatch(two), await socket.executeBatch(one)];
  expect([[...first], [...second]]).toEqual([[[1, { errno: 1 }]], [[0, { errno: 1 }]]]);
});

test('a signal in the middle of the answer is not the end of it; answers to earlier requests are passed over', async () => {
  const socket = scripted(([first]) => [4, verdict(first!.sequence - 1, 1), verdict(first!.sequence, 0)]);
  expect(await socket.execute(request(1))).toEqual({ errno: 0 });
});

test('no answer is an error after the receive timeout, not a hang', async () => {
  const socket = scripted(() => []);
  await expect(socket.execute(request(1))).rejects.toThrow('recv: EAGAIN (no answer in time)');
});

test('an answer that leads outside itself is an error, and the thread lives on', async () => {
  const broken = (sequence: number): Uint8Array => {
    const octets = verdict(sequence, 0);
    octets[0] = 200;
    return octets;
  };
  const answers = [broken, (sequence: number): Uint8Array => verdict(sequence, 0)];
  const socket = scripted(([first]) => [answers.shift()!(first!.sequence)]);
  await expect(socket.execute(request(1))).rejects.toThrow('says 200 octets');
  expect(await socket.execute(request(1))).toEqual({ errno: 0 });
});

test('an answer of many parts is heard whole and in order', async () => {
  const socket = scripted(([first]) => {
    const items = Array.from({ length: 400 }, (_, n) =>
      message(24, first!.sequence, { body: concat([u32(n), new Uint8Array(1000)]) }),
    );
    const datagrams = Array.from({ length: 20 }, (_, i) => concat(items.slice(i * 20, i * 20 + 20)));
    return [...datagrams, message(DONE, first!.sequence)];
  });
  const listed = await socket.dump(request(0), readU32);
  expect(listed).toEqual(Array.from({ length: 400 }, (_, n) => n));
});

test('a dump that the kernel calls interrupted is read again, from the start', async () => {
  let attempts = 0;
  const socket = scripted(([first]) => {
    const interrupted = ++attempts < 3 ? 0x10 : 0;
    const item = (n: number): Uint8Array => message(24, first!.sequence, { body: u32(n), flags: 2 | interrupted });
    return [concat([item(1), item(2)]), item(3), message(DONE, first!.sequence, { flags: 2 })];
  });
  expect(await socket.dump(request(0), readU32)).toEqual([1, 2, 3]);
  expect(attempts).toBe(3);
});

test('a table that never holds still is an error after five attempts', async () => {
  let attempts = 0;
  const socket = scripted(([first]) => {
    attempts++;
    return [message(DONE, first!.sequence, { flags: 0x12 })];
  });
  expect(await socket.dump(request(0), readU32)).toMatchObject({ errno: 4 });
  expect(attempts).toBe(5);
});

test('a refused dump gives the verdict, with the kernel’s sentence', async () => {
  const explanation = encodeAttributes([[1, textOctets('no such table')]]);
  const body = concat([u32(-22), new Uint8Array(16), explanation]);
  const socket = scripted(([first]) => [message(2, first!.sequence, { body, flags: 0x300 })]);
  expect(await socket.dump(request(0), readU32)).toEqual({ errno: 22, explanation: 'no such table' });
});
