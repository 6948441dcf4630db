import type { Command } from 'commander';
import type { CliIo } from '../io.ts';

export interface DryRunOptions {
  readonly dryRun?: boolean;
}

export const addDryRunOption = (command: Command): Command =>
  command.option('--dry-run', 'show what would change, and write nothing');

/** In a dry run the report says what would be done, so nothing else says that it was. */
export const resultIo = (io: CliIo, { dryRun = false }: DryRunOptions): CliIo =>
  dryRun ? { ...io, stdout: () => undefined } : io;
