/** When the kernel did what to the links, addresses and routes of one namespace: `ip monitor`, with its times. */
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestNetns } from './netns.ts';

export class KernelDiary {
  readonly #child: ChildProcessByStdio<null, Readable, null>;
  readonly #space: TestNetns;
  #heard = '';

  private constructor(space: TestNetns) {
    this.#space = space;
    const command = ['netns', 'exec', space.name, 'ip', '-ts', '-o', 'monitor', 'link', 'address', 'route'];
    this.#child = spawn('ip', command, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#child.stdout.on('data', (data: Buffer) => (this.#heard += data.toString()));
  }

  /** Resolves when it hears. */
  static async open(space: TestNetns): Promise<KernelDiary> {
    const diary = new KernelDiary(space);
    await diary.#hearsOf('198.51.100.1');
    return diary;
  }

  /** Ends it when all until now is written. */
  async close(): Promise<void> {
    await this.#hearsOf('198.51.100.2');
    const ended = once(this.#child, 'close');
    this.#child.kill();
    await ended;
  }

  /** Times of a line that matches the first pattern, of one after it that matches the next, and so on; of the wall clock. */
  timesOf(...patterns: readonly RegExp[]): readonly number[] {
    const lines = [...this.#heard.matchAll(/^\[(\S+)\] (.*)$/gm)];
    return patterns.map((pattern) => {
      const at = lines.findIndex(([, , text = '']) => pattern.test(text));
      if (at < 0) throw new Error(`the kernel told of nothing like ${pattern} in its place:\n${this.#heard}`);
      const [[, time = ''] = []] = lines.splice(0, at + 1).slice(at);
      return Date.parse(time);
    });
  }

  /** Of a route that is not ours. */
  async #hearsOf(address: string): Promise<void> {
    while (!this.#heard.includes(address)) {
      for (const verb of ['add', 'del']) this.#space.run('ip', 'route', verb, 'blackhole', address);
      await sleep(100);
    }
  }
}
