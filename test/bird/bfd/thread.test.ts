import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadLibc } from '../../../bird/bfd/libc.ts';
import type { ToThread } from '../../../bird/bfd/messages.ts';
import { startThread } from '../../../bird/bfd/thread.ts';
import { systemClock } from '../../../src/runtime/clock.ts';

/** The real thread, without a session: it opens no socket. */
const start = startThread({ libc: loadLibc, after: (ms, callback) => systemClock.after(ms, callback) });

const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

test('the thread ends when it is told to, at once though it sleeps, and leaves no descriptor', async () => {
  const before = openDescriptors();
  const said: string[] = [];
  const thread = start({ said: ({ type }) => said.push(type), ended: (reason) => said.push(reason) });
  thread.tell({ do: 'setSessions', sessions: [] });
  await thread.close();
  expect(said).toEqual([]);
  expect(openDescriptors()).toBe(before);
  // Nobody hears it, and the number of its descriptor may be another's.
  thread.tell({ do: 'setSessions', sessions: [] });
});

test('a fault in the thread ends it alone, with the reason', async () => {
  const ended = Promise.withResolvers<string>();
  const thread = start({ said: () => undefined, ended: (reason) => ended.resolve(reason) });
  thread.tell({ do: 'setSessions' } as unknown as ToThread);
  expect(await ended.promise).toContain('sessions');
});
