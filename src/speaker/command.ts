import type { Command } from 'commander';
import { Option } from 'commander';
import type { SpeakerConfiguration } from './convert.ts';
import { ConfigurationError } from './problems.ts';
import type { RunPorts } from './run.ts';

export interface SpeakerCommandIo {
  stdout(text: string): void;
  stderr(text: string): void;
  /** Made when there is something to run. */
  ports(): RunPorts;
  /** Takes the exit code: 0 done, 2 the configuration is wrong. */
  exit(code: number): void;
}

interface SpeakerOptions {
  readonly config?: string;
  readonly check?: boolean;
  readonly schema?: boolean;
}

const DESCRIPTION = `A BGP speaker alone, without datastore and kernel: route reflector, route server or announcer.
SIGHUP reads the file again; SIGTERM ends it as for an upgrade, SIGINT for good. docs/speaker.md`;

/** `calico-node-ts speaker --config FILE`. */
export function addSpeakerCommand(program: Command, io: SpeakerCommandIo): void {
  program
    .command('speaker')
    .description(DESCRIPTION)
    .option('-c, --config <file>', 'what it does: one YAML file')
    .option('--check', 'only say what is wrong with the file')
    .addOption(new Option('--schema', 'print the JSON schema of the file').conflicts(['config', 'check']))
    .action(async (options: SpeakerOptions, command: Command) => {
      if (options.schema === true) {
        const { jsonSchema } = await import('./schema.ts');
        io.stdout(`${JSON.stringify(jsonSchema(), null, 2)}\n`);
        return;
      }
      if (options.config === undefined) command.error('error: --config FILE is missing', { exitCode: 2 });
      io.exit(await obey(options.config, options.check === true, io));
    });
}

async function obey(file: string, isCheck: boolean, io: SpeakerCommandIo): Promise<number> {
  try {
    const { loadConfiguration } = await import('./load.ts');
    const configuration = loadConfiguration(file);
    if (!isCheck) return await (await import('./run.ts')).runSpeaker(file, configuration, io.ports());
    io.stdout(`${file} is good: ${summary(configuration)}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    for (const problem of error.problems) io.stderr(`${file}: ${problem}\n`);
    return 2;
  }
}

function summary({ settings, peers, dynamicPeers, originated }: SpeakerConfiguration): string {
  const parts = [
    `AS ${settings.asn}`,
    counted(peers.length, 'peer', 'peers'),
    ...(dynamicPeers.length === 0 ? [] : [counted(dynamicPeers.length, 'range of peers', 'ranges of peers')]),
    counted(originated.length, 'route', 'routes'),
  ];
  return parts.join(', ');
}

const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;
