import { readFileSync } from 'node:fs';
import koffi from 'koffi';
import { expect, test } from 'vitest';
import { loadLibc } from '../../../src/linux/libc.ts';

test('the C library is bound once, for what koffi binds is never given back', () => {
  expect(loadLibc()).toBe(loadLibc());
});

// musl has nothing to trim, and its free gives back by itself.
test.runIf('glibcVersionRuntime' in (process.report.getReport() as { header: object }).header)(
  'what malloc has free, but below a piece that is in use, goes back to the kernel',
  () => {
    const library = koffi.load(null);
    const malloc = library.func('void *malloc(unsigned long size)');
    const fill = library.func('void *memset(void *at, int octet, unsigned long size)');
    const free = library.func('void free(void *piece)');
    const libc = loadLibc();
    // Smaller than what malloc maps by itself, all together 64 MB.
    const piece = 64 * 1024;
    const pieces = Array.from({ length: 1024 }, (): unknown => fill(malloc(piece), 1, piece));
    const last = pieces.pop();
    for (const each of pieces) free(each);
    const before = residentOctets();
    libc.trimHeap();
    const after = residentOctets();
    free(last);
    expect(before - after).toBeGreaterThan(32 * 2 ** 20);
  },
);

/** proc_pid_statm(5) */
const residentOctets = (): number => Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[1]) * 4096;
