import type { Command } from 'commander';
import { AlreadyExistsError } from '../../datastore/store.ts';
import type { CliIo } from '../io.ts';
import { addWriteCommand } from './write.ts';

export function addCreateCommand(program: Command, io: CliIo): void {
  const command = addWriteCommand(program, io, {
    verb: 'create',
    past: 'created',
    description: 'create resources',
    mayFound: true,
    write: (client, resource, { skipExists }) =>
      client.create(resource).catch((error: unknown) => {
        if (skipExists !== true || !(error instanceof AlreadyExistsError)) throw error;
      }),
  });
  command.option('--skip-exists', 'take a resource that exists for created');
}
