/**
 * A process that replaces what it holds, all of it many times, and prints how often V8 collected its old generation and the size of its nursery,
 * as `HeapChurn`. `small`: after keepHeapSmall; `grown`: after that and letHeapGrow.
 */
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapSpaceStatistics } from 'node:v8';
import { keepHeapSmall, letHeapGrow } from '../../src/runtime/heap-rest.ts';

export interface HeapChurn {
  readonly collections: number;
  readonly nurseryOctets: number;
}

interface Collection {
  readonly detail: { readonly kind: number };
}

const HELD = 200_000;
const ROUNDS = 5_000;

if (process.argv[2] !== undefined) keepHeapSmall();
if (process.argv[2] === 'grown') letHeapGrow();
let collections = 0;
new PerformanceObserver((list) => {
  for (const { detail } of list.getEntries() as readonly unknown[] as readonly Collection[]) {
    if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) collections++;
  }
}).observe({ entryTypes: ['gc'] });
const held = Array.from({ length: HELD }, (_, i) => ({ i, text: `entry ${i}` }));
for (let round = 0; round < ROUNDS; round++) {
  for (let i = 0; i < 1_000; i++) {
    const at = (round * 1_000 + i * 97) % HELD;
    held[at] = { i: at, text: `entry ${round} ${i}` };
  }
}
await sleep(20);
const nursery = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
process.stdout.write(JSON.stringify({ collections, nurseryOctets: nursery?.space_size ?? 0 } satisfies HeapChurn));
