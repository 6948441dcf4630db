import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The Node that `npm ci` brings, where it does: it runs TypeScript as it stands, which a host's own may not. */
export function nodeProgram(): string {
  const local = join('node_modules', '.bin', 'node');
  return existsSync(local) ? local : process.execPath;
}

/** Programs in network namespaces that end with their lab at the latest. */
export class LabProcesses {
  readonly #children = new Set<ChildProcess>();

  start(namespace: string, command: string, ...args: readonly string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', namespace, command, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  /** Resolves when all are gone. */
  async end(): Promise<void> {
    const ended = [...this.#children].map((child) => new Promise((resolve) => child.once('exit', resolve)));
    for (const child of this.#children) child.kill('SIGKILL');
    await Promise.all(ended);
  }
}

/** Talks with a process that answers each line of JSON with one; `name` is what errors call it. */
export class Conversation {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  #stderr = '';

  constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.#child = child;
    this.#answers = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    child.stderr!.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    // One that is gone takes no question; the answer that does not come tells of it.
    child.stdin!.on('error', () => undefined);
  }

  say(request: object): void {
    this.#child.stdin!.write(`${JSON.stringify(request)}\n`);
  }

  async ask(request: object): Promise<unknown> {
    this.say(request);
    return this.hear();
  }

  /** What it says next; rejects with what it said on stderr where it has ended. */
  async hear(): Promise<unknown> {
    const next = await this.#answers.next();
    if (next.done === true) throw new Error(`${this.#name} ended: ${this.#stderr}`);
    return JSON.parse(next.value) as unknown;
  }
}
