import type { Clock } from '../../src/runtime/clock.ts';
import type { Random } from '../../src/runtime/random.ts';
import type { BfdChange, BfdSessionSettings, BfdSessionView } from './contract.ts';
import type { Addressed, DiscardReason } from './demultiplex.ts';
import { nameOf } from './name.ts';
import type { Hops, Network, Path } from './network.ts';
import type { ControlPacket } from './packet.ts';
import { encodeControl } from './packet.ts';
import { detectionMs, dueAt, newSession, step, transmitIntervalMs } from './session.ts';
import type { Report, Session, SessionEvent, Timing } from './session.ts';

/** What an endpoint asks of the engine that owns it. */
export interface EndpointHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  changed(endpoint: Endpoint, change: BfdChange): void;
}

/** A peer may ask for an hour between packets. */
const LONGEST_FAREWELL_MS = 10_000;

/** Runs one session: performs what `step` says, and holds its timer, its path and its counters. */
export class Endpoint implements Addressed {
  readonly #host: EndpointHost;
  #settings: BfdSessionSettings;
  #session: Session;
  #path: Path | undefined;
  #sourcePort: number | undefined;
  #interfaceIndex = -1;
  #problem: string | undefined;
  #lastPacket: Uint8Array | undefined;
  #timer: { readonly at: number; readonly cancel: () => void } | undefined;
  #isClosed = false;
  #upSince: number | undefined;
  #flaps = 0;
  #lastDiagnostic: string | undefined;
  #received = 0;
  #sent = 0;
  readonly #dropped: Partial<Record<DiscardReason, number>> = {};

  constructor(settings: BfdSessionSettings, localDiscriminator: number, host: EndpointHost) {
    this.#settings = settings;
    this.#session = newSession(localDiscriminator, timingOf(settings));
    this.#host = host;
  }

  get localDiscriminator(): number {
    return this.#session.localDiscriminator;
  }

  get peer(): BfdSessionSettings['address'] {
    return this.#settings.address;
  }

  get hops(): Hops {
    return this.#settings.multihop === true ? 'multihop' : 'single hop';
  }

  get interfaceIndex(): number | undefined {
    return this.#settings.interface === undefined ? undefined : this.#interfaceIndex;
  }

  /** How long the peer may take to notice AdminDown; 0 where nobody is there. RFC 5880 §6.8.16. */
  get farewellMs(): number {
    const { remote, timing } = this.#session;
    return remote === undefined
      ? 0
      : Math.min(LONGEST_FAREWELL_MS, timing.multiplier * transmitIntervalMs(this.#session));
  }

  start(): void {
    this.#take({ type: 'due' }, this.#host.clock.now());
  }

  receive(packet: ControlPacket): void {
    // Its state is taken note of, and then it is discarded. RFC 5880 §6.8.6.
    if (this.#session.state === 'AdminDown') this.drop('the session is AdminDown');
    else this.#received++;
    this.#take({ type: 'received', packet }, this.#host.clock.now());
  }

  drop(reason: DiscardReason): void {
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + 1;
  }

  adjust(settings: BfdSessionSettings): void {
    const hasMoved = addressText(settings) !== addressText(this.#settings);
    this.#settings = settings;
    if (hasMoved) this.#closePath();
    const now = this.#host.clock.now();
    this.#take({ type: 'configured', timing: timingOf(settings) }, now);
    this.#take({ type: 'enabled' }, now);
  }

  disable(): void {
    this.#take({ type: 'disabled' }, this.#host.clock.now());
  }

  /** The last packet once more, in case it was lost. */
  repeat(): void {
    if (this.#lastPacket !== undefined) this.#send(this.#lastPacket);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#closePath();
  }

  view(): BfdSessionView {
    const session = this.#session;
    const { remote } = session;
    const silenceMs = detectionMs(session);
    return {
      ...nameOf(this.#settings),
      state: session.state,
      localDiscriminator: session.localDiscriminator,
      transmitMs: transmitIntervalMs(session),
      ...(remote !== undefined && { remoteState: remote.state, remoteDiscriminator: remote.discriminator }),
      ...(remote !== undefined && silenceMs !== undefined && { receiveMs: silenceMs / remote.multiplier }),
      ...(silenceMs !== undefined && { detectionMs: silenceMs }),
      ...(this.#upSince !== undefined && { upSince: this.#upSince }),
      flaps: this.#flaps,
      ...(this.#lastDiagnostic !== undefined && { lastDiagnostic: this.#lastDiagnostic }),
      ...(this.#problem !== undefined && { problem: this.#problem }),
      packets: { received: this.#received, sent: this.#sent, dropped: { ...this.#dropped } },
    };
  }

  #take(event: SessionEvent, now: number): void {
    const before = this.#session;
    const [session, effects] = step(before, event, { now, chance: this.#host.random() });
    this.#session = session;
    for (const effect of effects) {
      if (effect.do === 'report') this.#report(effect, before);
      else this.#send(encodeControl(effect.packet));
    }
    this.#schedule();
  }

  #report({ state, text, isPathFailure }: Report, before: Session): void {
    const wasUp = state === 'Down';
    this.#upSince = wasUp ? undefined : this.#host.clock.wallTime();
    if (wasUp) {
      this.#flaps++;
      this.#lastDiagnostic = text;
    }
    const isPeerIndependent = (this.#session.remote ?? before.remote)?.isIndependent ?? false;
    const change = { ...nameOf(this.#settings), state, diagnostic: text, wasUp, isPathFailure, isPeerIndependent };
    this.#host.changed(this, change);
  }

  #send(octets: Uint8Array): void {
    this.#lastPacket = octets;
    try {
      this.#openPath().send(octets);
      this.#sent++;
      this.#problem = undefined;
    } catch (error) {
      // The interface may be another one by now, or have another address: the next packet tries from scratch.
      this.#closePath();
      this.#sendFailed(error instanceof Error ? error.message : String(error));
    }
  }

  #openPath(): Path {
    if (this.#path !== undefined) return this.#path;
    const { address, localAddress, interface: link } = this.#settings;
    const target = { peer: address, hops: this.hops, localAddress, interface: link, sourcePort: this.#sourcePort };
    const path = this.#host.network.open(target);
    this.#path = path;
    this.#sourcePort = path.sourcePort;
    this.#interfaceIndex = path.interfaceIndex ?? -1;
    return path;
  }

  #closePath(): void {
    this.#path?.close();
    this.#path = undefined;
  }

  /** Told once, and only where it explains why the session does not come up: one that is Up has its Detection Time. */
  #sendFailed(problem: string): void {
    const isNews = this.#problem === undefined && this.#session.state !== 'Up';
    this.#problem = problem;
    if (!isNews || this.#session.state === 'AdminDown') return;
    const told = { diagnostic: problem, wasUp: false, isPathFailure: false, isPeerIndependent: false };
    this.#host.changed(this, { ...nameOf(this.#settings), state: 'Down', ...told });
  }

  /** A packet moves the deadline away; the timer that runs is left alone then, and looks again when it fires. */
  #schedule(): void {
    if (this.#isClosed) return;
    const at = dueAt(this.#session);
    if (this.#timer !== undefined && this.#timer.at <= at) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (at === Infinity) return;
    const waitMs = Math.max(0, at - this.#host.clock.now());
    this.#timer = { at, cancel: this.#host.clock.after(waitMs, () => this.#fired()) };
  }

  /** After a halt of the whole machine timers fire before what waits in the sockets is read: read it first, believe then. */
  #fired(): void {
    this.#timer = undefined;
    const now = this.#host.clock.now();
    this.#host.network.readWaiting();
    if (!this.#isClosed) this.#take({ type: 'due' }, now);
  }
}

const timingOf = ({ transmitMs, receiveMs, multiplier }: BfdSessionSettings): Timing => ({
  transmitMs,
  receiveMs,
  multiplier,
});

const addressText = ({ localAddress }: BfdSessionSettings): string => localAddress?.words.join('.') ?? '';
