import type { Command } from 'commander';
import { parseDuration } from '../../model/duration.ts';
import { InvalidValueError } from '../../model/invalid.ts';
import type { CliIo } from '../io.ts';
import { CommandError, UsageError } from '../io.ts';

interface VersionOptions {
  readonly client?: boolean;
  readonly poll: string;
}

export function addVersionCommand(program: Command, io: CliIo): void {
  program
    .command('version')
    .description('show the version of this command, and of the cluster')
    .option('--client', 'of this command alone; needs no datastore')
    .option('--poll <duration>', 'look again so often, until Ctrl-C, and show what changes (1s, 10m); 0: once', '0')
    .action(async ({ client: clientOnly = false, poll }: VersionOptions) => {
      const pollMs = durationArgument(poll);
      io.stdout(`Client Version:    v${io.version}\nGit commit:        ${io.commit}\n`);
      if (clientOnly) return;
      const printer = new ClusterPrinter(io);
      if (pollMs === 0) await printer.look();
      else await keepLooking(printer, pollMs, io);
    });
}

function durationArgument(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    if (!(error instanceof InvalidValueError)) throw error;
    throw new UsageError(`--poll = '${text}': ${error.reason}`);
  }
}

/** A datastore that is away is told of once and waited for: who polls wants to see it come back. */
async function keepLooking(printer: ClusterPrinter, pollMs: number, io: CliIo): Promise<void> {
  const interruption = io.interruption();
  let told = '';
  while (!interruption.aborted) {
    const failure = await printer.look().then(
      () => '',
      (error: unknown) => `${(error as Error).message}\n`,
    );
    if (failure !== told) io.stderr(failure);
    told = failure;
    await pause(pollMs, interruption, io);
  }
}

/** Until the time is over or the operator interrupts. */
const pause = (ms: number, interruption: AbortSignal, io: CliIo): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      cancel();
      interruption.removeEventListener('abort', end);
      resolve();
    };
    const cancel = io.after(ms, end);
    interruption.addEventListener('abort', end);
    if (interruption.aborted) end();
  });

/** Prints what differs from what it printed last. */
class ClusterPrinter {
  readonly #io: CliIo;
  #printed: readonly string[] = [];

  constructor(io: CliIo) {
    this.#io = io;
  }

  /** Throws CommandError where the cluster cannot be asked; once it can, all of it is printed again. */
  async look(): Promise<void> {
    const lines = await this.#lines().catch((error: unknown) => {
      this.#printed = [];
      throw new CommandError(`Unable to retrieve Cluster Version or Type: ${(error as Error).message}`);
    });
    for (const line of lines) if (!this.#printed.includes(line)) this.#io.stdout(line);
    this.#printed = lines;
  }

  async #lines(): Promise<readonly string[]> {
    // Only now: the version of the program itself needs none of it.
    const [{ withResources }, { clusterInformation }] = await Promise.all([
      import('../session.ts'),
      import('../migrate/lock.ts'),
    ]);
    const spec = (await withResources(this.#io, clusterInformation, { anyVersion: true }))?.spec;
    return [
      `Cluster Version:   ${spec?.calicoVersion || 'unknown'}\n`,
      `Cluster Type:      ${spec?.clusterType || 'unknown'}\n`,
    ];
  }
}
