import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import type { CliIo } from './io.ts';

export const DEFAULT_CONFIG_FILE = '/etc/calico/calicoctl.cfg';

const LOG_LEVELS = ['panic', 'fatal', 'error', 'warn', 'info', 'debug'] as const;
type LogLevel = (typeof LOG_LEVELS)[number];

export interface GlobalOptions {
  readonly config: string;
  readonly logLevel: LogLevel;
  readonly allowVersionMismatch?: boolean;
}

/** What every command takes, before or after its own name. */
export const addGlobalOptions = (program: Command): Command =>
  program
    .option('-c, --config <path>', 'where the datastore is, as a CalicoAPIConfig', DEFAULT_CONFIG_FILE)
    .addOption(
      new Option('-l, --log-level <level>', `${LOG_LEVELS.join(', ')}; debug shows where an error comes from`)
        .argParser(logLevel)
        .default('panic'),
    )
    .option('--allow-version-mismatch', 'work on a cluster of another version of calico-ts');

function logLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((name) => name === text.toLowerCase());
  if (level !== undefined) return level;
  throw new InvalidArgumentError(`unknown log level; it is one of ${LOG_LEVELS.join(', ')}`);
}

/** The world as the options want it seen. They are known when a command runs, which is when `options` is asked. */
export function ioWithOptions(io: CliIo, options: () => GlobalOptions): CliIo {
  const lazy = {
    // Asked by who opens the datastore alone: a broken file keeps nobody from asking the agent.
    datastoreEnv: async () => {
      const { config } = options();
      if (config === DEFAULT_CONFIG_FILE && io.reader.text(config) === undefined) return io.env;
      const { withConfigFile } = await import('./config-file.ts');
      return withConfigFile(io.env, config, io.reader);
    },
    get allowVersionMismatch() {
      return options().allowVersionMismatch === true;
    },
  };
  return Object.defineProperties({ ...io }, Object.getOwnPropertyDescriptors(lazy));
}
