/**
 * The agent, which can be killed (kill -9, by itself) between any two of its writes, of the kernel and of the datastore together: on SIGUSR2
 * it reads from the file MORTAL_FATE how many it has left, empty for no end.
 */
import { readFileSync } from 'node:fs';
import { runAgent } from '../../src/agent/run.ts';
import { loadSettings } from '../../src/config/settings.ts';
import type { Store } from '../../src/datastore/store.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { mortalKernel } from './mortal-kernel.ts';
import type { Fate } from './mortal-kernel.ts';

const fate: Fate = { left: undefined };
process.on('SIGUSR2', () => {
  const text = readFileSync(process.env['MORTAL_FATE'] ?? '', 'utf8').trim();
  fate.left = text === '' ? undefined : Number(text);
});

const spend = (): void => {
  if (fate.left === undefined) return;
  if (fate.left === 0) process.kill(process.pid, 'SIGKILL');
  fate.left--;
};

const mortalStore = (store: Store): Store => ({
  get: (key) => store.get(key),
  list: (prefix) => store.list(prefix),
  watch: (prefix, revision, signal) => store.watch(prefix, revision, signal),
  close: () => store.close(),
  create: (key, value) => (spend(), store.create(key, value)),
  update: (key, value, revision) => (spend(), store.update(key, value, revision)),
  delete: (key, revision) => (spend(), store.delete(key, revision)),
  writeAll: (writes) => (spend(), store.writeAll(writes)),
});

const settings = loadSettings(process.env);
process.exitCode = await runAgent(settings, {
  ...{ log: createLogger(settings.logLevel ?? 'info'), version: 'mortal' },
  around: { kernel: (kernel) => mortalKernel(kernel, fate), store: mortalStore },
});
