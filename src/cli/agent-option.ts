import { join } from 'node:path';
import type { Command } from 'commander';
import { SOCKET_NAME } from '../config/socket-name.ts';
import type { AgentClient } from '../api/client.ts';
import type { CliIo } from './io.ts';

/** Shared by every command that asks the agent on this host. */
export interface AgentOptions {
  readonly socket?: string;
}

export const addSocketOption = (command: Command): Command =>
  command.option(
    '--socket <path>',
    "the agent's unix socket (default: calico-ts.sock in CALICO_RUN_DIR, /var/run/calico)",
  );

export const agentSocket = (options: AgentOptions, io: CliIo): string =>
  options.socket ?? join(io.env['CALICO_RUN_DIR'] || '/var/run/calico', SOCKET_NAME);

export const agentClient = (options: AgentOptions, io: CliIo): AgentClient => io.connectAgent(agentSocket(options, io));
