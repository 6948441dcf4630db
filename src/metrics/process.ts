/** What this process takes, by what Node and /proc tell. */
import { readdir, readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import type { ProcessMoment, RuntimeMoment } from './moment.ts';

export async function readProcess(): Promise<ProcessMoment> {
  const { user, system } = process.cpuUsage();
  const [status, limits, files] = await Promise.all([proc('status'), proc('limits'), openFiles()]);
  const virtual = /^VmSize:\s+(\d+) kB$/m.exec(status)?.[1];
  const most = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: process.memoryUsage.rss(),
    ...(virtual !== undefined && { virtualBytes: Number(virtual) * 1024 }),
    ...(files !== undefined && { openFiles: files }),
    ...(most !== undefined && { maxFiles: Number(most) }),
    startedAt: performance.timeOrigin / 1000,
  };
}

export function readRuntime(): RuntimeMoment {
  const { heapTotal, heapUsed, external } = process.memoryUsage();
  return {
    nodeVersion: process.version,
    heapTotalBytes: heapTotal,
    heapUsedBytes: heapUsed,
    externalBytes: external,
    busySeconds: performance.eventLoopUtilization().active / 1000,
  };
}

/** Empty where this host has no /proc, or does not show it. */
const proc = (name: string): Promise<string> => readFile(`/proc/self/${name}`, 'utf8').catch(() => '');

async function openFiles(): Promise<number | undefined> {
  const names = await readdir('/proc/self/fd').catch(() => undefined);
  // One of them is that of the directory itself.
  return names && names.length - 1;
}
