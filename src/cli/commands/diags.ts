import type { Command } from 'commander';
import { collectDiags } from '../../host/diags/collect.ts';
import { packTarGz } from '../../host/diags/tar.ts';
import type { AgentOptions } from '../agent-option.ts';
import { addSocketOption, agentClient } from '../agent-option.ts';
import type { CliIo } from '../io.ts';

interface Options extends AgentOptions {
  readonly logDir: string;
}

export function addDiagsCommand(node: Command, io: CliIo): void {
  addSocketOption(node.command('diags'))
    .description(
      'gathers what the agent and the kernel say, logs and settings without secrets, into one archive; needs no root',
    )
    .option('--log-dir <directory>', "where the agent's logs are", '/var/log/calico')
    .action(async (options: Options) => {
      const { reader, env } = io;
      const agent = agentClient(options, io);
      const { kernel, save } = await io.diags();
      const { files, missing } = await collectDiags({ reader, env, agent, kernel }, options.logDir);
      for (const sentence of missing) io.stderr(`could not get ${sentence}\n`);
      const list = missing.map((sentence) => `${sentence}\n`).join('');
      const archive = packTarGz([...files, { path: 'missing.txt', text: list }], io.now() / 1000);
      const path = save(`diags-${stamp(io.now())}.tar.gz`, archive);
      io.stdout(`Diags saved to ${path}: ${files.length} files. Look into it before you hand it on.\n`);
    });
}

/** 20261126_080000, UTC. */
const stamp = (now: number): string =>
  new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '_');
