import { Command, CommanderError } from 'commander';
import { addApplyCommand } from './commands/apply.ts';
import { addCreateCommand } from './commands/create.ts';
import { addDeleteCommand } from './commands/delete.ts';
import { addGetCommand } from './commands/get.ts';
import { addLabelCommand } from './commands/label.ts';
import { addNodeCommand } from './commands/node.ts';
import { addPeerCommand } from './commands/peer.ts';
import { addPlanCommand } from './commands/plan.ts';
import { addReplaceCommand } from './commands/replace.ts';
import { addRouteCommand } from './commands/route.ts';
import { addRoutesCommand } from './commands/routes.ts';
import { addVersionCommand } from './commands/version.ts';
import type { CliIo } from './io.ts';

/** In the order of `--help`. A new command is one file and one row. */
const COMMANDS: readonly ((program: Command, io: CliIo) => void)[] = [
  addCreateCommand,
  addApplyCommand,
  addReplaceCommand,
  addDeleteCommand,
  addGetCommand,
  addLabelCommand,
  addPlanCommand,
  addNodeCommand,
  addPeerCommand,
  addRouteCommand,
  addRoutesCommand,
  addVersionCommand,
];

/** Runs one command line (without the program's own name) and returns the exit code. Never throws, never exits. */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  const program = new Command('calicoctl-ts')
    .description('looks at and changes a calico-ts cluster')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout(text),
      writeErr: (text) => io.stderr(text),
      outputError: (text, write) => write(text.replace(/^error: /, '')),
    });
  for (const add of COMMANDS) add(program, io);
  for (const command of program.commands) command.copyInheritedSettings(program);
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    // commander has said its own errors itself; help that was asked for is none.
    if (error instanceof CommanderError) return error.exitCode;
    const { message } = error as Error;
    if (message !== '') io.stderr(`${message}\n`);
    return 1;
  }
}
