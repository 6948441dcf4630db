import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeProgram } from '../../support/lab-processes.ts';
import type { GivenBack } from '../../support/given-back.ts';

/** In a process of its own: a test runner's has pages of Node's that it uses at once. */
test.runIf(existsSync('/proc/self/smaps'))(
  'what only the start has used of Node goes back, and what is needed comes again',
  () => {
    const program = join(import.meta.dirname, '../../support/given-back.ts');
    const { before, after, answers } = JSON.parse(
      execFileSync(nodeProgram(), [program], { encoding: 'utf8' }),
    ) as GivenBack;
    expect(before - after).toBeGreaterThan(15 * 2 ** 20);
    expect(answers[1]).toBe(answers[0]);
  },
);
