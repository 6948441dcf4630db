/** A question that is asked again and again, and must be answered in time. */
import type { Clock } from '../runtime/clock.ts';
import { duration, notLive, notReady, ready } from './report.ts';
import type { Reporter, Verdict } from './report.ts';

export interface HeartbeatSettings {
  readonly name: string;
  readonly everyMs: number;
  /** Unanswered for longer: not ready. */
  readonly readyMs: number;
  /** No good answer for longer: not live. Counted from start(), too. */
  readonly liveMs: number;
}

export interface HeartbeatPorts {
  readonly clock: Clock;
  /** Resolves when it was answered. One that never settles is not asked again: it would only queue up. */
  readonly beat: () => Promise<void>;
}

export class Heartbeat implements Reporter {
  readonly name: string;
  readonly #settings: HeartbeatSettings;
  readonly #ports: HeartbeatPorts;
  #askedAt: number | undefined;
  #answeredAt: number | undefined;
  #startedAt = 0;
  #tookMs = 0;
  #error: string | undefined;
  #cancel: () => void = () => undefined;
  #isClosed = false;

  constructor(settings: HeartbeatSettings, ports: HeartbeatPorts) {
    this.name = settings.name;
    this.#settings = settings;
    this.#ports = ports;
  }

  start(): void {
    this.#startedAt = this.#ports.clock.now();
    void this.#beat();
  }

  check(now: number): Verdict {
    const { readyMs, liveMs } = this.#settings;
    const silentMs = now - (this.#answeredAt ?? this.#startedAt);
    const why = this.#error === undefined ? '' : `: ${this.#error}`;
    if (silentMs > liveMs) return notLive(`no answer for ${duration(silentMs)}${why}`);
    if (this.#error !== undefined) return notReady(this.#error);
    if (this.#askedAt !== undefined && now - this.#askedAt > readyMs) {
      return notReady(`no answer for ${duration(now - this.#askedAt)}`);
    }
    if (this.#answeredAt === undefined) return notReady('no answer yet');
    return ready(`answered within ${this.#tookMs.toFixed(1)} ms, ${duration(silentMs)} ago`);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  async #beat(): Promise<void> {
    const { clock, beat } = this.#ports;
    const askedAt = clock.now();
    this.#askedAt = askedAt;
    try {
      await beat();
      this.#answeredAt = clock.now();
      this.#tookMs = this.#answeredAt - askedAt;
      this.#error = undefined;
    } catch (error) {
      this.#error = (error as Error).message;
    }
    this.#askedAt = undefined;
    if (!this.#isClosed) this.#cancel = clock.after(this.#settings.everyMs, () => void this.#beat());
  }
}
