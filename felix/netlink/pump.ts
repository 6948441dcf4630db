/** The netlink thread's work: bytes to the kernel and back, and whatever else may make a thread wait. It understands no message. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Libc } from '../../src/linux/libc.ts';
import { SystemError, uninterrupted } from '../../src/linux/libc.ts';
import { LITTLE_ENDIAN, aligned, viewOf } from './attribute.ts';
import { CONTROL } from './constants.ts';
import { HEADER_OCTETS } from './header.ts';
import { MAX_HEARD } from './messages.ts';
import type { Exchange, Failure, FromThread, Outcome, Success, SysctlAccess, SysctlTask, Task } from './messages.ts';
import { visitNamespace } from './namespace.ts';
import { portOwner } from './port-owner.ts';

/** What is handed over at once: the main thread decodes it in some milliseconds. */
const CHUNK_OCTETS = 128 << 10;
/** The kernel sends at most 32 KiB at once, in a dump. */
const DATAGRAM_OCTETS = 32 << 10;
/** After so many datagrams of one watched socket others have their turn. */
const DATAGRAMS_PER_TURN = 64;

/** More than any receive buffer holds: whoever fills it faster than that makes the next overrun. */
const MAX_DRAINED = 100_000;

type Say = (message: FromThread, handOver?: Uint8Array<ArrayBuffer>) => void;

export class Pump {
  readonly #libc: Libc;
  readonly #say: Say;
  /** How many more `heard` each watched socket may send. */
  readonly #credit = new Map<number, number>();
  /** Where answers arrive; a new one for each chunk that is full enough to be handed over as it is. */
  #buffer = new Uint8Array(CHUNK_OCTETS);

  constructor(libc: Libc, say: Say) {
    this.#libc = libc;
    this.#say = say;
  }

  /** The watched sockets that may be read now. */
  get watched(): readonly number[] {
    return [...this.#credit].filter(([, credit]) => credit > 0).map(([fd]) => fd);
  }

  perform(id: number, task: Task): void {
    const outcome = this.#attempt(id, task);
    this.#say({ type: 'done', id, outcome }, outcome.ok ? outcome.octets : undefined);
  }

  /** Hands on what has come; the socket does not block. */
  readWatched(fd: number): void {
    let length = 0;
    let isOverrun = false;
    for (let i = 0; i < DATAGRAMS_PER_TURN && this.#buffer.length - length >= DATAGRAM_OCTETS; i++) {
      const octets = this.#hear(fd, this.#buffer.subarray(length));
      isOverrun = octets === 'overrun';
      if (typeof octets !== 'number') break;
      length = aligned(length + octets);
    }
    if (length > 0) {
      const octets = this.#cut(length);
      this.#say({ type: 'heard', fd, octets }, octets);
    }
    if (isOverrun) {
      this.#drain(fd);
      this.#say({ type: 'heard', fd, octets: 'overrun' });
    }
    this.#credit.set(fd, (this.#credit.get(fd) ?? 0) - (length > 0 ? 1 : 0) - (isOverrun ? 1 : 0));
  }

  /**
   * After an overrun the kernel drops what comes, without a word, until the socket has been read empty (netlink_rcv_wake). Only
   * then may the listener list everything again: what it misses from then on, it hears of. What is read here is old.
   */
  #drain(fd: number): void {
    const place = new Uint8Array(DATAGRAM_OCTETS);
    for (let i = 0; i < MAX_DRAINED; i++) if (this.#hear(fd, place) === 'nothing') return;
  }

  #attempt(id: number, task: Task): Outcome {
    return unlessRefused(() => this.#do(id, task));
  }

  #do(id: number, task: Task): Success {
    switch (task.do) {
      case 'exchange':
        return { ok: true, octets: this.#exchange(id, task) };
      case 'sysctls':
        return { ok: true, each: this.#sysctls(task) };
      case 'owner':
        return {
          ok: true,
          text: visitNamespace(this.#libc, task.namespaceFd, () => JSON.stringify(portOwner(task.port) ?? null)),
        };
      case 'watch':
        this.#credit.set(task.fd, MAX_HEARD);
        return { ok: true };
      case 'taken':
        if (this.#credit.has(task.fd)) this.#credit.set(task.fd, this.#credit.get(task.fd)! + 1);
        return { ok: true };
      case 'forget':
        this.#credit.delete(task.fd);
        return { ok: true };
    }
  }

  /** Returns the last part of the answer; those before it are said as they are full. */
  #exchange(id: number, { fd, octets, until }: Exchange): Uint8Array<ArrayBuffer> {
    uninterrupted(() => this.#libc.send(fd, octets));
    for (let length = 0; ;) {
      if (this.#buffer.length - length < DATAGRAM_OCTETS) {
        const part = this.#cut(length);
        this.#say({ type: 'octets', id, octets: part }, part);
        length = 0;
      }
      const received = this.#receive(fd, this.#buffer.subarray(length));
      const isOver = isEnd(this.#buffer.subarray(length, length + received), until);
      length = aligned(length + received);
      if (isOver) return this.#cut(length);
    }
  }

  #sysctls({ namespaceFd, accesses }: SysctlTask): readonly (string | Failure)[] {
    return visitNamespace(this.#libc, namespaceFd, () => accesses.map((one) => unlessRefused(() => access(one))));
  }

  #hear(fd: number, place: Uint8Array): number | 'nothing' | 'overrun' {
    try {
      return this.#receive(fd, place);
    } catch (error) {
      if (error instanceof SystemError && error.code === 'EAGAIN') return 'nothing';
      if (error instanceof SystemError && error.code === 'ENOBUFS') return 'overrun';
      throw error;
    }
  }

  #receive(fd: number, place: Uint8Array): number {
    const octets = uninterrupted(() => this.#libc.receive(fd, place));
    if (octets > place.length) {
      throw new Error(`the kernel sent ${octets} octets at once, more than the ${place.length} we take`);
    }
    return octets;
  }

  /** What was received, to be handed over. A short one is copied, so that the large buffer need not be made anew. */
  #cut(length: number): Uint8Array<ArrayBuffer> {
    if (length < CHUNK_OCTETS / 2) return this.#buffer.slice(0, length);
    const octets = this.#buffer.subarray(0, length);
    this.#buffer = new Uint8Array(CHUNK_OCTETS);
    return octets;
  }
}

/** True where the verdict on message `until`, or the end of its dump, is in the datagram. */
export function isEnd(octets: Uint8Array, until: number): boolean {
  const view = viewOf(octets);
  for (let at = 0; at + HEADER_OCTETS <= octets.length;) {
    const length = view.getUint32(at, LITTLE_ENDIAN);
    // Whoever decodes it says what is wrong with it.
    if (length < HEADER_OCTETS) return true;
    const type = view.getUint16(at + 4, LITTLE_ENDIAN);
    const isLast = type === CONTROL.error || type === CONTROL.done;
    if (isLast && view.getUint32(at + 8, LITTLE_ENDIAN) === until) return true;
    at += aligned(length);
  }
  return false;
}

function access({ path, value }: SysctlAccess): string {
  const file = `/proc/sys/${path}`;
  if (value === undefined) return readFileSync(file, 'utf8').trim();
  writeFileSync(file, value);
  return value;
}

/** A system call that fails is an outcome; any other error is a fault of ours. */
function unlessRefused<T>(work: () => T): T | Failure {
  try {
    return work();
  } catch (error) {
    if (error instanceof SystemError) return { ok: false, call: error.call, errno: error.errno };
    if (isFileError(error)) return { ok: false, call: error.syscall, errno: -error.errno };
    throw error;
  }
}

const isFileError = (error: unknown): error is Error & { readonly syscall: string; readonly errno: number } =>
  error instanceof Error && 'syscall' in error && 'errno' in error && typeof error.errno === 'number';
