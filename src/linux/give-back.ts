import { loadLibc } from './libc.ts';

/**
 * What malloc has and nobody uses goes back to the kernel: the compilers of V8 take 30 MB of it and leave it free, but in
 * pieces. A host without koffi keeps it.
 */
export function giveBackMemory(): void {
  try {
    loadLibc().trimHeap();
  } catch {
    // It is only more memory than is needed, and what misses koffi says so itself.
  }
}
