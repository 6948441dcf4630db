import type { Command } from 'commander';
import type { CliIo } from '../io.ts';

export function addVersionCommand(program: Command, io: CliIo): void {
  program
    .command('version')
    .description('show the version of this command')
    .action(() => {
      io.stdout(`Client Version:    v${io.version}\n`);
    });
}
