import { VmUnavailableError } from './image.ts';
import { quote } from './guest.ts';
import { runInVm } from './run-in-vm.ts';
import { CannotRunError } from '../encapsulation.ts';
import type { DemoOptions } from '../options.ts';
import type { Report } from '../report.ts';

const TIMEOUT_MS = 15 * 60_000;

export interface VmDemo {
  readonly options: DemoOptions;
  readonly project: string;
  readonly reason: string;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/** The same demo in the VM: its text comes over the console while it runs, its report at the end. */
export async function runDemoInVm({ options, project, reason, signal, say }: VmDemo): Promise<Report> {
  const flags = ['--json', '--datastore', options.datastore, '--encap', options.encap ?? 'ipip'];
  if (options.switches !== undefined) flags.push('--switches', options.switches);
  const command = ['node', process.argv[1]!, ...flags].map(quote).join(' ');
  const onConsole = quietly(say);
  const result = await runInVm(command, { timeoutMs: TIMEOUT_MS, project, signal, onConsole }).catch(
    (error: unknown) => {
      if (error instanceof VmUnavailableError) throw new CannotRunError(error.message);
      throw error;
    },
  );
  signal.throwIfAborted();
  if (result.exitCode === undefined)
    throw new Error(`the VM ended without an answer, or took ${TIMEOUT_MS / 60_000} minutes`);
  const report = parseReport(result.stdout);
  if (report === undefined) throw new Error(`the demo in the VM ended with ${result.exitCode} and no report`);
  return { ...report, cluster: { ...report.cluster, where: 'vm', reason } };
}

function parseReport(text: string): Report | undefined {
  try {
    return JSON.parse(text) as Report;
  } catch {
    return undefined;
  }
}

/** Whole lines only, and without those of the kernel. */
function quietly(say: (text: string) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (!/^\[ *\d+\.\d+\] /.test(line)) say(`${line}\n`);
  };
}
