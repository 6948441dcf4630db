import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

/**
 * `guest` needs root and a kernel with ipip, so elsewhere it is not there at all: `vm` runs it in the machine that it
 * boots, and says there by CALICO_TS_GUEST=1 that it must run.
 */
const hasIpip = existsSync('/sys/module/ipip') && process.getuid?.() === 0;
const guest = {
  test: {
    name: 'guest',
    include: ['test/vm/guest/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
};

/** `unit` needs nothing; `integration` needs root and Linux namespaces; `vm` boots Debian's kernel under qemu. */
export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/integration/**', 'test/vm/**'],
          // Properties take a second, and seven on a machine that has other work; five is no verdict on them.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'vm',
          include: ['test/vm/**/*.test.ts'],
          exclude: ['test/vm/guest/**'],
          testTimeout: 900_000,
          hookTimeout: 900_000,
          fileParallelism: false,
        },
      },
      ...(hasIpip || process.env['CALICO_TS_GUEST'] === '1' ? [guest] : []),
    ],
  },
});
