import { Command, CommanderError } from 'commander';
import { addApplyCommand } from './commands/apply.ts';
import { addCompleteCommand, addCompletionCommand } from './commands/completion.ts';
import { addCreateCommand } from './commands/create.ts';
import { addDatastoreCommand } from './commands/datastore.ts';
import { addDeleteCommand } from './commands/delete.ts';
import { addGetCommand } from './commands/get.ts';
import { addLabelCommand } from './commands/label.ts';
import { addNodeCommand } from './commands/node.ts';
import { addPatchCommand } from './commands/patch.ts';
import { addPeerCommand } from './commands/peer.ts';
import { addReplaceCommand } from './commands/replace.ts';
import { addRouteCommand } from './commands/route.ts';
import { addRoutesCommand } from './commands/routes.ts';
import { addValidateCommand } from './commands/validate.ts';
import { addVersionCommand } from './commands/version.ts';
import type { GlobalOptions } from './global-options.ts';
import { addGlobalOptions, ioWithOptions } from './global-options.ts';
import type { CliIo } from './io.ts';

/** In the order of `--help`. A new command is one file and one row. */
const COMMANDS: readonly ((program: Command, io: CliIo) => void)[] = [
  addCreateCommand,
  addApplyCommand,
  addReplaceCommand,
  addPatchCommand,
  addDeleteCommand,
  addGetCommand,
  addLabelCommand,
  addValidateCommand,
  addDatastoreCommand,
  addNodeCommand,
  addPeerCommand,
  addRouteCommand,
  addRoutesCommand,
  addVersionCommand,
  addCompletionCommand,
  addCompleteCommand,
];

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
  for (const add of COMMANDS) add(program, own);
  for (const command of program.commands) command.copyInheritedSettings(program);
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    // commander has said its own errors itself; help that was asked for is none.
    if (error instanceof CommanderError) return error.exitCode;
    const { message, stack } = error as Error;
    if (message !== '') io.stderr(`${message}\n`);
    if (program.opts<GlobalOptions>().logLevel === 'debug') io.stderr(`${stack ?? ''}\n`);
    return 1;
  }
}
