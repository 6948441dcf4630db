import { expect, test } from 'vitest';
import { u32 } from '../../../felix/netlink/attribute.ts';
import { decodeMessages, encodeRequests } from '../../../felix/netlink/header.ts';
import { MAX_HEARD } from '../../../felix/netlink/messages.ts';
import type { FromThread } from '../../../felix/netlink/messages.ts';
import { Pump } from '../../../felix/netlink/pump.ts';
import { SystemError } from '../../../src/linux/libc.ts';
import { fakeLibc } from '../../support/fake-libc.ts';

const EAGAIN = 11;
const ENOBUFS = 105;
const FD = 7;

/** A socket on which `arriving` waits; a number is an errno of recv(2). */
function pumpOf(arriving: (Uint8Array | number)[]): { readonly pump: Pump; readonly said: FromThread[] } {
  const said: FromThread[] = [];
  const libc = fakeLibc({
    receive: (_, buffer) => {
      const next = arriving.shift() ?? EAGAIN;
      if (typeof next === 'number') throw new SystemError('recv', next);
      buffer.set(next);
      return next.length;
    },
  });
  return { pump: new Pump(libc, (message) => said.push(message)), said };
}

const datagram = (n: number): Uint8Array => encodeRequests([{ type: 24, flags: 0, body: u32(n) }], n);
const heard = (said: readonly FromThread[]): readonly (readonly number[] | 'overrun')[] =>
  said.flatMap((one) => {
    if (one.type !== 'heard') return [];
    return [one.octets === 'overrun' ? 'overrun' : decodeMessages(one.octets).map(({ sequence }) => sequence)];
  });

test('what came since the last turn is handed over at once, in order', () => {
  const { pump, said } = pumpOf([1, 2, 3].map(datagram));
  pump.perform(1, { do: 'watch', fd: FD });
  pump.readWatched(FD);
  expect(heard(said)).toEqual([[1, 2, 3]]);
});

test('an overrun is told when the socket has been read empty: until then the kernel drops what comes without a word', () => {
  const arriving = [datagram(1), ENOBUFS, datagram(2), datagram(3)];
  const { pump, said } = pumpOf(arriving);
  pump.perform(1, { do: 'watch', fd: FD });
  pump.readWatched(FD);
  expect(arriving).toEqual([]);
  expect(heard(said)).toEqual([[1], 'overrun']);
});

test('a main thread that takes nothing in is told no more than it was promised; the rest stays with the kernel', () => {
  const arriving: (Uint8Array | number)[] = [];
  const { pump, said } = pumpOf(arriving);
  pump.perform(1, { do: 'watch', fd: FD });
  let turns = 0;
  for (; pump.watched.length > 0; turns++) {
    arriving.push(datagram(turns));
    pump.readWatched(FD);
  }
  expect([turns, heard(said).length]).toEqual([MAX_HEARD, MAX_HEARD]);
  pump.perform(0, { do: 'taken', fd: FD });
  expect(pump.watched).toEqual([FD]);
});

test('a socket that is forgotten is not read, and no credit brings it back', () => {
  const { pump } = pumpOf([]);
  pump.perform(1, { do: 'watch', fd: FD });
  pump.perform(2, { do: 'forget', fd: FD });
  pump.perform(0, { do: 'taken', fd: FD });
  expect(pump.watched).toEqual([]);
});

test('a sysctl that is not there is an outcome, not the end of the thread, and does not stop the next one', () => {
  const { pump, said } = pumpOf([]);
  const accesses = ['net/ipv4/conf/nowhere/rp_filter', 'kernel/ostype'].map((path) => ({ path }));
  pump.perform(9, { do: 'sysctls', namespaceFd: undefined, accesses });
  const each = [{ ok: false, call: 'open', errno: 2 }, 'Linux'];
  expect(said).toEqual([{ type: 'done', id: 9, outcome: { ok: true, each } }]);
});
