import type { Command } from 'commander';
import type { CliIo } from '../io.ts';
import { addIpamCheckCommand } from './ipam-check.ts';
import { addIpamConfigureCommand } from './ipam-configure.ts';
import { addIpamReleaseCommand } from './ipam-release.ts';
import { addIpamShowCommand } from './ipam-show.ts';
import { addIpamSplitCommand } from './ipam-split.ts';

export function addIpamCommand(program: Command, io: CliIo): void {
  const ipam = program.command('ipam').description('looks at the addresses of the cluster, frees and repairs');
  addIpamShowCommand(ipam, io);
  addIpamCheckCommand(ipam, io);
  addIpamReleaseCommand(ipam, io);
  addIpamConfigureCommand(ipam, io);
  addIpamSplitCommand(ipam, io);
}
