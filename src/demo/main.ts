/** The demo's process: arguments, signals and the exit code; the cluster is gone at the end whatever happened. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CannotRunError } from './encapsulation.ts';
import { DEMO_LAYOUT } from './layout.ts';
import { HELP, parseOptions, UsageError } from './options.ts';
import type { DemoOptions } from './options.ts';
import { runDemo } from './demo.ts';
import { removeCluster } from './cluster.ts';
import { removeNamespaces } from './namespaces.ts';

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  const say = (text: string): void => void (options.json ? process.stderr : process.stdout).write(text);
  if (options.action === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  if (process.platform !== 'linux') throw new CannotRunError(`the demo needs Linux, this is ${process.platform}`);
  if (process.getuid?.() !== 0) throw new CannotRunError('the demo makes network namespaces: run it as root');
  if (options.action === 'down') {
    const hosts = await removeCluster(DEMO_LAYOUT);
    say(hosts === 0 ? 'there is no cluster\n' : `removed a cluster of ${hosts} network namespaces\n`);
    return 0;
  }
  return interruptible(options, say);
}

/** Runs the demo; a signal ends it in order, and decides the exit code. */
async function interruptible(options: DemoOptions, say: (text: string) => void): Promise<number> {
  const controller = new AbortController();
  let signalled: number | undefined;
  for (const [name, exitCode] of Object.entries(SIGNALS)) {
    process.on(name, () => {
      signalled ??= exitCode;
      if (controller.signal.aborted) return;
      say(`\n${name}: taking the cluster down\n`);
      controller.abort(new Error(`interrupted by ${name}`));
      // What still waits for a ping or a capture need not wait for its end.
      removeNamespaces(DEMO_LAYOUT).catch(() => undefined);
    });
  }
  const fail = (error: unknown): void => controller.abort(error);
  process.on('uncaughtException', fail).on('unhandledRejection', fail);
  const project = findProject(import.meta.dirname);
  try {
    const report = await runDemo({ options, project, layout: DEMO_LAYOUT, signal: controller.signal, say });
    if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    return report.failed === 0 && report.passed > 0 ? 0 : 1;
  } catch (error) {
    if (signalled !== undefined) return signalled;
    throw error;
  }
}

/** The directory above us that has the package's `config` and `dist`, whether we run as source or as a bundle. */
function findProject(from: string): string {
  if (existsSync(join(from, 'package.json'))) return from;
  if (dirname(from) === from) throw new CannotRunError(`no package.json above ${import.meta.dirname}`);
  return findProject(dirname(from));
}

process.exitCode = await main().catch((error: unknown) => {
  const { message } = error as Error;
  process.stderr.write(`${message}\n`);
  return error instanceof UsageError ? 2 : 1;
});
