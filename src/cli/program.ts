import { Command, CommanderError } from 'commander';
import type { CommandRow } from './commands/index.ts';
import { COMMAND_ROWS } from './commands/index.ts';
import { COMPLETE } from './completion/scripts.ts';
import type { GlobalOptions } from './global-options.ts';
import { addGlobalOptions, ioWithOptions } from './global-options.ts';
import type { CliIo } from './io.ts';
import { CommandError, USAGE_EXIT_CODE } from './io.ts';

/** Runs one command line (without the program's own name) and returns the exit code. Never throws, never exits. */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  const program = addGlobalOptions(new Command('calicoctl-ts'))
    .description('looks at and changes a calico-ts cluster')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout(text),
      writeErr: (text) => io.stderr(text),
      outputError: (text, write) => write(text.replace(/^error: /, '')),
    });
  const own = ioWithOptions(io, () => program.opts());
  const called = calledCommands(args);
  for (const row of COMMAND_ROWS) {
    if (called.includes(row.name)) (await row.load())(program, own);
    else addStub(program, row);
  }
  for (const command of program.commands) command.copyInheritedSettings(program);
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    // commander has said its own errors itself; help that was asked for is none.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_EXIT_CODE;
    const { message, stack } = error as Error;
    if (message !== '') io.stderr(`${message}\n`);
    if (program.opts<GlobalOptions>().logLevel === 'debug') io.stderr(`${stack ?? ''}\n`);
    return error instanceof CommandError ? error.exitCode : 1;
  }
}

/** Enough of a command for the help of the program: loading all of them would take longer than most of them do. */
function addStub(program: Command, { name, description, args, hasOptions, isHidden = false }: CommandRow): void {
  const stub = program.command(name, { hidden: isHidden }).description(description);
  for (const argument of args) stub.argument(argument);
  if (hasOptions) stub.option('--any');
}

/**
 * The commands whose definitions a command line needs: rather one too many than one too few, for a word may be the value of an
 * option. `help get` is about get, and what a shell completes about the word that it completes.
 */
function calledCommands(args: readonly string[]): readonly string[] {
  const words = args.filter((word) => !word.startsWith('-'));
  const known = (word: string | undefined): boolean => COMMAND_ROWS.some(({ name }) => name === word);
  const first = words.findIndex((word) => word === 'help' || known(word));
  const about = words[first] === 'help' || words[first] === COMPLETE ? words.slice(first + 1).find(known) : undefined;
  return [words[first], about].filter((name) => name !== undefined);
}
