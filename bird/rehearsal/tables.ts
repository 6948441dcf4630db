/** Tables that nobody asked for, taken in over sessions, selected, told and forgotten. */
import type { IpFamily } from '../../src/model/ip.ts';
import { UpdateWriter } from '../wire.ts';
import { LoopbackSpeaker, THEIR_ASN } from './loopback-speaker.ts';
import type { Caller, PlayPorts } from './loopback-speaker.ts';
import { announcement, withdrawal } from './messages.ts';
import type { Range } from './messages.ts';
import { PATIENCE_MS } from './sessions.ts';

/** In one act. */
export const PREFIXES = 6000;
/** As many as are written without a look at the clock. */
const AT_A_TIME = 250;
const SLICE_MS = 4;
/** Nothing more is told when nothing was for so long, twice. */
const LOOK_MS = 1;

const [FIRST, SECOND, LISTENER, OTHER_LISTENER] = [0, 1, 2, 3] as const;
const CALLERS = [FIRST, SECOND, LISTENER, OTHER_LISTENER];

/** Begins at once and calls `over`, however it went; answers how to end it before its time. */
export function playTables(ports: PlayPorts, over: () => void): () => void {
  // The first family once more: what was compiled for it alone, and for the only object of its kind, is compiled again by now.
  const families = [...ports.families, ...ports.families.slice(0, 1)];
  let play: TablePlay | undefined;
  const next = (): void => {
    const family = families.shift();
    if (family === undefined) {
      over();
      return;
    }
    play = new TablePlay({ ...ports, families: [family] }, family);
    void play.run().then((isEnded) => isEnded || next());
  };
  next();
  return () => play?.end();
}

/** Whoever waits for it is told that there is no more to be played. */
class Ended extends Error {}

/** Two peers that speak, and two that are told. */
class TablePlay {
  readonly #ports: PlayPorts;
  readonly #family: IpFamily;
  readonly #speaker: LoopbackSpeaker;
  readonly #ended = Promise.withResolvers<never>();
  readonly #cancelPatience: () => void;
  readonly #callers = new Map<number, Caller>();
  #cancelWait: () => void = () => undefined;
  #isEnded = false;
  #heard = 0;

  constructor(ports: PlayPorts, family: IpFamily) {
    this.#ports = ports;
    this.#family = family;
    this.#speaker = new LoopbackSpeaker(ports);
    this.#ended.promise.catch(() => undefined);
    this.#cancelPatience = ports.clock.after(PATIENCE_MS, () => this.#giveUp());
  }

  /** Resolves when it is over, however it went; true where it was ended. */
  async run(): Promise<boolean> {
    try {
      await Promise.race([this.#acts(), this.#ended.promise]);
    } catch {
      // It only takes longer without.
    }
    this.#giveUp();
    await this.#speaker.close().catch(() => undefined);
    return this.#isEnded;
  }

  end(): void {
    this.#isEnded = true;
    this.#giveUp();
  }

  #giveUp(): void {
    this.#cancelPatience();
    this.#cancelWait();
    this.#ended.reject(new Ended());
  }

  /** Paths that are new, contested, replaced and withdrawn; and a peer that is lost with its routes, and comes back. */
  async #acts(): Promise<void> {
    await this.#speaker.start(CALLERS.length);
    for (const caller of CALLERS) this.#call(caller);
    await this.#quiet();
    await this.#tell(FIRST, 0);
    await this.#tell(SECOND, 1, PREFIXES / 2);
    await this.#tell(FIRST, 2);
    await this.#withdraw(FIRST, PREFIXES / 2);
    await this.#lose(FIRST, 'sayGoodbye');
    this.#call(FIRST);
    await this.#quiet();
    await this.#tell(FIRST, 0);
    await this.#lose(SECOND, 'hangUp');
    await this.#lose(FIRST, 'sayGoodbye');
  }

  #call(caller: number): void {
    const lost = (): void => this.#giveUp();
    this.#callers.set(caller, this.#speaker.call(caller, { heard: () => this.#heard++, lost }));
  }

  async #lose(caller: number, how: 'hangUp' | 'sayGoodbye'): Promise<void> {
    this.#speaker[how](this.#callers.get(caller)!);
    await this.#quiet();
  }

  async #tell(caller: number, edition: number, first = 0): Promise<void> {
    const told = { family: this.#family, asn: THEIR_ASN + caller, edition };
    await this.#say(caller, { first, end: first + PREFIXES }, (writer, some) => announcement(writer, told, some));
  }

  async #withdraw(caller: number, end: number): Promise<void> {
    await this.#say(caller, { first: 0, end }, (writer, some) => withdrawal(writer, this.#family, some));
  }

  async #say(caller: number, { first, end }: Range, write: (writer: UpdateWriter, some: Range) => void): Promise<void> {
    const { clock } = this.#ports;
    const writer = new UpdateWriter();
    let sliceEnd = clock.now() + SLICE_MS;
    for (let i = first; i < end; i += AT_A_TIME) {
      write(writer, { first: i, end: Math.min(end, i + AT_A_TIME) });
      if (clock.now() < sliceEnd) continue;
      await this.#after(0);
      sliceEnd = clock.now() + SLICE_MS;
    }
    this.#callers.get(caller)!.connection.write(writer.take());
    await this.#quiet();
  }

  async #quiet(): Promise<void> {
    for (let [quiet, before] = [0, -1]; quiet < 2; before = this.#heard) {
      await this.#after(LOOK_MS);
      quiet = this.#heard === before ? quiet + 1 : 0;
    }
  }

  #after(ms: number): Promise<void> {
    return new Promise((resolve) => (this.#cancelWait = this.#ports.clock.after(ms, resolve)));
  }
}
