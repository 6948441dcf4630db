import { expect } from 'vitest';
import type { SpeakerMemory } from './speaker-process.ts';

/**
 * Between two looks at the memory of one speaker that has nothing to keep. What is resident tells of large leaks alone: V8
 * takes pages while it is busy and gives them back late (285 MB resident after 20,000 sessions, 20 MB of it alive).
 */
export function expectNoLeak(before: SpeakerMemory, after: SpeakerMemory): void {
  expect(after.heap + after.buffers).toBeLessThan(before.heap + before.buffers + 3);
  expect(after.rss).toBeLessThan(before.rss + 100);
}
