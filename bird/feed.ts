import type { IpFamily } from '../src/model/ip.ts';
import type { Clock } from '../src/runtime/clock.ts';
import { familyOf } from './peer/negotiate.ts';
import { encodeEndOfRib } from './wire.ts';

export interface FeedPorts {
  readonly clock: Clock;
  /** How many octets may be written now. */
  room(): number;
  write(frame: Uint8Array): void;
  /** Runs work of this session's: what it throws ends this session alone. */
  guard(work: () => void): void;
  /** The next UPDATEs of a family, one behind the other; undefined where the peer knows all of it or others tell it. */
  nextUpdate(family: IpFamily): Uint8Array | undefined;
  /** What follows when there is no UPDATE and End-of-RIB was sent: the marks of an answer to a refresh. RFC 7313 §4. */
  nextRefresh(family: IpFamily): Uint8Array | undefined;
  /** What we would say so far is not all that we know: End-of-RIB must wait. */
  isEndOfRibHeld(family: IpFamily): boolean;
  /** There is nothing to be said for the moment. */
  rested(): void;
}

/**
 * When a loop turn has sent so much, the rest follows in the next. So many octets are some 8,000 prefixes, and one message of
 * RFC 8654.
 */
const FRAMES_PER_TURN = 64;
const OCTETS_PER_TURN = 32_768;

/** The same octets for every peer and every time. RFC 4724 §2. */
const END_OF_RIB = { 4: encodeEndOfRib(familyOf(4)), 6: encodeEndOfRib(familyOf(6)) } as const;

/** What one peer is told, as far as its connection has room: all UPDATEs of a family, then its first End-of-RIB. */
export class Feed {
  readonly #ports: FeedPorts;
  /** Of the session that is up; empty where none is. */
  #families: readonly IpFamily[] = [];
  /** Families whose first feed is not marked as complete yet. RFC 4724 §2. */
  #endOfRibDue: readonly IpFamily[] = [];
  #isPumpDue = false;

  constructor(ports: FeedPorts) {
    this.#ports = ports;
  }

  start(families: readonly IpFamily[]): void {
    this.#families = families;
    this.#endOfRibDue = families;
    this.pumpSoon();
  }

  stop(): void {
    this.#families = [];
  }

  /**
   * The peer is to be told something, or has room again. In a turn of its own, always: a reader that is as fast as we are makes room while
   * we write, and nobody else would have a turn, keepalives least of all, until it knows everything.
   */
  pumpSoon(): void {
    if (this.#isPumpDue || this.#families.length === 0) return;
    this.#isPumpDue = true;
    this.#ports.clock.after(0, () => {
      this.#isPumpDue = false;
      this.#ports.guard(() => this.#pump());
    });
  }

  /** Writes what the peer is still to be told, as far as there is room. */
  #pump(): void {
    let octets = 0;
    for (let frames = 0; this.#families.length > 0 && this.#ports.room() > 0; frames++) {
      if (frames === FRAMES_PER_TURN || octets >= OCTETS_PER_TURN) {
        this.pumpSoon();
        return;
      }
      const frame = this.#nextFrame();
      if (frame === undefined) {
        this.#ports.rested();
        return;
      }
      octets += frame.length;
      this.#ports.write(frame);
    }
  }

  #nextFrame(): Uint8Array | undefined {
    for (const family of this.#families) {
      const frame = this.#ports.nextUpdate(family);
      if (frame !== undefined) return frame;
      if (!this.#endOfRibDue.includes(family)) {
        const mark = this.#ports.nextRefresh(family);
        if (mark !== undefined) return mark;
        continue;
      }
      if (this.#ports.isEndOfRibHeld(family)) continue;
      this.#endOfRibDue = this.#endOfRibDue.filter((due) => due !== family);
      return END_OF_RIB[family];
    }
    return undefined;
  }
}
