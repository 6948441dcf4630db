import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { MAX_DRAIN_SECONDS } from '../../api/contract.ts';
import type { DrainRequest } from '../../api/contract.ts';
import { addSocketOption, agentClient } from '../agent-option.ts';
import type { AgentOptions } from '../agent-option.ts';
import type { CliIo } from '../io.ts';
import { addAutodetectCommand } from './autodetect.ts';
import { addChecksystemCommand } from './checksystem.ts';
import { addDiagsCommand } from './diags.ts';
import { addDoctorCommand } from './doctor.ts';
import { addNodeSettingsCommand } from './node-settings.ts';
import { addNodeStatusCommand } from './node-status.ts';
import { addUninstallCommand } from './uninstall.ts';

export function addNodeCommand(program: Command, io: CliIo): void {
  const node = program.command('node').description('looks at and steers the agent on this host');
  addNodeStatusCommand(node, io);
  addSocketOption(node.command('stop'))
    .description('leaves the routing of the cluster for good: every peer withdraws this node at once, the agent ends')
    .option('-m, --message <text>', 'told to the peers (RFC 9003)', 'node is leaving')
    .action(async (options: AgentOptions & { readonly message: string }) => {
      await agentClient(options, io).post('/v1/stop', { message: options.message });
      io.stdout('calico-node-ts has told its peers and ends; the routes on this host stay\n');
    });
  addSocketOption(node.command('drain'))
    .description(
      'leaves as stop does, but has every peer take other ways first (RFC 8326); stop or a signal ends the wait',
    )
    .option('--wait <seconds>', 'between the news and the end', waitSeconds, 10)
    .option('-m, --message <text>', 'told to the peers (RFC 9003)', 'node is leaving')
    .action(async (options: AgentOptions & { readonly wait: number; readonly message: string }) => {
      const request: DrainRequest = { message: options.message, waitSeconds: options.wait };
      await agentClient(options, io).post('/v1/drain', request, options.wait * 1000);
      io.stdout('calico-node-ts has drained and ends; the routes on this host stay\n');
    });
  addNodeSettingsCommand(node, io);
  addAutodetectCommand(node, io);
  addChecksystemCommand(node, io);
  addDiagsCommand(node, io);
  addDoctorCommand(node, io);
  addUninstallCommand(node, io);
}

function waitSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds <= MAX_DRAIN_SECONDS) return seconds;
  throw new InvalidArgumentError(`It must be a whole number from 0 to ${MAX_DRAIN_SECONDS}.`);
}
