import { Option } from 'commander';
import type { Command } from 'commander';
import { checkSystem } from '../../host/checksystem.ts';
import type { FeatureReport, SystemReport } from '../../host/checksystem.ts';
import { PURPOSES } from '../../host/kernel-features.ts';
import type { Purpose } from '../../host/kernel-features.ts';
import type { CliIo } from '../io.ts';
import { CommandError } from '../io.ts';
import { formatJson, outputOption } from '../output-option.ts';

interface Options {
  readonly kernelConfig?: string;
  readonly for: readonly Purpose[];
  readonly output: string;
}

export function addChecksystemCommand(node: Command, io: CliIo): void {
  node
    .command('checksystem')
    .description("whether this host's kernel has what calico-ts needs; needs no root, loads nothing")
    .option('-f, --kernel-config <file>', "the kernel's configuration (default: /proc/config.gz, /boot/config-RELEASE)")
    .addOption(
      new Option('--for <purposes...>', 'what the cluster wants beside plain routes: then it is required')
        .choices(PURPOSES.filter((purpose) => purpose !== 'base'))
        .default([]),
    )
    .addOption(outputOption())
    .action((options: Options) => {
      const { kernelConfig: configPath } = options;
      const report = checkSystem(io.reader, { purposes: options.for, ...(configPath !== undefined && { configPath }) });
      io.stdout(options.output === 'json' ? formatJson(report) : formatSystem(report));
      if (!report.meets) throw new CommandError("this system lacks what calico-ts needs; see 'FAIL' above");
    });
}

/** Calico's words: OK, FAIL for what is required, SKIP for what cannot be known; WARN is ours. */
function word({ verdict, isRequired }: FeatureReport): string {
  if (verdict === 'ok') return 'OK';
  if (verdict === 'unknown') return 'SKIP';
  return isRequired ? 'FAIL' : 'WARN';
}

function formatSystem({ features, configuration, meets }: SystemReport): string {
  const width = Math.max(...features.map(({ name }) => name.length));
  const lines = features.flatMap((feature) => {
    const { name, how, why, verdict, todo } = feature;
    const line = `  ${word(feature).padEnd(4)}  ${name.padEnd(width)}  ${verdict === 'ok' ? how : `${how}; it is for ${why}`}`;
    return word(feature) === 'FAIL' ? [line, `${' '.repeat(width + 10)}do: ${todo}`] : [line];
  });
  const unmet = features.filter((feature) => word(feature) === 'WARN');
  const end = !meets
    ? []
    : [
        'This system has what calico-ts needs.',
        ...(unmet.length === 0 ? [] : ['What is marked WARN is needed only for what its line names.']),
      ];
  return `${[`Kernel configuration: ${configuration ?? 'none can be read here'}`, ...lines, ...end].join('\n')}\n`;
}
