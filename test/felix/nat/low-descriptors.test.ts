import { closeSync, openSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { LowDescriptors } from '../../../felix/nat/low-descriptors.ts';

const LIMIT = 1024;
const opened: number[] = [];

afterEach(() => {
  for (const descriptor of opened.splice(0)) closeSync(descriptor);
});

const open = (): number => openSync('/dev/null', 'r');

/** As a process with so many sessions: from here on there is nothing below the limit for whoever opens something. */
function fill(): void {
  while ((opened.at(-1) ?? 0) <= LIMIT) opened.push(open());
}

test('a process with more than a thousand sessions has low descriptors for a call that needs them, again and again', () => {
  const low = new LowDescriptors();
  fill();
  for (let i = 0; i < 3; i++) {
    const inside = low.lend(() => {
      const descriptor = open();
      closeSync(descriptor);
      return descriptor;
    });
    expect(inside).toBeLessThan(LIMIT);
    const outside = open();
    closeSync(outside);
    expect(outside).toBeGreaterThan(LIMIT);
  }
  low.close();
});

test('where all low descriptors are taken the call is not made', () => {
  const low = new LowDescriptors();
  low.close();
  fill();
  expect(() => low.lend(() => 'called')).toThrow(/no file descriptor below 1024/);
});
