import type { Command } from 'commander';
import type { CliIo } from '../io.ts';
import { addWriteCommand } from './write.ts';

export function addApplyCommand(program: Command, io: CliIo): void {
  addWriteCommand(program, io, {
    verb: 'apply',
    past: 'applied',
    description: 'create resources, or update those that exist',
    mayFound: true,
    write: (client, resource) => client.apply(resource),
  });
}
