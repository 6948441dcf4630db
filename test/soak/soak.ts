/** Peers do by chance what peers do; now and then all stand still, and every table must be what it should. */
import { Random } from '../fuzz/random.ts';
import { PeerLab } from '../support/scripted-peer-lab.ts';
import type { SpeakerMemory } from '../support/speaker-process.ts';
import { Actor } from './actor.ts';
import type { Kill } from './actor.ts';
import { MemoryWatch } from './memory-watch.ts';
import type { SoakOptions } from './options.ts';
import { exported } from './reference.ts';
import type { Difference } from './tables.ts';
import { ExpectedTables, targetOf } from './tables.ts';
import { CLUSTER_ID, ipv6Addresses, LISTEN, labPeer, makePeers, makePrefixes } from './topology.ts';

export interface SoakReport {
  readonly events: number;
  /** In words; the first of each checkpoint. */
  readonly differences: readonly string[];
  readonly memory: MemoryWatch;
}

const CHECKPOINT_MS = 60_000;
/** So long without any progress is too long. */
const SETTLED_MS = 10_000;
const SAMPLE_MS = 5000;
const LOOK_AGAIN_MS = 250;
const SHOWN = 10;
/** So many of them with all that their peers did about them. */
const EXPLAINED = 3;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class Soak {
  readonly #options: SoakOptions;
  readonly #say: (line: string) => void;
  readonly #random: Random;
  readonly #prefixes: readonly string[];
  readonly #originated = new Set<string>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #differences: string[] = [];
  readonly #memory = new MemoryWatch();
  #lab!: PeerLab;
  #actors: readonly Actor[] = [];
  #events = 0;
  #sampledAt = 0;

  constructor(options: SoakOptions, say: (line: string) => void) {
    this.#options = options;
    this.#say = say;
    this.#random = new Random().reseed(options.seed, 0, 0);
    this.#prefixes = makePrefixes(options.prefixes);
  }

  async run(): Promise<SoakReport> {
    const peers = makePeers(this.#options.peers);
    this.#lab = await PeerLab.start({ clusterId: CLUSTER_ID, listen: LISTEN }, ipv6Addresses(peers));
    try {
      this.#actors = peers.map((peer, i) => {
        const random = new Random().reseed(this.#options.seed, 1, i);
        return new Actor(peer, this.#lab, random);
      });
      await this.#lab.setPeers(peers.map(labPeer));
      for (const actor of this.#actors) actor.announce(this.#prefixes.filter(() => this.#random.chance(50)));
      await Promise.all(this.#actors.map((actor) => actor.reconnect()));
      // The answer is large: the room that it takes belongs to the memory before.
      for (let times = 0; times < 3; times++) await this.#lab.tables();
      await this.#runFor(this.#options.minutes * 60_000);
      await this.#audit();
    } finally {
      await this.#lab.close();
    }
    return { events: this.#events, differences: this.#differences, memory: this.#memory };
  }

  async #runFor(ms: number): Promise<void> {
    const began = performance.now();
    const rounds = Math.max(3, Math.round(ms / CHECKPOINT_MS));
    for (let round = 1; round <= rounds && this.#agrees(); round++) {
      const until = began + (ms * round) / rounds;
      while (performance.now() < until && this.#differences.length === 0)
        await this.#turn((performance.now() - began) / ms);
      await this.#checkpoint();
      this.#say(this.#line(performance.now() - began, await this.#sample(round / rounds)));
    }
  }

  #agrees(): boolean {
    return this.#differences.length === 0;
  }

  async #sample(share: number): Promise<SpeakerMemory> {
    this.#sampledAt = performance.now();
    const memory = await this.#lab.memory();
    this.#memory.add(share, memory);
    return memory;
  }

  #line(ms: number, { rss, heap, buffers, attributeSets, prefixes }: SpeakerMemory): string {
    const expected = this.#expected();
    const sizes = `${expected.paths} paths, ${expected.best} best, ${attributeSets} attribute sets, ${prefixes} prefixes`;
    const memory = `RSS ${rss} MB (heap ${heap}, buffers ${buffers})`;
    const found = `${this.#differences.length} differences`;
    return `${(ms / 60_000).toFixed(1)} min: ${this.#events} events, ${sizes}, ${found}, ${memory}`;
  }

  /** `share`: how much of the time has passed. */
  async #turn(share: number): Promise<void> {
    for (const actor of this.#actors) actor.tick(performance.now());
    if (performance.now() - this.#sampledAt > SAMPLE_MS) await this.#sample(share);
    await pause(this.#random.below(10));
    this.#lookForSurprises();
    const free = this.#actors.filter((actor) => actor.isUp && !actor.isBusy);
    if (free.length === 0) return;
    this.#events++;
    this.#act(this.#random.pick(free), this.#random.below(1000));
  }

  #lookForSurprises(): void {
    for (const { surprise } of this.#actors) {
      if (surprise !== undefined && !this.#differences.includes(surprise)) this.#differences.push(surprise);
    }
  }

  /** What the peer does, in so many of 1000 cases. */
  #act(actor: Actor, chance: number): void {
    const random = this.#random;
    if (chance < 400) actor.announce(this.#some(1 + random.below(200)));
    else if (chance < 680) actor.withdraw(this.#some(1 + random.below(200)));
    else if (chance < 800) actor.announce(this.#someOf(actor, 1 + random.below(100)));
    else if (chance < 860) actor.repeat(this.#someOf(actor, 1 + random.below(100)));
    else if (chance < 880) this.#flapMany(actor);
    else if (chance < 900) this.#flapOne(actor);
    else if (chance < 920) actor.askRefresh(random.chance(60) ? 1 : 2);
    else if (chance < 930) actor.tellAnew(random.chance(60) ? 1 : 2);
    else if (chance < 945) this.#originate();
    else if (chance < 960) this.#start(actor, () => this.#readSlowly(actor));
    else if (chance < 970) this.#start(actor, () => this.#changeSettings(actor));
    else if (chance < 1000) this.#start(actor, () => this.#killAndReturn(actor));
  }

  /** Something that takes time; nothing else happens to the peer meanwhile. */
  #start(actor: Actor, work: () => Promise<void>): void {
    actor.isBusy = true;
    const task = work()
      .catch((error: unknown) => void this.#differences.push(error instanceof Error ? error.message : String(error)))
      .finally(() => {
        actor.isBusy = false;
        this.#tasks.delete(task);
      });
    this.#tasks.add(task);
  }

  #some(count: number): readonly string[] {
    const start = this.#random.below(this.#prefixes.length);
    return this.#prefixes.slice(start, start + count);
  }

  #someOf(actor: Actor, count: number): readonly string[] {
    return this.#some(count).filter((prefix) => actor.own.has(prefix));
  }

  #flapMany(actor: Actor): void {
    const prefixes = this.#some(Math.ceil(this.#prefixes.length / 5));
    actor.withdraw(prefixes);
    actor.announce(prefixes.filter(() => this.#random.chance(90)));
  }

  #flapOne(actor: Actor): void {
    const prefix = this.#random.pick(this.#prefixes);
    for (let times = 0; times < 300; times++) {
      actor.announce([prefix]);
      actor.withdraw([prefix]);
    }
    if (this.#random.chance(50)) actor.announce([prefix]);
  }

  async #readSlowly(actor: Actor): Promise<void> {
    actor.journal.note('reads nothing');
    actor.session?.pause();
    await pause(500 + this.#random.below(2500));
    actor.session?.resume();
    actor.journal.note('reads again');
  }

  #originate(): void {
    for (const prefix of this.#some(20)) {
      if (this.#random.chance(50)) this.#originated.add(prefix);
      else this.#originated.delete(prefix);
    }
    void this.#lab.speaker.tell({ do: 'setOriginated', prefixes: [...this.#originated] });
  }

  async #killAndReturn(actor: Actor): Promise<void> {
    const kill = this.#random.pick(KILLS);
    if (kill === 'takeover' && !actor.truth.keepsRoutesWhenLost) return;
    // What an RST overtakes is lost: so either nothing is on its way, or nothing of the peer survives.
    const mayLose = kill === 'RST' || kill === 'takeover';
    if (mayLose && actor.truth.keepsRoutesWhenLost && !(await this.#everythingIsRead(actor))) return;
    await actor.kill(kill);
    if (kill === 'takeover') return;
    await pause(this.#random.below(3000));
    if (this.#random.chance(10)) await actor.fallSilent();
    await actor.reconnect();
  }

  /** A setting of the peer; whether that costs the session is the speaker's affair. */
  async #changeSettings(actor: Actor): Promise<void> {
    if (!(await this.#everythingIsRead(actor))) return;
    const { settings, external, address } = actor.peer;
    if (this.#random.chance(30)) settings.restartSeconds = 200 + this.#random.below(100);
    else if (external) settings.nextHop = settings.nextHop === 'auto' ? 'keep' : 'auto';
    else settings.client = !settings.client;
    actor.journal.note(`is set to ${JSON.stringify(settings)}`);
    await this.#lab.setPeers(this.#actors.map(({ peer }) => labPeer(peer)));
    const states = (await this.#lab.speaker.tell({ do: 'states' })) as Readonly<Record<string, string>>;
    if (states[address] === 'Established') return;
    await actor.endedBySpeaker();
    await actor.reconnect();
  }

  /** False where nobody is there who would hear of it. */
  async #everythingIsRead(actor: Actor): Promise<boolean> {
    const path = { source: targetOf(actor.peer), attributes: { nextHop: Uint8Array.of(192, 0, 2, 9) } };
    const witness = this.#actors.find(
      (other) => other.isUp && !other.isBusy && exported(path, targetOf(other.peer), false) !== undefined,
    );
    if (witness === undefined) return false;
    witness.isBusy = true;
    try {
      await actor.everythingIsRead(witness);
    } finally {
      witness.isBusy = false;
    }
    return true;
  }

  /** All stand still, one perhaps away; then everything must agree before long. */
  async #checkpoint(): Promise<void> {
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
    for (const actor of this.#actors) actor.tick(Infinity);
    const away = this.#random.chance(40) ? this.#random.pick(this.#actors) : undefined;
    if (away?.isUp === true) await away.kill('FIN');
    const wrong = await this.#settled();
    this.#lookForSurprises();
    this.#differences.push(
      ...wrong.slice(0, SHOWN).map((each, i) => (i < EXPLAINED ? this.#explained(each) : each.text)),
    );
    if (wrong.length > SHOWN) this.#differences.push(`and ${wrong.length - SHOWN} more`);
    this.#differences.push(
      ...this.#actors.flatMap((actor) => actor.allFaults.map((text) => `sent by the speaker: ${text}`)),
    );
    if (this.#lab.stderr !== '') this.#differences.push(`the speaker said: ${this.#lab.stderr}`);
    if (away !== undefined) await away.reconnect();
  }

  #explained({ text, prefix, peer }: Difference): string {
    const actors = peer === undefined ? this.#actors : [this.#actors[peer]!];
    const stories = actors.flatMap((actor) => [`  ${actor.peer.address}:`, ...indented(actor.journal.story(prefix))]);
    return [text, ...stories].join('\n');
  }

  /** What is wrong when it no longer gets better. */
  async #settled(): Promise<readonly Difference[]> {
    const expected = this.#expected();
    let least = Infinity;
    let end = 0;
    for (;;) {
      const told = this.#actors.flatMap(({ peer, session }) =>
        session === undefined ? [] : expected.adjRibOut(peer.index, session.routes),
      );
      if (told.length < least) end = performance.now() + SETTLED_MS;
      least = Math.min(least, told.length);
      const isLast = performance.now() > end;
      // The speaker's own tables are large: asked for when there is hope, and at the end.
      const wrong = told.length === 0 || isLast ? [...expected.shown(await this.#lab.tables()), ...told] : told;
      if (wrong.length === 0 || isLast) return wrong;
      await pause(LOOK_AGAIN_MS);
    }
  }

  /** When all peers are gone, nobody holds a prefix or a set of attributes any more. */
  async #audit(): Promise<void> {
    await this.#lab.setPeers([]);
    await this.#lab.speaker.tell({ do: 'setOriginated', prefixes: [] });
    const end = performance.now() + SETTLED_MS;
    for (;;) {
      const { attributeSets, prefixes } = await this.#lab.memory();
      if (attributeSets + prefixes === 0) return;
      if (performance.now() > end) {
        const left = `${attributeSets} attribute sets and ${prefixes} prefixes`;
        this.#differences.push(`leak: ${left} are still held when all peers are gone`);
        return;
      }
      await pause(LOOK_AGAIN_MS);
    }
  }

  #expected(): ExpectedTables {
    return new ExpectedTables({ peers: this.#actors, originated: this.#originated });
  }
}

const indented = (lines: readonly string[]): readonly string[] => lines.map((line) => `    ${line}`);

const KILLS: readonly Kill[] = ['FIN', 'FIN', 'NOTIFICATION', 'RST', 'RST', 'takeover', 'takeover'];
