/**
 * A process of its own in a node's network namespace that calls plugins and takes the time: what `ip netns exec` costs is no
 * plugin's. Reads one job as JSON on stdin, writes the milliseconds of each call, in order, on stdout.
 */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

export interface CallerJob {
  readonly program: string;
  readonly calls: readonly { readonly env: Readonly<Record<string, string>>; readonly stdin: string }[];
  /** How many run at the same time. */
  readonly parallel: number;
}

/** From the start of the process to its end, its output read. Throws with what it said where it fails. */
function call(program: string, { env, stdin }: CallerJob['calls'][number]): Promise<number> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn(program, { env: { ...env }, stdio: ['pipe', 'pipe', 'inherit'] });
    const said: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
    child.on('error', reject);
    child.on('close', (status) => {
      const took = performance.now() - began;
      if (status === 0) resolve(took);
      else
        reject(
          new Error(`${program} ${env['CNI_COMMAND']} ${env['CNI_CONTAINERID']}: ${Buffer.concat(said).toString()}`),
        );
    });
    child.stdin.end(stdin);
  });
}

async function work({ program, calls, parallel }: CallerJob): Promise<readonly number[]> {
  const times = calls.map(() => 0);
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let i = next++; i < calls.length; i = next++) times[i] = await call(program, calls[i]!);
  };
  await Promise.all(Array.from({ length: parallel }, lane));
  return times;
}

if (process.argv[2] === 'work') {
  process.stdout.write(JSON.stringify(await work(JSON.parse(await text(process.stdin)) as CallerJob)));
}
