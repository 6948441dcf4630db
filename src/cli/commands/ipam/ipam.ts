import type { Command } from 'commander';
import type { CliIo } from '../../io.ts';
import { addIpamConfigureCommand } from './configure.ts';
import { addIpamShowCommand } from './show.ts';
import { addIpamSplitCommand } from './split.ts';

export function addIpamCommand(program: Command, io: CliIo): void {
  const ipam = program.command('ipam').description('looks at and steers the addresses of pods');
  addIpamShowCommand(ipam, io);
  addIpamConfigureCommand(ipam, io);
  addIpamSplitCommand(ipam, io);
}
