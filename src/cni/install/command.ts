/** `calico-node-ts install-cni`. */
import type { Command } from 'commander';
import type { Environment } from '../../config/datastore.ts';
import type { InstallReport } from './install.ts';
import type { InstallFlags } from './settings.ts';

export interface InstallCommandIo {
  readonly env: Environment;
  stdout(text: string): void;
}

const DESCRIPTION =
  'puts the CNI plugin into /opt/cni/bin and its configuration into /etc/cni/net.d, or below /host where those are mounted; ' +
  'told by the environment as in Calico, docs/cni-install.md';

export function addInstallCniCommand(program: Command, io: InstallCommandIo): void {
  program
    .command('install-cni')
    .description(DESCRIPTION)
    .option('--bin-dir <directory>', 'where the runtime looks for plugins')
    .option('--net-dir <directory>', 'where it looks for configurations')
    .action(async (flags: InstallFlags) => {
      const { cniInstaller } = await import('./installer.ts');
      io.stdout(formatReport(cniInstaller(io.env, flags)()));
    });
}

function formatReport({ done, left }: InstallReport): string {
  const lines = [...done, ...left.map((path) => `${path} is left as it is`)];
  return `${lines.join('\n')}\n`;
}
