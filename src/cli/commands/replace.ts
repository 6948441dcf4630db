import type { Command } from 'commander';
import type { CliIo } from '../io.ts';
import { addWriteCommand } from './write.ts';

export function addReplaceCommand(program: Command, io: CliIo): void {
  addWriteCommand(program, io, {
    verb: 'replace',
    past: 'replaced',
    description: 'update resources that exist',
    write: (client, resource) => client.update(resource),
  });
}
