/** When the kernel did what to the links, addresses and routes of one namespace: `ip monitor`, with its times. */
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestNetns } from './netns.ts';

export class KernelDiary {
  readonly #child: ChildProcessByStdio<null, Readable, null>;
  #heard = '';

  private constructor({ name }: TestNetns) {
    const command = ['netns', 'exec', name, 'ip', '-ts', '-o', 'monitor', 'link', 'address', 'route'];
    this.#child = spawn('ip', command, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#child.stdout.on('data', (data: Buffer) => (this.#heard += data.toString()));
  }

  /** Resolves when it hears: then it has heard of a route that is not ours. */
  static async open(space: TestNetns): Promise<KernelDiary> {
    const diary = new KernelDiary(space);
    while (diary.#heard === '') {
      for (const verb of ['add', 'del']) space.run('ip', 'route', verb, 'blackhole', '198.51.100.1');
      await sleep(100);
    }
    return diary;
  }

  /** Ends it; all of it is written then. */
  async close(): Promise<void> {
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
}
