import type { Command } from 'commander';
import type { CliIo } from '../io.ts';
import { CommandError } from '../io.ts';

export function addVersionCommand(program: Command, io: CliIo): void {
  program
    .command('version')
    .description('show the version of this command, and of the cluster')
    .option('--client', 'of this command alone; needs no datastore')
    .action(async ({ client: clientOnly = false }: { readonly client?: boolean }) => {
      io.stdout(`Client Version:    v${io.version}\n`);
      if (clientOnly) return;
      try {
        // Only now: the version of the program itself needs none of it.
        const [{ withResources }, { clusterInformation }] = await Promise.all([
          import('../session.ts'),
          import('../migrate/lock.ts'),
        ]);
        const info = await withResources(io, clusterInformation, { anyVersion: true });
        io.stdout(`Cluster Version:   ${info?.spec.calicoVersion ?? 'unknown'}\n`);
        io.stdout(`Cluster Type:      ${info?.spec.clusterType ?? 'unknown'}\n`);
      } catch (error) {
        throw new CommandError(`Unable to retrieve Cluster Version or Type: ${(error as Error).message}`);
      }
    });
}
