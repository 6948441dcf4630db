import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { eventually } from './dataplane-lab.ts';
import type { TestNetns } from './netns.ts';

/** A ping that runs, a hundred packets a second, while a test does something. */
export class RunningPing {
  readonly #child: ChildProcessByStdio<null, Readable, null>;
  #printed = '';

  constructor(from: TestNetns, to: string) {
    const args = ['netns', 'exec', from.name, 'ping', '-n', '-i', '0.01', to];
    this.#child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child.stdout.on('data', (data: Buffer) => (this.#printed += data.toString()));
  }

  /** Waits for so many answers more. */
  async answers(count: number): Promise<void> {
    const goal = this.#answered().length + count;
    await eventually(() => this.#answered().length >= goal);
  }

  /** Ends it; the sequence numbers to which no answer came. */
  async stop(): Promise<readonly number[]> {
    const ended = once(this.#child, 'close');
    this.#child.kill('SIGINT');
    await ended;
    const seen = new Set(this.#answered());
    // What was still on its way at the end is not lost, so the last one that came counts as the end.
    const last = Math.max(0, ...seen);
    return Array.from({ length: last }, (_, i) => i + 1).filter((sequence) => !seen.has(sequence));
  }

  #answered(): readonly number[] {
    return [...this.#printed.matchAll(/icmp_seq=(\d+) ttl/g)].map(([, sequence]) => Number(sequence));
  }
}
