/** Two sessions that dial each other over a network of random delays: one connection must come of it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LocalSettings } from '../../../bird/peer/negotiate.ts';
import { Session } from '../../../bird/peer/session.ts';
import type { Connection, ConnectionHandlers, Transport } from '../../../bird/peer/transport.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import { parseIpAddress } from '../../../src/model/ip.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { localSettings, withoutRestart } from '../../support/bgp.ts';

/** Virtual time without promises: a thousand sessions in a second. */
class StepClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #timers = new Set<{ readonly at: number; readonly order: number; readonly callback: () => void }>();

  now(): number {
    return this.#now;
  }
  wallTime(): number {
    return this.#now;
  }
  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, order: this.#order++, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }
  runUntil(end: number): void {
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at || a.order - b.order);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.callback();
    }
    this.#now = end;
  }
}

/** One end of a pipe; what is written arrives in order, each piece a random while later. */
class End implements Connection {
  readonly remoteAddress = parseIpAddress('10.0.0.2');
  readonly localAddress = parseIpAddress('10.0.0.1');
  readonly remotePort = undefined;
  readonly localPort = undefined;
  readonly interface = undefined;
  readonly queuedOctets = 0;
  readonly #clock: Clock;
  readonly #latency: () => number;
  #handlers: ConnectionHandlers | undefined;
  #isClosed = false;
  #isPaused = false;
  #held: (() => void)[] = [];
  /** When the last piece on its way to us arrives. */
  #busyUntil = 0;
  other: End | undefined;

  constructor(clock: Clock, latency: () => number) {
    this.#clock = clock;
    this.#latency = latency;
  }
  attach(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
  }
  secure(): void {
    // nobody is far away
  }
  write(octets: Uint8Array): void {
    const copy = octets.slice();
    if (!this.#isClosed) this.other?.arrive(() => this.other?.hear(copy));
  }
  pause(): void {
    this.#isPaused = true;
  }
  resume(): void {
    this.#isPaused = false;
    const held = this.#held;
    this.#held = [];
    for (const action of held) this.#take(action);
  }
  end(): Promise<void> {
    this.destroy();
    return Promise.resolve();
  }
  destroy(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.other?.arrive(() => this.other?.fail());
  }
  opened(): void {
    this.#handlers?.opened();
  }
  arrive(action: () => void): void {
    this.#busyUntil = Math.max(this.#busyUntil, this.#clock.now() + this.#latency());
    this.#clock.after(this.#busyUntil - this.#clock.now(), () => this.#take(action));
  }
  hear(octets: Uint8Array): void {
    this.#handlers?.data(octets);
  }
  fail(): void {
    this.#isClosed = true;
    this.#handlers?.closed({ text: 'the peer closed the connection' });
  }
  #take(action: () => void): void {
    if (this.#isPaused) this.#held.push(action);
    else if (!this.#isClosed) action();
  }
}

interface Race {
  readonly delays: readonly number[];
  readonly starts: readonly [number, number];
  readonly identifiers: readonly [number, number];
  readonly delayOpen: readonly [number, number];
  readonly restart: boolean;
}

/** Both sides' flaps and states after a minute. */
function run({ delays, starts, identifiers, delayOpen, restart }: Race): readonly string[] {
  const clock = new StepClock();
  let drawn = 0;
  const latency = (): number => delays[drawn++ % delays.length]!;
  let jitter = 0;
  const sessions: Session[] = [];
  for (const side of [0, 1] as const) {
    const settings: LocalSettings = localSettings({
      bgpIdentifier: identifiers[side],
      holdSeconds: 9,
      delayOpenSeconds: delayOpen[side],
    });
    const transport: Transport = {
      connect: () => {
        const [ours, theirs] = [new End(clock, latency), new End(clock, latency)];
        ours.other = theirs;
        theirs.other = ours;
        theirs.arrive(() => sessions[1 - side]!.accept(theirs));
        // In order with what comes over it: TCP tells nobody of octets before it told of the connection.
        ours.arrive(() => ours.opened());
        return ours;
      },
      listen: () => Promise.reject(new Error('nobody listens here')),
    };
    const local = restart ? settings : withoutRestart(settings);
    const ports = { clock, random: () => (jitter = (jitter + 0.37) % 1), log: silentLogger, transport };
    const quiet = { up: () => undefined, down: () => undefined, update: () => undefined, refresh: () => undefined };
    sessions.push(
      new Session(
        { ports, target: () => ({ address: parseIpAddress('10.0.0.2'), port: 179 }), local: () => local },
        { ...quiet, writable: () => undefined },
      ),
    );
  }
  for (const side of [0, 1] as const) clock.after(starts[side], () => sessions[side]!.start());
  clock.runUntil(60_000);
  return sessions.map(({ state, flaps }) => `${state} after ${flaps} flaps`);
}

test('whoever dials first and however long each message takes, one session comes up and stays', () => {
  const latency = fc.integer({ min: 0, max: 40 });
  const race = fc.record<Race>({
    delays: fc.array(latency, { minLength: 1, maxLength: 40 }),
    starts: fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 60 })),
    identifiers: fc.constantFrom([1, 2], [2, 1]),
    delayOpen: fc.constantFrom([0, 0], [2, 2], [2, 4], [0, 2]),
    restart: fc.boolean(),
  });
  fc.assert(
    fc.property(race, (given) => {
      expect(run(given)).toEqual(['Established after 0 flaps', 'Established after 0 flaps']);
    }),
    { numRuns: 500 },
  );
});
