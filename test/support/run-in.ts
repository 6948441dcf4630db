import { execFileSync } from 'node:child_process';

/** Runs a command in `directory` and gives what it printed; throws with all that it said where it fails. */
export function runIn(
  directory: string,
  environment: NodeJS.ProcessEnv,
  ...[command = '', ...args]: readonly string[]
): string {
  try {
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    return execFileSync(command, args, { cwd: directory, env: environment, encoding: 'utf8', stdio: [...stdio] });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(' ')}: ${stdout}${stderr}`, { cause: error });
  }
}
