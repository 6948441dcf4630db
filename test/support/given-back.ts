/** A process that gives back what it does not use, works on, and prints `GivenBack`. */
import { readFileSync } from 'node:fs';
import { giveBackMemory } from '../../src/linux/give-back.ts';
import { loadLibc } from '../../src/linux/libc.ts';

export interface GivenBack {
  /** Of files, in memory, in octets. */
  readonly before: number;
  readonly after: number;
  readonly answers: readonly [string, string];
}

/** proc_pid_status(5) */
const ofFiles = (): number =>
  Number(/^RssFile:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]) * 1024;

/** Of some far ends of Node's program. */
const answer = (): string =>
  JSON.stringify([
    { a: 1 },
    'ä'.toLocaleUpperCase('de'),
    new Intl.NumberFormat('de').format(1234.5),
    new URL('http://a/b').host,
  ]);

loadLibc();
const earlier = answer();
const before = ofFiles();
giveBackMemory();
const after = ofFiles();
process.stdout.write(JSON.stringify({ before, after, answers: [earlier, answer()] } satisfies GivenBack));
