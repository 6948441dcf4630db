import type { ControlPacket } from '../../bird/bfd/packet.ts';
import { dueAt, newSession, step } from '../../bird/bfd/session.ts';
import type { Report, Session, SessionEvent, Timing } from '../../bird/bfd/session.ts';

/** How a direction of the link treats a packet. */
export interface Quality {
  /** Of 1. */
  readonly loss: number;
  readonly duplication: number;
  /** Each packet takes so long at least and at most: a spread reorders. */
  readonly delayMs: readonly [number, number];
}

export const CLEAN: Quality = { loss: 0, duplication: 0, delayMs: [1, 1] };
export const DEAD: Quality = { loss: 1, duplication: 0, delayMs: [1, 1] };

export interface Sent {
  readonly at: number;
  readonly packet: ControlPacket;
  /** What moved the sender. */
  readonly because: SessionEvent['type'];
}

export interface End {
  session: Session;
  readonly reports: Report[];
  readonly sent: Sent[];
}

const MOST_STEPS = 100_000;

interface Flight {
  readonly at: number;
  readonly to: 0 | 1;
  readonly packet: ControlPacket;
}

/** Two sessions, what flies between them, and a clock; chance comes from the caller alone. */
export class BfdLink {
  readonly ends: readonly [End, End];
  /** Towards the first end, and towards the second. */
  quality: readonly [Quality, Quality] = [CLEAN, CLEAN];
  now = 0;
  readonly #random: () => number;
  #flights: readonly Flight[] = [];

  constructor(timings: readonly [Timing, Timing], random: () => number) {
    this.#random = random;
    const end = (discriminator: number, timing: Timing): End => ({
      session: newSession(discriminator, timing),
      reports: [],
      sent: [],
    });
    this.ends = [end(1001, timings[0]), end(2002, timings[1])];
  }

  tell(who: 0 | 1, event: SessionEvent): void {
    const end = this.ends[who];
    const [session, effects] = step(end.session, event, { now: this.now, chance: this.#random() });
    end.session = session;
    for (const effect of effects) {
      if (effect.do === 'report') end.reports.push(effect);
      else {
        end.sent.push({ at: this.now, packet: effect.packet, because: event.type });
        this.#fly(who === 0 ? 1 : 0, effect.packet);
      }
    }
  }

  run(ms: number): void {
    const end = this.now + ms;
    for (let steps = 0; ; steps++) {
      if (steps > MOST_STEPS) throw new Error('a session is due for ever');
      const [flight] = [...this.#flights].sort((a, b) => a.at - b.at);
      const timers = ([0, 1] as const).map((who) => dueAt(this.ends[who].session));
      const next = Math.min(flight?.at ?? Infinity, ...timers);
      if (next > end) break;
      this.now = Math.max(this.now, next);
      if (flight !== undefined && flight.at <= next) this.#arrive(flight);
      else this.tell(timers[0]! <= timers[1]! ? 0 : 1, { type: 'due' });
    }
    this.now = end;
  }

  #fly(to: 0 | 1, packet: ControlPacket): void {
    const { loss, duplication, delayMs } = this.quality[to];
    if (this.#random() < loss) return;
    const copies = this.#random() < duplication ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const at = this.now + delayMs[0] + this.#random() * (delayMs[1] - delayMs[0]);
      this.#flights = [...this.#flights, { at, to, packet }];
    }
  }

  /** With the rules of RFC 5880 §6.8.6 that need a session. */
  #arrive(flight: Flight): void {
    this.#flights = this.#flights.filter((other) => other !== flight);
    const { packet, to } = flight;
    const isOurs =
      packet.yourDiscriminator === 0
        ? packet.state === 'Down' || packet.state === 'AdminDown'
        : packet.yourDiscriminator === this.ends[to].session.localDiscriminator;
    if (isOurs) this.tell(to, { type: 'received', packet });
  }
}
