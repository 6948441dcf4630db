/** Pings that run while a test does something to the hosts between them, and what of them was lost, by number. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestNetns } from './netns.ts';

const INTERVAL_SECONDS = '0.005';
/** How many packets may follow at once where ping was kept from sending in time, so that it stays at its rate. */
const CATCH_UP = '20';
/** Answers that must come before the work and after it. */
const BEFORE = 20;
const AFTER = 40;
/** ICMP counts in 16 bits. */
const NUMBERS = 0x1_0000;

export interface PingReport {
  readonly received: number;
  /** Numbers of the packets to which no answer came, between the first and the last one to which one came. */
  readonly lost: readonly number[];
  /** The longest time without an answer in which packets were lost. */
  readonly outageMs: number;
}

interface Answer {
  readonly sequence: number;
  readonly atMs: number;
}

/** Two hundred packets a second from one namespace to an address. */
export class Pinger {
  readonly #child: ChildProcess;
  readonly #directory = mkdtempSync(join(tmpdir(), 'pinger-'));
  readonly #reader: number;
  readonly #answers: Answer[] = [];
  #offset = 0;

  constructor(from: TestNetns, to: string) {
    // Ahead of everything else: an answer that waits too long for its reader is thrown away by the kernel.
    const ping = ['ping', '-n', '-D', '-i', INTERVAL_SECONDS, '-l', CATCH_UP, to];
    // Into a file: through a pipe that nobody reads for a second ping would stop sending, and lose nothing.
    const file = openSync(this.#file, 'a');
    this.#child = spawn('nice', ['-n', '-15', 'ip', 'netns', 'exec', from.name, ...ping], {
      stdio: ['ignore', file, file],
    });
    closeSync(file);
    this.#reader = openSync(this.#file, 'r');
  }

  /** Waits for so many answers more; throws with what ping said where they do not come. */
  async answers(count: number, withinMs = 15_000): Promise<void> {
    const goal = this.#readOn().length + count;
    const end = performance.now() + withinMs;
    while (this.#readOn().length < goal) {
      if (performance.now() > end) {
        throw new Error(`no answers any more: ${readFileSync(this.#file, 'utf8').slice(-800)}`);
      }
      await sleep(20);
    }
  }

  /** Ends it, once. */
  async stop(): Promise<PingReport> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGINT');
    await ended;
    const report = reportOn(this.#readOn());
    closeSync(this.#reader);
    rmSync(this.#directory, { recursive: true });
    return report;
  }

  get #file(): string {
    return join(this.#directory, 'printed');
  }

  /** All answers so far; only what is new is read. */
  #readOn(): readonly Answer[] {
    const { size } = fstatSync(this.#reader);
    const news = Buffer.alloc(size - this.#offset);
    readSync(this.#reader, news, 0, news.length, this.#offset);
    const whole = news.subarray(0, news.lastIndexOf('\n') + 1);
    this.#offset += whole.length;
    this.#answers.push(...readAnswers(whole.toString(), this.#answers.at(-1)?.sequence));
    return this.#answers;
  }
}

/** From the lines of `ping -D`, in the order in which the answers came; numbers go on where ICMP begins again at 0. */
export function readAnswers(printed: string, after = 0): readonly Answer[] {
  let last = after;
  return [...printed.matchAll(/^\[(\d+\.\d+)\] \d+ bytes from \S+ icmp_seq=(\d+) /gm)].map(([, seconds, number]) => {
    const turns = Math.round((last - Number(number)) / NUMBERS);
    last = Number(number) + Math.max(0, turns) * NUMBERS;
    return { sequence: last, atMs: Number(seconds) * 1000 };
  });
}

/** From the first answer to the last: what was still on its way at the end is not lost. */
export function reportOn(answers: readonly Answer[]): PingReport {
  const sorted = answers.toSorted((a, b) => a.sequence - b.sequence);
  const lost: number[] = [];
  let outageMs = 0;
  let [before] = sorted;
  for (const answer of sorted) {
    const first = before!.sequence + 1;
    for (let sequence = first; sequence < answer.sequence; sequence++) lost.push(sequence);
    if (answer.sequence > first) outageMs = Math.max(outageMs, answer.atMs - before!.atMs);
    before = answer;
  }
  return { received: new Set(sorted.map(({ sequence }) => sequence)).size, lost, outageMs };
}

export interface Flow {
  /** `a > b` */
  readonly name: string;
  readonly from: TestNetns;
  readonly to: string;
}

/** What the work may ask of the pings that run meanwhile. */
export interface Traffic {
  /** Waits until every flow has so many answers more. */
  readonly answers: (count: number) => Promise<void>;
}

/** Pings along all flows while `work` runs; every flow must have answers before it and after it. */
export async function pingWhile(
  flows: readonly Flow[],
  work: (traffic: Traffic) => Promise<void>,
): Promise<ReadonlyMap<string, PingReport>> {
  const pingers = flows.map(({ name, from, to }) => ({ name, pinger: new Pinger(from, to) }));
  const answers = async (count: number): Promise<void> => {
    const waiting = pingers.map(async ({ name, pinger }) => {
      await pinger.answers(count).catch((error: unknown) => {
        throw new Error(`${name}: ${String(error)}`);
      });
    });
    await Promise.all(waiting);
  };
  const reports = new Map<string, PingReport>();
  try {
    await answers(BEFORE);
    await work({ answers });
    await answers(AFTER);
  } finally {
    for (const { name, pinger } of pingers) reports.set(name, await pinger.stop());
  }
  return reports;
}

/** Only the flows that lost something, so that `{}` says that none did. */
export const lossOf = (reports: ReadonlyMap<string, PingReport>): Readonly<Record<string, readonly number[]>> =>
  Object.fromEntries([...reports].flatMap(([name, { lost }]) => (lost.length === 0 ? [] : [[name, lost]])));

/** One line for people: `a > b: 5012 answers, 3 lost, longest outage 18 ms`. */
export const inWords = (reports: ReadonlyMap<string, PingReport>): string =>
  [...reports]
    .map(([name, { received, lost, outageMs }]) => {
      const outage = lost.length === 0 ? '' : `, longest outage ${outageMs.toFixed(0)} ms`;
      return `${name}: ${received} answers, ${lost.length} lost${outage}`;
    })
    .join('; ');

/** The longest of all flows, in milliseconds. */
export const longestOutage = (reports: ReadonlyMap<string, PingReport>): number =>
  Math.max(...[...reports.values()].map(({ outageMs }) => outageMs));
