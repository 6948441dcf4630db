import { Argument } from 'commander';
import type { Command } from 'commander';
import type { Shell } from '../completion/scripts.ts';
import { scripts, SHELLS } from '../completion/scripts.ts';
import type { CliIo } from '../io.ts';

export function addCompletionCommand(program: Command, io: CliIo): void {
  program
    .command('completion')
    .description('print the script that completes commands in a shell')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action((shell: Shell) => io.stdout(scripts[shell]));
}
