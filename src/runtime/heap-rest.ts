import { setFlagsFromString } from 'node:v8';
import type { Clock } from './clock.ts';

export interface HeapRestPorts {
  readonly clock: Pick<Clock, 'after'>;
  /** Processor time of the process since its start. */
  readonly cpuMs: () => number;
  /** Of the JavaScript heap, garbage included. */
  readonly heapOctets: () => number;
  readonly collect: () => void;
  /** A larger heap is left alone: a collection takes 2 to 3 ms for each MB of 2^20 octets, all in one turn. */
  readonly mostOctets: number;
}

/** How often it looks. */
export const LOOK_MS = 5_000;
/** Less than 2 % of a core is quiet. */
const QUIET_MS = 0.02 * LOOK_MS;

/**
 * Gives back what a busy time left behind, once, when it is over. V8 gives little back by itself: its nursery keeps the size to
 * which the start of the process let it grow, 13 MB, and nothing is collected where nothing is allocated.
 */
export class HeapRest {
  readonly #ports: HeapRestPorts;
  #cpuMs: number;
  #wasBusy = false;
  #cancel: () => void = () => undefined;

  constructor(ports: HeapRestPorts) {
    this.#ports = ports;
    this.#cpuMs = 0;
    this.#wait();
  }

  close(): void {
    this.#cancel();
  }

  #wait(): void {
    this.#cancel = this.#ports.clock.after(LOOK_MS, () => this.#look());
  }

  #look(): void {
    const { cpuMs, heapOctets, collect, mostOctets } = this.#ports;
    const used = cpuMs() - this.#cpuMs;
    if (used >= QUIET_MS) this.#wasBusy = true;
    else if (this.#wasBusy && heapOctets() <= mostOctets) {
      collect();
      this.#wasBusy = false;
    }
    this.#cpuMs = cpuMs();
    this.#wait();
  }
}

/**
 * For a process that is to be small rather than fast: V8 collects whenever the heap has grown by a quarter since the last time, where it
 * would wait for twice as much and more.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--heap-growing-percent=25');
}

/** Of this process; `giveBack` once a heap of no more than `mostMegabytes` (2^20 octets) is collected. Undefined where Node was not started with `--expose-gc`, which the first line of the built files says. */
export function restHeap(clock: Clock, mostMegabytes: number, giveBack: () => void): HeapRest | undefined {
  const { gc } = globalThis;
  if (gc === undefined) return undefined;
  return new HeapRest({
    clock,
    cpuMs: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    },
    heapOctets: () => process.memoryUsage().heapUsed,
    mostOctets: mostMegabytes * 2 ** 20,
    // The only kind that makes the nursery small again.
    collect: () => {
      gc({ type: 'major', flavor: 'last-resort' });
      giveBack();
    },
  });
}
