import type { Command } from 'commander';
import type { CliIo } from '../io.ts';
import { CommandError } from '../io.ts';
import { exportDatastore } from '../migrate/export.ts';
import { planImport } from '../migrate/import-plan.ts';
import { importInto } from '../migrate/import.ts';
import { isLocked, setLocked } from '../migrate/lock.ts';
import { progressLine } from '../progress.ts';
import { withResources } from '../session.ts';

export function addDatastoreCommand(program: Command, io: CliIo): void {
  const migrate = program
    .command('datastore')
    .description('the datastore as a whole')
    .command('migrate')
    .description('moves a cluster from one datastore to another');
  migrate
    .command('lock')
    .description('marks the datastore as not ready, so that nothing changes while it is moved')
    .action(() =>
      withResources(io, async (client) => {
        await setLocked(client, true);
        io.stdout('Datastore locked.\n');
      }),
    );
  migrate
    .command('unlock')
    .description('marks the datastore as ready')
    .action(() =>
      withResources(io, async (client) => {
        await setLocked(client, false);
        io.stdout('Datastore unlocked.\n');
      }),
    );
  migrate
    .command('export')
    .description('prints all of a locked datastore, for import')
    .action(() =>
      withResources(io, async (client, store) => {
        if (!(await isLocked(client))) {
          throw new CommandError(
            'datastore is not locked. Run the `calicoctl-ts datastore migrate lock` command in order to begin migration',
          );
        }
        const { text, leftOut } = await exportDatastore(store);
        for (const key of leftOut) io.stderr(`left out: ${key}: is neither a resource nor IPAM's\n`);
        io.stdout(text);
      }),
    );
  migrate
    .command('import')
    .description('writes what export printed into an empty datastore, etcdv3 or file')
    .requiredOption('-f, --filename <path>', 'what export printed, or - for standard input')
    .action(async ({ filename }: { readonly filename: string }) => {
      const [manifest, ...others] = await io.readManifests(filename, false);
      if (manifest === undefined || others.length > 0) throw new CommandError(`${filename}: is not one file`);
      const plan = planImport(manifest);
      await withResources(
        io,
        async (_, store) => {
          const { alreadyThere } = await importInto(plan, store, progressLine('importing', io));
          const before = alreadyThere === 0 ? '' : `${alreadyThere} of them were there from an import before\n`;
          io.stdout(
            `Imported ${plan.resources} resources and ${plan.ipamRecords} IPAM records\n${before}The datastore stays locked until \`calicoctl-ts datastore migrate unlock\`\n`,
          );
        },
        { mayFound: true, anyVersion: true },
      );
    });
}
