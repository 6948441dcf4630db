import type { Kernel, SysctlChange } from '../../felix/kernel.ts';
import type { RouteChange } from '../../felix/routes/kernel-route.ts';
import { KERNEL_WRITES } from './kernel-calls.ts';

/** Counts writes, and anything may kill us before, after, or in the middle of one: each call is one, a batch of routes or of sysctls as many as it has. */
export interface Fate {
  /** Writes that are still done; undefined: it lives. */
  left: number | undefined;
}

const isWrite = (name: string): boolean => KERNEL_WRITES.some((write) => write === name);

const die = (): void => void process.kill(process.pid, 'SIGKILL');

/**
 * The same kernel, whose user is killed (kill -9, by itself) once `fate.left` writes are done: the same number ends the
 * same apply at the same point, in the middle of a batch of routes too.
 */
export function mortalKernel(kernel: Kernel, fate: Fate): Kernel {
  const batch = async <T, R>(changes: readonly T[], write: (some: readonly T[]) => Promise<readonly R[]>) => {
    if (fate.left === undefined) return write(changes);
    if (fate.left >= changes.length) {
      fate.left -= changes.length;
      return write(changes);
    }
    await write(changes.slice(0, fate.left));
    die();
    return [];
  };
  const writeRoutes = (changes: Iterable<RouteChange>) => batch([...changes], (some) => kernel.writeRoutes(some));
  const writeSysctls = (changes: readonly SysctlChange[]) => batch(changes, (some) => kernel.writeSysctls(some));
  const spend = (): void => {
    if (fate.left === undefined) return;
    if (fate.left === 0) die();
    fate.left--;
  };
  return new Proxy(kernel, {
    get: (target, name: keyof Kernel) => {
      if (name === 'writeRoutes') return writeRoutes;
      if (name === 'writeSysctls') return writeSysctls;
      const method = target[name].bind(target) as (...args: readonly unknown[]) => unknown;
      if (!isWrite(name)) return method;
      return (...args: readonly unknown[]) => {
        spend();
        return method(...args);
      };
    },
  });
}
