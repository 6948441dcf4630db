/** Pings that run while a test does something to the hosts between them, and what of them was lost, by number. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Discards } from './kernel-discards.ts';
import { KernelDiscards } from './kernel-discards.ts';
import type { TestNetns } from './netns.ts';

/**
 * No less: a ping whose next packet is due within 10 ms, and all of whose packets are answered, does not sleep but spins
 * (iputils 20221126). At 5 ms each has a processor for itself, and what is measured is how felix does without one.
 */
const INTERVAL_MS = 20;
/** So many take turns; in the VM one, for with more its emulated processors do little else than forward packets. */
const PINGS = process.env['CALICO_TS_VM'] === undefined ? 4 : 1;
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
  /** Between which answers each was lost, in the order of `lost`; Unix time in milliseconds. */
  readonly lostBetween: readonly (readonly [number, number])[];
  /** What ping said beside answers: errors that came back, packets that it could not send, answers that came twice. */
  readonly remarks: readonly string[];
}

interface Answer {
  readonly sequence: number;
  readonly atMs: number;
}

/** One process. */
class Ping {
  readonly #child: ChildProcess;
  readonly #directory = mkdtempSync(join(tmpdir(), 'pinger-'));
  readonly #reader: number;
  readonly #answers: Answer[] = [];
  readonly remarks: string[] = [];
  #offset = 0;
  #beginning = 0;

  constructor(from: TestNetns, to: string) {
    const ping = ['ping', '-n', '-D', '-i', String(INTERVAL_MS / 1000), '-l', CATCH_UP, to];
    // Into a file: through a pipe that nobody reads for a second ping would stop sending, and lose nothing.
    const file = openSync(this.#file, 'a');
    // Ahead of everything else: an answer that waits too long for its reader is thrown away by the kernel.
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

  /** What comes before is not counted: all packets that ping sends at its start are one burst of a flow that nobody knows yet. */
  begin(): void {
    this.#beginning = this.#readOn().length - 1;
  }

  /** Ends it, once; its answers from the beginning on. */
  async stop(): Promise<readonly Answer[]> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGINT');
    await ended;
    const answers = this.#readOn();
    closeSync(this.#reader);
    rmSync(this.#directory, { recursive: true });
    return answers.slice(this.#beginning);
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
    this.remarks.push(...readRemarks(whole.toString()));
    return this.#answers;
  }
}

/** Two hundred packets a second from one namespace to an address; fifty in the VM. */
export class Pinger {
  readonly #pings: readonly Ping[];

  private constructor(pings: readonly Ping[]) {
    this.#pings = pings;
  }

  static async start(from: TestNetns, to: string): Promise<Pinger> {
    const pings: Ping[] = [];
    for (let i = 0; i < PINGS; i++) {
      pings.push(new Ping(from, to));
      await sleep(INTERVAL_MS / PINGS);
    }
    return new Pinger(pings);
  }

  /** Waits for so many answers more, from each process its part; throws with what ping said where they do not come. */
  async answers(count: number): Promise<void> {
    await Promise.all(this.#pings.map((ping) => ping.answers(Math.ceil(count / PINGS))));
  }

  /** From the last answer that has come on, losses count. */
  begin(): void {
    for (const ping of this.#pings) ping.begin();
  }

  /** Ends it, once. */
  async stop(): Promise<PingReport> {
    const report = reportOn(...(await Promise.all(this.#pings.map((ping) => ping.stop()))));
    return { ...report, remarks: this.#pings.flatMap(({ remarks }) => remarks) };
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

/** The lines of ping that tell of something out of the ordinary. */
export const readRemarks = (printed: string): readonly string[] =>
  printed.split('\n').filter((line) => /(^|\] )From |ping: |DUP!/.test(line));

/** Between two answers of one ping, which lost what it sent in between. */
interface Loss {
  readonly sequence: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * From the first answer of each ping to its last: what was still on its way at the end is not lost. Pings of one flow that
 * took turns are one report, in which number N of the second of four is 4 N + 1.
 */
export function reportOn(...pings: readonly (readonly Answer[])[]): Omit<PingReport, 'remarks'> {
  const losses = pings.map(lossesIn);
  const times = pings.flatMap((answers) => answers.map(({ atMs }) => atMs)).sort((a, b) => a - b);
  const outages = losses.flat().map(({ fromMs, toMs }) => {
    const within = times.filter((at) => at >= fromMs && at <= toMs);
    return Math.max(...within.slice(1).map((at, i) => at - within[i]!));
  });
  const lost = losses
    .flatMap((own, i) => own.map((loss) => ({ ...loss, number: loss.sequence * pings.length + i })))
    .sort((a, b) => a.number - b.number);
  return {
    received: pings.reduce((sum, answers) => sum + new Set(answers.map(({ sequence }) => sequence)).size, 0),
    lost: lost.map(({ number }) => number),
    lostBetween: lost.map(({ fromMs, toMs }) => [fromMs, toMs] as const),
    outageMs: Math.max(0, ...outages),
  };
}

function lossesIn(answers: readonly Answer[]): readonly Loss[] {
  const sorted = answers.toSorted((a, b) => a.sequence - b.sequence);
  return sorted.slice(1).flatMap((answer, i) => {
    const before = sorted[i]!;
    const first = before.sequence + 1;
    const span = { fromMs: before.atMs, toMs: answer.atMs };
    return Array.from({ length: Math.max(0, answer.sequence - first) }, (_, n) => ({ sequence: first + n, ...span }));
  });
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

/** By flow. */
export class PingReports extends Map<string, PingReport> {
  /** What the kernel threw away meanwhile, of these flows or others, where it can be traced. */
  discards: Discards = { deadRoute: 0, by: new Map() };
}

/** Pings along all flows while `work` runs; every flow must have answers before it and after it. */
export async function pingWhile(
  flows: readonly Flow[],
  work: (traffic: Traffic) => Promise<void>,
): Promise<PingReports> {
  const discards = KernelDiscards.start();
  const starting = flows.map(async ({ name, from, to }) => ({ name, pinger: await Pinger.start(from, to) }));
  const pingers = await Promise.all(starting);
  const answers = async (count: number): Promise<void> => {
    const waiting = pingers.map(async ({ name, pinger }) => {
      await pinger.answers(count).catch((error: unknown) => {
        throw new Error(`${name}: ${String(error)}`);
      });
    });
    await Promise.all(waiting);
  };
  const reports = new PingReports();
  try {
    await answers(BEFORE);
    for (const { pinger } of pingers) pinger.begin();
    await work({ answers });
    await answers(AFTER);
  } finally {
    for (const { name, pinger } of pingers) reports.set(name, await pinger.stop());
    if (discards !== undefined) reports.discards = discards.stop();
  }
  return reports;
}

/** Only the flows that lost something, so that `{}` says that none did. */
export const lossOf = (
  reports: ReadonlyMap<string, Pick<PingReport, 'lost'>>,
): Readonly<Record<string, readonly number[]>> =>
  Object.fromEntries([...reports].flatMap(([name, { lost }]) => (lost.length === 0 ? [] : [[name, lost]])));

/** The same, and `{}` too where the kernel's own fault that kernel-discards.ts tells of took as many packets. */
export function unexplainedLossOf(reports: PingReports): Readonly<Record<string, readonly number[]>> {
  const lost = [...reports.values()].reduce((sum, report) => sum + report.lost.length, 0);
  return lost <= reports.discards.deadRoute ? {} : lossOf(reports);
}

/** One line for people: `a > b: 5012 answers, 3 lost, longest outage 18 ms`; and where the kernel threw packets away. */
export function inWords(reports: ReadonlyMap<string, Omit<PingReport, 'remarks'>>): string {
  const flows = [...reports].map(([name, { received, lost, outageMs }]) => {
    const outage = lost.length === 0 ? '' : `, longest outage ${outageMs.toFixed(0)} ms`;
    return `${name}: ${received} answers, ${lost.length} lost${outage}`;
  });
  const by = reports instanceof PingReports ? [...reports.discards.by] : [];
  const thrown = by.map(([name, count]) => `${count} by ${name}`).join(', ');
  return [...flows, ...(thrown === '' ? [] : [`thrown away by the kernel: ${thrown}`])].join('; ');
}

/** The longest of all flows, in milliseconds. */
export const longestOutage = (reports: ReadonlyMap<string, PingReport>): number =>
  Math.max(...[...reports.values()].map(({ outageMs }) => outageMs));
