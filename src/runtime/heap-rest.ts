import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import type { HeapSpaceInfo } from 'node:v8';
import type { Clock } from './clock.ts';

export interface HeapRestPorts {
  readonly clock: Pick<Clock, 'after' | 'now'>;
  /** Processor time of the process since its start. */
  readonly cpuMs: () => number;
  /** Of the JavaScript heap but for its nursery, garbage included. */
  readonly heapOctets: () => number;
  readonly collect: () => void;
  /** What is free by itself goes back to the kernel, in some 10 ms. */
  readonly giveBack: () => void;
  /** A larger heap is left alone: a collection takes 2 to 3 ms for each MB of 2^20 octets, all in one turn. */
  readonly mostOctets: number;
  /** It has become larger than that, or is so no more. */
  readonly onSize?: (isLarge: boolean) => void;
}

/** How often it looks. */
export const LOOK_MS = 1_000;
/** What was used in so many looks together says whether the process was busy, or is quiet. */
const BUSY_LOOKS = 5;
const QUIET_LOOKS = 3;
/** From one rest to the next: whoever is busy now and then is not to collect each time. */
const LOOKS_BETWEEN = 30;
/** Less than 2 % of a core is quiet. */
const QUIET_MS = 0.02 * LOOK_MS;
/** How often it looks for a pause. */
export const PAUSE_MS = 250;
/** Less than 10 % of a core is a pause. */
const PAUSED_MS = 0.1 * PAUSE_MS;
/** Of a start that is at work all the time it is a twentieth. */
const WORKED_MS = 200;
/** Of such a start it is always true; who does a little now and then leaves little free. */
const WORKED_CPU_MS = 100;
/** Whom this process has just told of its work may be on the same cores, and goes first. */
export const SETTLE_MS = 20;
/** A start takes no longer; whoever is at work for ever never rests. */
const START_MS = 60_000;

/**
 * Gives back what a busy time left behind, once, when it is over. V8 gives little back by itself: its nursery keeps the size to
 * which the start of the process let it grow, 13 MB, and nothing is collected where nothing is allocated.
 */
export class HeapRest {
  readonly #ports: HeapRestPorts;
  readonly #startedAt: number;
  #cpuMs = 0;
  /** In the last looks, the newest last. */
  #used: number[] = [];
  #wasBusy = false;
  #isLarge = false;
  #hasRested = false;
  #looksToWait = 0;
  #gaveBackAt = -Infinity;
  #gaveBackCpuMs = -Infinity;
  #stopSettling: (() => void) | undefined;
  #cancel: () => void = () => undefined;
  #stopWaiting: (() => void) | undefined;

  constructor(ports: HeapRestPorts) {
    this.#ports = ports;
    this.#startedAt = ports.clock.now();
    this.#wait();
  }

  close(): void {
    this.#cancel();
    this.#stopWaiting?.();
    this.#stopSettling?.();
  }

  /**
   * A piece of work is done. What the start of a process leaves free is more than all that comes later, and it is not over before all
   * such work is: until it rests it goes back soon, and again where it is busy after that.
   */
  worked(): void {
    const { clock, cpuMs } = this.#ports;
    const now = clock.now();
    const isAtRest = this.#hasRested && !this.#wasBusy;
    if (isAtRest || now - this.#startedAt >= START_MS || now - this.#gaveBackAt < WORKED_MS) return;
    if (cpuMs() - this.#gaveBackCpuMs < WORKED_CPU_MS) return;
    this.#stopSettling ??= clock.after(SETTLE_MS, () => this.#giveBackSettled());
  }

  #giveBackSettled(): void {
    const { clock, cpuMs, giveBack } = this.#ports;
    this.#stopSettling = undefined;
    giveBack();
    this.#gaveBackAt = clock.now();
    this.#gaveBackCpuMs = cpuMs();
  }

  /** Something was given up that leaves much free, and others have work to do: it goes back in the first pause. */
  giveBackSoon(): void {
    if (this.#stopWaiting !== undefined) return;
    const { clock, cpuMs, giveBack } = this.#ports;
    const before = cpuMs();
    this.#stopWaiting = clock.after(PAUSE_MS, () => {
      this.#stopWaiting = undefined;
      if (cpuMs() - before >= PAUSED_MS) this.giveBackSoon();
      else giveBack();
    });
  }

  #wait(): void {
    this.#cancel = this.#ports.clock.after(LOOK_MS, () => this.#look());
  }

  #look(): void {
    const { cpuMs, collect, giveBack } = this.#ports;
    const used = this.#used;
    used.push(cpuMs() - this.#cpuMs);
    if (used.length > BUSY_LOOKS) used.shift();
    const isLarge = this.#lookAtSize();
    if (sum(used) >= BUSY_LOOKS * QUIET_MS) this.#wasBusy = true;
    if (this.#looksToWait > 0) this.#looksToWait--;
    if (this.#wasBusy && !isLarge && this.#looksToWait === 0 && isQuiet(used)) {
      collect();
      giveBack();
      this.#hasRested = true;
      this.#looksToWait = LOOKS_BETWEEN;
      this.#wasBusy = false;
      this.#used = [];
    }
    this.#cpuMs = cpuMs();
    this.#wait();
  }

  #lookAtSize(): boolean {
    const { heapOctets, mostOctets, onSize } = this.#ports;
    const isLarge = heapOctets() > mostOctets;
    if (isLarge !== this.#isLarge) onSize?.(isLarge);
    this.#isLarge = isLarge;
    return isLarge;
  }
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** The last look is quiet, too: what has just begun is not to be disturbed. */
const isQuiet = (used: readonly number[]): boolean =>
  used.length >= QUIET_LOOKS && used.at(-1)! < QUIET_MS && sum(used.slice(-QUIET_LOOKS)) < QUIET_LOOKS * QUIET_MS;

/**
 * For a process that is to be small rather than fast, to be called as early as may be. V8 collects whenever the heap has grown by a quarter
 * since the last time, where it would wait for twice as much and more; and its nursery stays as large as it is, at first 1 MB, where
 * what one busy second leaves alive would make it twice as large, again and again. Each MB of it is two of memory.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--heap-growing-percent=25');
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** As V8 has it by itself. */
export function letHeapGrow(): void {
  setFlagsFromString('--heap-growing-percent=0');
  setFlagsFromString('--semi-space-growth-factor=2');
}

/** The only kind of collection that makes the nursery small again. */
export function collectAtRest(gc: NodeJS.GCFunction): void {
  gc({ type: 'major', flavor: 'last-resort' });
}

export interface HeapRestSettings {
  /** MB of 2^20 octets. */
  readonly mostMegabytes: number;
  readonly giveBack: HeapRestPorts['giveBack'];
  readonly onSize?: HeapRestPorts['onSize'];
}

/** Of this process. Undefined where Node was not started with `--expose-gc`, which the first line of the built files says. */
export function restHeap(clock: Clock, { mostMegabytes, giveBack, onSize }: HeapRestSettings): HeapRest | undefined {
  const { gc } = globalThis;
  if (gc === undefined) return undefined;
  return new HeapRest({
    clock,
    cpuMs: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    },
    heapOctets: () => sum(getHeapSpaceStatistics().map(usedOctets)),
    mostOctets: mostMegabytes * 2 ** 20,
    collect: () => collectAtRest(gc),
    giveBack,
    ...(onSize && { onSize }),
  });
}

/** Of the nursery a collection copies what is alive, which at rest is next to nothing. */
const usedOctets = ({ space_name: name, space_used_size: octets }: HeapSpaceInfo): number =>
  name.startsWith('new_') ? 0 : octets;
