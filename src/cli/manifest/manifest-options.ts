import type { Command } from 'commander';

/** Shared by every command that takes resources from files and nothing else. */
export const addManifestOptions = (command: Command): Command =>
  command
    .requiredOption('-f, --filename <path>', 'a file, a directory, or - for standard input')
    .option('-R, --recursive', 'directories with all that is in them')
    .option('-n, --namespace <namespace>', 'of the resources that name none')
    .option('--skip-empty', 'do not fail where there are no resources');
