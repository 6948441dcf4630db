/** Takes calico-ts off this host: the kernel's side is felix's, the files are the agent's. */
import { carryOut, readUninstallPlan, stepText } from '../../felix/index.ts';
import type { HostRecord, Kernel } from '../../felix/index.ts';

export interface UninstallHost {
  readonly kernel: Kernel;
  readonly record: HostRecord;
  /** The agent's files that are there, in the order in which they go: the record is the last. */
  readonly files: readonly string[];
  /** Throws where it cannot. */
  removeFile(path: string): void;
}

export interface StepReport {
  /** `delete route 10.48.0.0/26 via 172.30.1.12 dev eth0 metric 0 proto 80` */
  readonly what: string;
  /** Why it could not be done. */
  readonly error?: string;
}

export interface UninstallReport {
  /** What is to be done, or was. */
  readonly steps: readonly StepReport[];
  /** What stays and why. */
  readonly left: readonly string[];
  /** Interfaces of pods that lose their network. */
  readonly pods: readonly string[];
}

const fileText = (path: string): string => `delete file ${path}`;

/** Changes nothing. */
export async function planHostUninstall({ kernel, record, files }: UninstallHost): Promise<UninstallReport> {
  const { steps, left, pods, links } = await readUninstallPlan(kernel, record);
  const whats = [...steps.map((step) => stepText(step, links)), ...files.map(fileText)];
  return { steps: whats.map((what) => ({ what })), left, pods };
}

/**
 * Does it, each step by itself, and looks again afterwards: what is still there is told as an error. The files stay where
 * something failed, so that a second call knows as much as the first.
 */
export async function uninstallHost(host: UninstallHost): Promise<UninstallReport> {
  const { kernel, record, files } = host;
  const { steps, pods, links } = await readUninstallPlan(kernel, record);
  const done: StepReport[] = [];
  await carryOut(steps, kernel, (step, error) => {
    done.push({ what: stepText(step, links), ...(error === undefined ? {} : { error: error.message }) });
  });
  const after = await readUninstallPlan(kernel, record);
  const remaining = after.steps
    .map((step) => stepText(step, after.links))
    .filter((what) => !done.some((step) => step.what === what && step.error !== undefined));
  done.push(...remaining.map((what) => ({ what, error: 'is there again: somebody puts it back' })));
  if (done.every(({ error }) => error === undefined)) done.push(...files.map((path) => removed(host, path)));
  return { steps: done, left: after.left, pods };
}

function removed(host: UninstallHost, path: string): StepReport {
  try {
    host.removeFile(path);
    return { what: fileText(path) };
  } catch (error) {
    return { what: fileText(path), error: (error as Error).message };
  }
}
