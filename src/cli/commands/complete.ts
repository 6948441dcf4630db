import type { Command } from 'commander';
import { candidates } from '../completion/candidates.ts';
import { COMPLETE } from '../completion/scripts.ts';
import type { CliIo } from '../io.ts';
import type { Kind } from '../../resources/index.ts';
import { withResources } from '../session.ts';

/** A datastore that takes longer is not waited for: a shell that hangs at TAB is worse than one that knows no names. */
const PATIENCE_MS = 500;

/** Asked by those scripts alone. */
export function addCompleteCommand(program: Command, io: CliIo): void {
  program
    .command(COMPLETE, { hidden: true })
    .argument('[words...]')
    .action(async (words: readonly string[]) => {
      const found = await candidates(program, { words, namesOf: (kind) => quickNames(kind, io) });
      io.stdout(found.map((word) => `${word}\n`).join(''));
    });
}

async function quickNames(kind: Kind, io: CliIo): Promise<readonly string[]> {
  const names = withResources(io, (client) => client.list(kind), { anyVersion: true }).then(
    (resources) => resources.map(({ metadata }) => metadata.name),
    () => [],
  );
  return Promise.race([names, io.sleep(PATIENCE_MS).then(() => [])]);
}
