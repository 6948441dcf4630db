/** A short run of `npm run soak`, in a process of its own as people run it. */
import { execFile } from 'node:child_process';
import { expect, test } from 'vitest';
import { isRoot } from '../support/netns.ts';

interface Ended {
  readonly status: number;
  readonly said: string;
}

const soak = (...args: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, ['test/soak/main.ts', ...args], (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), said: stdout + stderr });
    });
  });

test.skipIf(!isRoot && process.env['CI'] === undefined)(
  'half a minute of soak finds no difference, and ends with one line that says so',
  { timeout: 180_000 },
  async () => {
    const { status, said } = await soak('--minutes', '0.5', '--prefixes', '2000', '--seed', '1');
    expect(said).toMatch(/\nsoak: \d+ events, 0 differences, RSS [\d.]+ → [\d.]+ MB\n$/);
    expect(status).toBe(0);
  },
);

test.each([
  [['--peers', '3'], 'soak: --peers 3: 4 to 40 is possible\n'],
  [['--prefixes'], 'soak: --prefixes : 100 to 60000 is possible\n'],
  [['--hours', '1'], 'soak: --hours is none of --minutes, --seed, --peers, --prefixes\n'],
])('%j is refused with one sentence', async (args, sentence) => {
  expect(await soak(...args)).toEqual({ status: 2, said: sentence });
});
