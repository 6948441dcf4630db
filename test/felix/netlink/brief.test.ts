import { expect, test } from 'vitest';
import { u32 } from '../../../felix/netlink/attribute.ts';
import { BriefPerformer } from '../../../felix/netlink/brief.ts';
import { encodeRequests } from '../../../felix/netlink/header.ts';
import type { Exchange } from '../../../felix/netlink/messages.ts';
import { SystemError } from '../../../src/linux/libc.ts';
import { fakeLibc } from '../../support/fake-libc.ts';

/** NLMSG_ERROR: a verdict. */
const ERROR = 2;
const verdict = (sequence: number): Uint8Array => encodeRequests([{ type: ERROR, flags: 0, body: u32(0) }], sequence);
const exchange = (until: number, isBrief: boolean): Exchange => ({
  ...{ do: 'exchange', fd: 3, octets: encodeRequests([{ type: 24, flags: 0, body: u32(0) }], until), until, isBrief },
});

/** What was done, and by whom. The kernel takes `takesMs` for what is done here. */
function bench({ takesMs = 0, errno = 0 } = {}) {
  const done: string[] = [];
  let now = 0;
  let until = 0;
  const answers: (() => void)[] = [];
  const libc = fakeLibc({
    send: (_, data) => {
      until = new DataView(data.buffer, data.byteOffset).getUint32(8, true);
      done.push(`${until} here`);
      now += takesMs;
      if (errno > 0) throw new SystemError('send', errno);
      return data.length;
    },
    receive: (_, buffer) => {
      buffer.set(verdict(until));
      return verdict(until).length;
    },
  });
  const performer = new BriefPerformer({
    ...{ libc, now: () => now },
    thread: {
      watch: () => Promise.resolve(),
      forget: () => Promise.resolve(),
      perform: (task) => {
        done.push(`${(task as Exchange).until} by the thread`);
        return new Promise((resolve) => answers.push(() => resolve({})));
      },
    },
  });
  const pass = (ms: number): void => void (now += ms);
  return { performer, done, answer: () => answers.shift()!(), pass };
}

test('what is brief is done here, and its answer is the whole one', async () => {
  const { performer, done } = bench();
  const { octets } = await performer.perform(exchange(7, true));
  expect(octets).toEqual(verdict(7));
  expect(done).toEqual(['7 here']);
});

test('what is not brief is the thread’s, and so is what is asked behind it until the thread has answered', async () => {
  const { performer, done, answer } = bench();
  const first = performer.perform(exchange(1, false));
  const second = performer.perform(exchange(2, true));
  answer();
  await first;
  const third = performer.perform(exchange(3, true));
  answer();
  answer();
  await Promise.all([second, third]);
  await performer.perform(exchange(4, true));
  expect(done).toEqual(['1 by the thread', '2 by the thread', '3 by the thread', '4 here']);
});

test('a system call that fails rejects, and the next is done here all the same', async () => {
  const { performer, done } = bench({ errno: 105 });
  await expect(performer.perform(exchange(1, true))).rejects.toThrow(SystemError);
  await expect(performer.perform(exchange(2, true))).rejects.toMatchObject({ code: 'ENOBUFS' });
  expect(done).toEqual(['1 here', '2 here']);
});

test('where the kernel keeps one waiting the thread waits for it the next second', async () => {
  const { performer, done, answer, pass } = bench({ takesMs: 40 });
  await performer.perform(exchange(1, true));
  const second = performer.perform(exchange(2, true));
  answer();
  await second;
  pass(1_000);
  await performer.perform(exchange(3, true));
  expect(done).toEqual(['1 here', '2 by the thread', '3 here']);
});
