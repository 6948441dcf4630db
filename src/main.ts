import { Command, CommanderError } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { addInstallCniCommand } from './cni/install/command.ts';
import { SettingsError } from './config/settings-error.ts';
import { createLogger } from './runtime/logger.ts';
import { addSpeakerCommand } from './speaker/command.ts';

const { version } = packageJson;

/** Exit codes: 0 told to stop, 1 could not run or failed, 2 wrong settings, configuration or flags. */
async function main(argv: readonly string[]): Promise<number> {
  if (!isNodeSufficient(process.versions.node)) {
    return refuse(
      new Error(`Node 22.12 or later is needed, this is ${process.versions.node}: node_modules/.bin/node is one`),
      1,
    );
  }
  let exitCode = 0;
  const program = new Command('calico-node-ts')
    .description(
      'The node agent: BGP speaker and route programming. Settings come from the environment, docs/settings.md.',
    )
    .version(version)
    .exitOverride()
    .action(async () => {
      exitCode = await agent();
    });
  addInstallCniCommand(program, { env: process.env, stdout: (text) => void process.stdout.write(text) });
  addSpeakerCommand(program, {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    ports: () => ({ log: createLogger('trace'), version }),
    exit: (code) => (exitCode = code),
  });
  try {
    await program.parseAsync(argv);
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return refuse(error, error instanceof SettingsError ? 2 : 1);
  }
}

/** What a command does not need is not loaded for it: a speaker has nothing of felix, an agent nothing of the speaker's file. */
async function agent(): Promise<number> {
  // To load the rest is what makes the nursery grow.
  const { keepHeapSmall } = await import('./runtime/heap-rest.ts');
  keepHeapSmall();
  const { loadSettings } = await import('./config/settings.ts');
  const settings = loadSettings(process.env);
  const installer = settings.installCni ? await import('./cni/install/installer.ts') : undefined;
  const { runAgent } = await import('./agent/run.ts');
  return runAgent(settings, {
    ...{ log: createLogger(settings.logLevel ?? 'info'), version },
    ...(installer && { installCni: installer.cniInstaller(process.env) }),
  });
}

const isNodeSufficient = (node: string): boolean => {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 12);
};

function refuse(error: unknown, exitCode: number): number {
  process.stderr.write(`calico-node-ts: ${error instanceof Error ? error.message : String(error)}\n`);
  return exitCode;
}

// Everything is closed by now; nothing that lingers may keep a node without its agent.
process.exit(await main(process.argv));
