/** Sessions that nobody asked for, from the caller's first packet to our End-of-RIB. */
import { LoopbackSpeaker } from './loopback-speaker.ts';
import type { Caller, PlayPorts } from './loopback-speaker.ts';

/** Three times as many as `compileSooner` asks for. */
export const SESSIONS = 100;
const CALLERS = 8;
/** Long enough for a busy machine. Where the loopback is down or a firewall is shut, nobody gets anywhere. */
export const PATIENCE_MS = 3000;

/** Begins at once and calls `over`, with false where it got nowhere; answers how to end it before its time. */
export function playSessions(ports: PlayPorts, over: (hasPlayed: boolean) => void): () => void {
  const play = new SessionPlay(ports, over);
  void play.begin();
  return () => void play.close().catch(() => undefined);
}

/** Callers who hear its End-of-RIB, hang up, and call again. */
class SessionPlay {
  readonly #ports: PlayPorts;
  readonly #over: (hasPlayed: boolean) => void;
  readonly #speaker: LoopbackSpeaker;
  readonly #cancelPatience: () => void;
  #left = SESSIONS;
  #isOver = false;

  constructor(ports: PlayPorts, over: (hasPlayed: boolean) => void) {
    this.#ports = ports;
    this.#over = over;
    this.#speaker = new LoopbackSpeaker(ports);
    this.#cancelPatience = ports.clock.after(PATIENCE_MS, () => this.#finish());
  }

  async begin(): Promise<void> {
    try {
      await this.#speaker.start(CALLERS);
      for (let caller = 0; caller < CALLERS; caller++) this.#call(caller);
    } catch {
      this.#finish();
    }
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.#cancelPatience();
    await this.#speaker.close();
  }

  #finish(): void {
    if (this.#isOver) return;
    void this.close()
      .catch(() => undefined)
      .then(() => this.#over(this.#left <= 0));
  }

  #call(place: number): void {
    if (this.#isOver) return;
    this.#speaker.call(place, {
      heard: (caller) => {
        if (caller.heard === this.#ports.families.length) this.#hangUp(place, caller);
      },
      lost: () => this.#finish(),
    });
  }

  #hangUp(place: number, caller: Caller): void {
    this.#speaker.hangUp(caller);
    this.#left--;
    if (this.#left <= 0) this.#finish();
    else this.#ports.clock.after(0, () => this.#call(place));
  }
}
