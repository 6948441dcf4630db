import type { Clock } from '../../src/runtime/clock.ts';
import { BgpError, Framer, MAX_OCTETS } from '../wire.ts';
import type { Fault } from '../wire.ts';
import type { Connection } from './transport.ts';

/** What a reader asks of the driver whose connection it reads. */
export interface MessageReaderOwner {
  readonly clock: Clock;
  /**
   * One whole message; whoever takes it may hold the reader, or close it. `readAt`: when the clock was looked at last, not
   * more than sixteen messages ago, in its milliseconds.
   */
  message(frame: Uint8Array, readAt: number): void;
  /** No message begins where one should. RFC 4271 §6.1. */
  headerFault(fault: Fault): void;
  /** For what is read in a turn of its own: whatever it throws ends this connection and nothing else. */
  guard(action: () => void): void;
}

/** A loop turn must not be longer, or keepalives of other sessions wait. */
const SLICE_MS = 5;
const FRAMES_BETWEEN_LOOKS = 16;

/** What arrives over one connection, message by message and in slices. Whatever comes after `close` is nobody's business. */
export class MessageReader {
  readonly #connection: Connection;
  readonly #owner: MessageReaderOwner;
  readonly #framer = new Framer(MAX_OCTETS);
  /** Whole messages wait for the next slice. */
  #hasBacklog = false;
  #isHeld = false;
  #isClosed = false;

  constructor(connection: Connection, owner: MessageReaderOwner) {
    this.#connection = connection;
    this.#owner = owner;
  }

  get hasBacklog(): boolean {
    return this.#hasBacklog;
  }

  get #isThirsty(): boolean {
    return !this.#isClosed && !this.#hasBacklog && !this.#isHeld;
  }

  /** RFC 8654 §4. */
  set maxOctets(octets: number) {
    this.#framer.maxOctets = octets;
  }

  push(octets: Uint8Array): void {
    this.#framer.push(octets);
    this.#readSlice();
  }

  /** Nothing behind the message that is being taken is read before `release`. */
  hold(): void {
    this.#isHeld = true;
    this.#connection.pause();
  }

  release(): void {
    this.#isHeld = false;
    this.#goOn();
  }

  /** The connection has ended. What came before still counts: a NOTIFICATION, or the last UPDATEs before a restart. */
  drain(): void {
    while (this.#hasBacklog) this.#readSlice();
  }

  close(): void {
    this.#isClosed = true;
    this.#hasBacklog = false;
  }

  /** Takes messages until none is whole, or the slice is used up; then the rest waits for the next turn. */
  #readSlice(): void {
    const { clock } = this.#owner;
    let now = clock.now();
    const end = now + SLICE_MS;
    this.#hasBacklog = true;
    for (let frames = 1; !this.#isClosed; frames++) {
      if (this.#isHeld || !this.#readOne(now)) {
        this.#hasBacklog = false;
        return;
      }
      if (frames % FRAMES_BETWEEN_LOOKS !== 0) continue;
      now = clock.now();
      if (now < end) continue;
      this.#continueLater();
      return;
    }
  }

  #continueLater(): void {
    this.#connection.pause();
    this.#owner.clock.after(0, () => this.#goOn());
  }

  #goOn(): void {
    if (this.#isClosed) return;
    this.#owner.guard(() => this.#readSlice());
    if (this.#isThirsty) this.#connection.resume();
  }

  /** False where no whole message is there. */
  #readOne(now: number): boolean {
    const frame = this.#nextFrame();
    if (frame !== undefined) this.#owner.message(frame, now);
    return frame !== undefined;
  }

  #nextFrame(): Uint8Array | undefined {
    try {
      return this.#framer.next();
    } catch (error) {
      if (!(error instanceof BgpError)) throw error;
      const { text, code, data } = error;
      this.#owner.headerFault({ text, code, data });
      return undefined;
    }
  }
}
