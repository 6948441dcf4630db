import type { Command } from 'commander';
import type { SettingReport } from '../../api/contract.ts';
import { addSocketOption, agentClient } from '../agent-option.ts';
import type { AgentOptions } from '../agent-option.ts';
import type { CliIo } from '../io.ts';
import { formatJson, outputOption } from '../output-option.ts';
import { formatTabs } from '../table.ts';

export function addNodeSettingsCommand(node: Command, io: CliIo): void {
  addSocketOption(node.command('settings'))
    .description("every setting of this host's agent: its value, and who decided about it")
    .addOption(outputOption())
    .action(async (options: AgentOptions & { readonly output: string }) => {
      const settings = await agentClient(options, io).get<readonly SettingReport[]>('/v1/settings');
      io.stdout(options.output === 'json' ? formatJson(settings) : formatTabs([HEADINGS, ...settings.map(row)]));
    });
}

const HEADINGS = ['SETTING', 'VALUE', 'FROM', 'NOTE'];

const row = ({ name, value, origin, note = '' }: SettingReport): readonly string[] => [
  name,
  value === '' ? '-' : value,
  origin,
  note,
];
