import { readFileSync, readlinkSync } from 'node:fs';
import { loadLibc } from './libc.ts';
import { unwrittenRegions } from './memory-map.ts';

/**
 * What this process has in memory and does not use goes back to the kernel. What malloc has free: the compilers of V8 take 30 MB of it and
 * leave it in pieces. And Node's own program as far as the start alone has run and read it, 35 MB of 50: it stays in the page cache, from where
 * what is used again is mapped again, sixteen pages for each fault, and the kernel can have the rest back for the asking. It takes 5 ms.
 *
 * A host without koffi, or without /proc, keeps it all.
 */
export function giveBackMemory(): void {
  try {
    const libc = loadLibc();
    libc.trimHeap();
    // Read again each time, and the program alone: it never moves, where a library that is gone has left its place to somebody else.
    const program = readlinkSync('/proc/self/exe');
    for (const { start, octets } of unwrittenRegions(readFileSync('/proc/self/smaps', 'latin1'), program)) {
      libc.dropPages(start, octets);
    }
  } catch {
    // It is only more memory than is needed, and what misses koffi says so itself.
  }
}
