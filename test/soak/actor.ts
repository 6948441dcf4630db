/** One peer of the soak: its own table, its session, and the truth that follows from what it does. */
import type { Capability, Family, GracefulRestart, PathAttributes } from '../../bird/bgp-ts/index.ts';
import { IPV4_UNICAST, IPV6_UNICAST } from '../../bird/bgp-ts/index.ts';
import type { Random } from '../fuzz/random.ts';
import type { PeerLab } from '../support/scripted-peer-lab.ts';
import type { ScriptedPeer } from '../support/scripted-peer.ts';
import { multiprotocol, openOf } from '../support/scripted-peer-script.ts';
import { Journal } from './journal.ts';
import { AttributeSets, isIpv6 } from './sets.ts';
import type { SoakPeer } from './topology.ts';
import { markerOf } from './topology.ts';
import type { Afi } from './truth.ts';
import { PeerTruth } from './truth.ts';

/** How a session ends. `takeover`: the peer connects anew while the old session stands, as after a crash. */
export type Kill = 'FIN' | 'NOTIFICATION' | 'RST' | 'silence' | 'takeover';

/** No peer is kept from the processor for so long. */
const USUAL_HOLD = 60;
/** Short enough to wait for: only of who is about to fall silent, for on a busy machine anybody may be late by this much. */
const SILENT_HOLD = 6;
const CONNECT_TRIES = 100;
const RETRY_MS = 100;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class Actor {
  readonly peer: SoakPeer;
  readonly truth = new PeerTruth();
  readonly journal = new Journal();
  /** What it announces, whether its session is up or not. */
  readonly own = new Map<string, PathAttributes>();
  /** While something is under way that must not be mixed with anything else. */
  isBusy = false;
  readonly #lab: PeerLab;
  readonly #random: Random;
  readonly #sets: AttributeSets;
  #session: ScriptedPeer | undefined;
  /** When End-of-RIB of a family is due that was not said in this session. */
  readonly #endOfRibAt = new Map<Afi, number>();
  #marks = 0;
  readonly #faults: string[] = [];

  constructor(peer: SoakPeer, lab: PeerLab, random: Random) {
    this.peer = peer;
    this.#lab = lab;
    this.#random = random;
    this.#sets = new AttributeSets(random, peer);
  }

  get session(): ScriptedPeer | undefined {
    return this.#session;
  }

  get isUp(): boolean {
    return this.#session?.end === undefined && this.#session !== undefined;
  }

  /** What ended the session that nobody here ended; undefined where it stands, or somebody did. */
  get surprise(): string | undefined {
    const session = this.#session;
    if (this.isBusy || session?.end === undefined) return undefined;
    const said = session.notifications.map(({ code, subcode }) => `NOTIFICATION ${code}/${subcode}`).join(', ');
    return `the session with ${this.peer.address} ended by itself: ${session.end} ${said}`;
  }

  /** What the speaker sent in all sessions and the codec did not like. */
  get allFaults(): readonly string[] {
    return [...this.#faults, ...(this.#session?.faults ?? [])];
  }

  /** Announces each with a set by chance; those that are there get another, mostly. */
  announce(prefixes: readonly string[]): void {
    const bySet = Map.groupBy(prefixes, (prefix) => this.#sets.pick(prefix));
    for (const [attributes, group] of bySet) this.#announce(attributes, group);
  }

  withdraw(prefixes: readonly string[]): void {
    for (const prefix of prefixes) this.own.delete(prefix);
    if (!this.isUp) return;
    const carried = prefixes.filter((prefix) => this.truth.carries(prefix));
    this.#session?.withdraw(carried);
    this.journal.note('withdraws', carried);
    for (const prefix of carried) this.truth.withdraw(prefix);
  }

  /** The same again, which changes nothing but staleness. */
  repeat(prefixes: readonly string[]): void {
    const bySet = Map.groupBy(prefixes, (prefix) => this.own.get(prefix)!);
    for (const [attributes, group] of bySet) this.#announce(attributes, group);
  }

  /** Asks for everything of a family, having forgotten it: what comes must be complete. RFC 2918. */
  askRefresh(afi: Afi): void {
    if (!this.isUp || this.#session?.theirOpen === undefined) return;
    const family = familyOf(afi);
    this.#session.forgetRoutes(afi);
    this.#session.send({ type: 'route-refresh', family, subtype: 'request' });
    this.journal.note('has forgotten everything, and asks for a refresh', afi);
  }

  /** Tells a family anew between BoRR and EoRR, some of it no longer. RFC 7313 §4; now and then too early for it. */
  tellAnew(afi: Afi): void {
    const session = this.#session;
    if (session?.theirOpen === undefined || !this.isUp || !bothEnhanced(session)) return;
    const family = familyOf(afi);
    session.send({ type: 'route-refresh', family, subtype: 'begin' });
    this.journal.note('BoRR', afi);
    const all = [...this.own.keys()].filter((prefix) => isIpv6(prefix) === (afi === 2));
    const left = all.filter((prefix) => !this.#random.chance(5) || !this.own.delete(prefix));
    this.repeat(left);
    session.send({ type: 'route-refresh', family, subtype: 'end' });
    this.journal.note('EoRR', afi);
    this.truth.refreshed(afi, new Set(left));
  }

  /** End-of-RIB where its time has come. Not while the session may be ending: an RST would overtake it. */
  tick(now: number): void {
    if (!this.isBusy) this.#sayEndOfRib(now);
  }

  #sayEndOfRib(now: number): void {
    if (!this.isUp) return;
    for (const [afi, at] of this.#endOfRibAt) {
      if (now < at) continue;
      this.#endOfRibAt.delete(afi);
      this.#session?.sendEndOfRib(familyOf(afi));
      this.truth.endOfRib(afi);
      this.journal.note('End-of-RIB', afi);
    }
  }

  /** Resolves when `witness`, which must be told what this peer says, has heard of it: then all before has been read. */
  async everythingIsRead(witness: Actor): Promise<void> {
    const marker = markerOf(this.peer);
    const mark = 0xfde8_0000 + ++this.#marks;
    this.#announce({ ...MARKER_SET, ...(!this.peer.external && { localPref: 100 }), communities: [mark] }, [marker]);
    const { session } = witness;
    await session?.until(
      () => session.routes.get(marker)?.communities?.[0] === mark,
      `the marker of ${this.peer.address}`,
    );
  }

  /** Until the session has ended and the truth says what is left of the routes. */
  async kill(kill: Kill): Promise<void> {
    const session = this.#session!;
    this.journal.note(`ends the session: ${kill}`);
    if (kill === 'FIN') session.halfClose();
    if (kill === 'NOTIFICATION') {
      session.send({ type: 'notification', code: 6, subcode: 4, data: new Uint8Array() });
      session.stopKeepalives();
    }
    if (kill === 'RST') session.reset();
    if (kill === 'silence') session.stopKeepalives();
    if (kill === 'takeover') await this.#connect(USUAL_HOLD);
    await session.until(() => session.end !== undefined, `the end of a session by ${kill}`, 30_000);
    if (kill === 'takeover') return;
    this.#lost(session, kill === 'NOTIFICATION' || kill === 'silence' ? 'NOTIFICATION or silence' : 'connection');
  }

  /** The speaker ended the session because its settings changed. */
  async endedBySpeaker(): Promise<void> {
    const session = this.#session!;
    await session.until(() => session.end !== undefined, 'the end of the session after a change of settings');
    this.#lost(session, session.notifications.length > 0 ? 'removed' : 'speaker');
  }

  /** Up again, with everything of its own but what it lost on the way. */
  async reconnect(): Promise<void> {
    await this.#connect(USUAL_HOLD);
  }

  /** Up, perhaps with all told, and not heard of again until the hold time is over. */
  async fallSilent(): Promise<void> {
    await this.#connect(SILENT_HOLD);
    if (this.#random.chance(50)) this.#sayEndOfRib(Infinity);
    await this.kill('silence');
  }

  async #connect(holdSeconds: number): Promise<void> {
    const before = this.#session;
    const isTakeover = before !== undefined && before.end === undefined;
    const random = this.#random;
    const { asn, address, bgpIdentifier, speaker } = this.peer;
    const restart = isTakeover || random.chance(70) ? this.#restart() : undefined;
    const script = {
      asn,
      address,
      bgpIdentifier,
      speaker,
      holdSeconds,
      capabilities: capabilities(asn, { restart, onlyIpv4: random.chance(8), enhanced: random.chance(50) }),
    };
    const session = await this.#established(script);
    if (isTakeover) this.#lost(before, 'connection');
    this.#session = session;
    this.truth.up(openOf(session.script), session.theirOpen!);
    this.journal.note(`is up: ${textOf(script.capabilities)}`);
    session.onMessage = (message) => {
      if (message.type !== 'route-refresh' || message.subtype !== 'request') return;
      this.journal.note('is asked for a refresh', message.family.afi as Afi);
      this.repeat([...this.own.keys()]);
    };
    this.#tellAll();
    for (const afi of [1, 2] as const) this.#endOfRibAt.set(afi, performance.now() + random.below(1500));
    if (random.chance(20)) this.tellAnew(random.pick([1, 2] as const));
  }

  async #established(script: Parameters<PeerLab['connect']>[0]): Promise<ScriptedPeer> {
    for (let tries = 1; ; tries++) {
      const session = await this.#lab.connect(script);
      try {
        return await session.establish();
      } catch (error) {
        // Refused while the speaker waits after an error.
        if (session.end === undefined || tries === CONNECT_TRIES) throw error;
        await pause(RETRY_MS);
      }
    }
  }

  #restart(): GracefulRestart {
    const random = this.#random;
    const all = [IPV4_UNICAST, IPV6_UNICAST].map((family) => ({ family, forwardingPreserved: !random.chance(15) }));
    const families = random.chance(15) ? all.slice(0, 1) : all;
    return { restarting: random.chance(50), notification: random.chance(20), restartSeconds: 300, families };
  }

  /** Most as it was, some changed, some gone. */
  #tellAll(): void {
    const kept = [...this.own.keys()].filter((prefix) => {
      const fate = this.#random.below(100);
      if (fate < 4) this.own.delete(prefix);
      else if (fate < 8) this.own.set(prefix, this.#sets.pick(prefix));
      return fate >= 4;
    });
    this.repeat(kept);
  }

  #announce(attributes: PathAttributes, prefixes: readonly string[]): void {
    for (const prefix of prefixes) this.own.set(prefix, attributes);
    if (!this.isUp) return;
    const carried = prefixes.filter((prefix) => this.truth.carries(prefix));
    this.#session?.announce(attributes, carried);
    this.journal.note('announces', carried, attributes);
    for (const prefix of carried) this.truth.announce(prefix, attributes);
  }

  #lost(session: ScriptedPeer, loss: Parameters<PeerTruth['lost']>[0]): void {
    this.#faults.push(...session.faults);
    if (session === this.#session) this.#session = undefined;
    this.#endOfRibAt.clear();
    this.truth.lost(loss);
    this.journal.note(`has lost the session: ${loss}`);
  }
}

const familyOf = (afi: Afi): Family => (afi === 1 ? IPV4_UNICAST : IPV6_UNICAST);

const bothEnhanced = ({ script, theirOpen }: ScriptedPeer): boolean =>
  [script, theirOpen].every(
    (side) => side?.capabilities?.some(({ name }) => name === 'enhanced-route-refresh') === true,
  );

/** Nothing keeps it back. */
const MARKER_SET: PathAttributes = {
  origin: 'igp',
  asPath: [{ type: 'sequence', asns: [65001] }],
  nextHop: Uint8Array.of(192, 0, 2, 9),
};

function capabilities(
  asn: number,
  choice: { readonly restart: GracefulRestart | undefined; readonly onlyIpv4: boolean; readonly enhanced: boolean },
): readonly Capability[] {
  const { restart, onlyIpv4, enhanced } = choice;
  return [
    multiprotocol(IPV4_UNICAST),
    ...(onlyIpv4 ? [] : [multiprotocol(IPV6_UNICAST)]),
    { name: 'route-refresh' },
    ...(enhanced ? [{ name: 'enhanced-route-refresh' } as const] : []),
    { name: 'four-octet-as', asn },
    ...(restart === undefined ? [] : [{ name: 'graceful-restart', ...restart } as const]),
  ];
}

function textOf(capabilities: readonly Capability[]): string {
  const words = capabilities.map((each) => {
    if (each.name === 'multiprotocol') return `IPv${each.family.afi === 1 ? 4 : 6}`;
    if (each.name !== 'graceful-restart') return each.name;
    const forwarding = each.families.map(({ family, forwardingPreserved: f }) => `${family.afi}/${f ? 'F' : '-'}`);
    const bits = `${each.restarting ? 'R' : '-'}${each.notification ? 'N' : '-'}`;
    return `graceful-restart ${bits} ${forwarding.join(' ')}`;
  });
  return words.join(', ');
}
