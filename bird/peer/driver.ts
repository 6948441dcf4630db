import type { Clock } from '../../src/runtime/clock.ts';
import type { Random } from '../../src/runtime/random.ts';
import { BgpError, encodeMessage, Framer, MAX_OCTETS, messageType } from '../wire.ts';
import type { Open } from '../wire.ts';
import type { Direction } from './collision.ts';
import type { Evidence } from './evidence.ts';
import { encodeNotification, fault, PLAIN } from './fault.ts';
import { step } from './fsm.ts';
import { localOpen } from './negotiate.ts';
import type { LocalSettings } from './negotiate.ts';
import { maxReceivedOctets, messageEvent } from './receive.ts';
import { Timers } from './timers.ts';
import type { CloseReason, Connection, ConnectionHandlers } from './transport.ts';
import type { Effect, Event, State, Timer } from './vocabulary.ts';

/** What a driver asks of the session that owns it. */
export interface DriverOwner {
  readonly clock: Clock;
  readonly random: Random;
  readonly evidence: Evidence;
  local(): LocalSettings;
  dial(): Connection;
  /** Whether the connection that this OPEN came over must give way to another. RFC 4271 §6.8. */
  admitOpen(driver: Driver, open: Open): 'admit' | 'dump' | 'wait';
  /** Effects that concern more than this connection. */
  perform(driver: Driver, effect: SessionEffect): void;
  /** The network took something: there may be room for more. */
  writable(driver: Driver): void;
  /** Called too where the name stays and what is behind it does not. */
  stateChanged(driver: Driver): void;
  /** Something was thrown: a bug. The driver ends its connection itself. */
  crashed(error: unknown): void;
}

export type SessionEffect = Extract<
  Effect,
  { readonly do: 'report' | 'sessionUp' | 'sessionDown' | 'deliverUpdate' | 'deliverRefresh' }
>;

/** A loop turn must not be longer, or keepalives of other sessions wait. */
const SLICE_MS = 5;
const FRAMES_BETWEEN_LOOKS = 16;
/** How long an OPEN waits for one over the connection that is to survive: a peer speaks over both at once, or not at all. */
const COLLISION_WAIT_MS = 1000;

/**
 * Runs one state machine: takes an event from the queue, steps, performs the effects in order. An effect that makes an
 * event appends it and never re-enters `step`. Holds the timers and the connection of that machine. Whatever is thrown
 * on the way ends this connection, as AutomaticStop does, and goes no further.
 */
export class Driver {
  readonly #owner: DriverOwner;
  readonly #queue: Event[] = [];
  readonly #timers: Timers;
  #state: State;
  #isRunning = false;
  #connection: Connection | undefined;
  #direction: Direction = 'outgoing';
  /** What our last OPEN was made of. */
  #said: LocalSettings | undefined;
  #sentOpen: Open | undefined;
  #receivedOpen: Open | undefined;
  #framer = new Framer(MAX_OCTETS);
  /** Whole messages wait in the framer for the next slice. */
  #hasBacklog = false;
  /** It waits for what comes over another connection; nothing behind it is read meanwhile. */
  #heldOpen: { readonly open: Open; readonly cancel: () => void } | undefined;
  #hasSaidGoodbye = false;
  #sendHoldSeconds = 0;
  #farewell: Promise<void> = Promise.resolve();

  constructor(owner: DriverOwner, connectRetryCounter: number) {
    this.#owner = owner;
    this.#state = { name: 'Idle', connectRetryCounter, isHeld: false };
    this.#timers = new Timers({
      clock: owner.clock,
      random: owner.random,
      expired: (timer) => this.post({ type: `${timer}_Expires` }),
      hasBacklog: () => this.#hasBacklog,
    });
  }

  get state(): State {
    return this.#state;
  }

  get direction(): Direction {
    return this.#direction;
  }

  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** Those of the connection that stands, or of the last one. */
  get opens(): { readonly sent: Open | undefined; readonly received: Open | undefined } {
    return { sent: this.#sentOpen, received: this.#receivedOpen };
  }

  /** Resolves when the last NOTIFICATION is on its way. */
  get farewell(): Promise<void> {
    return this.#farewell;
  }

  post(event: Event): void {
    this.#queue.push(event);
    if (this.#isRunning) return;
    this.#isRunning = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      try {
        this.#take(next);
      } catch (error) {
        this.#crash(error);
      }
    }
    this.#isRunning = false;
  }

  /** Does what belongs to this connection; if it throws, the connection ends. */
  guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#crash(error);
    }
  }

  /** A connection that the peer made. The machine must be in Active. */
  adopt(connection: Connection): void {
    this.#direction = 'incoming';
    this.#use(connection);
    this.#owner.evidence.connected(connection.localAddress);
    this.post({ type: 'TcpConnectionConfirmed' });
  }

  /** A second machine starts where a waiting first one would stand. */
  waitForPeer(): void {
    const { connectRetryCounter } = this.#state;
    this.#state = { name: 'Active', connectRetryCounter, isDelayingOpen: false };
  }

  /** The other connection is gone, or was waited for long enough: an OPEN that was held is taken. */
  release(): void {
    const held = this.#heldOpen;
    const connection = this.#connection;
    if (held === undefined || connection === undefined) return;
    held.cancel();
    this.#heldOpen = undefined;
    this.#postOpen(held.open);
    this.#goOn(connection);
  }

  /** Whole messages. */
  write(octets: Uint8Array): void {
    if (this.#connection === undefined) return;
    this.#owner.evidence.sent(octets);
    this.#connection.write(octets);
  }

  /** Ends all that could still come from this driver; the connection is dropped without a word. */
  discard(): void {
    this.#timers.stopAll();
    this.#hangUp('disconnect');
  }

  #take(event: Event): void {
    const before = this.#state;
    const [state, effects] = step(before, event, this.#localFor(before));
    this.#state = state;
    if ('session' in state && !('session' in before)) this.#framer.maxOctets = maxReceivedOctets(state.session);
    for (const effect of effects) {
      // Each for itself: what one leaves undone must not keep the connection open or a timer running.
      try {
        this.#perform(effect);
      } catch (error) {
        this.#crash(error);
      }
    }
    if (before !== state) this.#owner.stateChanged(this);
  }

  /** Idle ignores the event, so that an end which fails itself ends there. */
  #crash(error: unknown): void {
    this.#owner.crashed(error);
    const text = `internal error: ${error instanceof Error ? error.message : String(error)}`;
    this.post({ type: 'AutomaticStop', farewell: fault('outOfResources', text) });
  }

  /** The peer's OPEN is judged by what ours said, also where the settings have changed since. */
  #localFor({ name }: State): LocalSettings {
    return (name === 'OpenSent' ? this.#said : undefined) ?? this.#owner.local();
  }

  #perform(effect: Effect): void {
    switch (effect.do) {
      case 'connect':
        this.#owner.evidence.dialled();
        this.#direction = 'outgoing';
        this.#use(this.#owner.dial());
        return;
      case 'disconnect':
      case 'drop':
        this.#hangUp(effect.do);
        return;
      case 'sendOpen':
        this.#said = this.#owner.local();
        this.#sentOpen = localOpen(this.#said);
        this.write(encodeMessage(this.#sentOpen, PLAIN));
        return;
      case 'sendKeepalive':
        this.write(encodeMessage({ type: 'keepalive' }, PLAIN));
        return;
      case 'sendNotification':
        this.write(encodeNotification(effect.fault));
        this.#hasSaidGoodbye = true;
        return;
      case 'startTimer':
        if (effect.timer === 'SendHoldTimer') this.#sendHoldSeconds = effect.seconds;
        this.#timers.start(effect.timer, effect.seconds, effect.jitter);
        return;
      case 'stopTimer':
        this.#timers.stop(effect.timer);
        return;
      default:
        this.#owner.perform(this, effect);
    }
  }

  #use(connection: Connection): void {
    this.#connection = connection;
    this.#sentOpen = undefined;
    this.#receivedOpen = undefined;
    this.#framer = new Framer(MAX_OCTETS);
    this.#hasBacklog = false;
    this.#hasSaidGoodbye = false;
    connection.attach(this.#handlersOf(connection));
  }

  #hangUp(how: 'disconnect' | 'drop'): void {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#hasBacklog = false;
    this.#heldOpen?.cancel();
    this.#heldOpen = undefined;
    if (connection === undefined) return;
    if (this.#hasSaidGoodbye && how === 'disconnect') this.#farewell = connection.end();
    else connection.destroy();
  }

  /** What an earlier connection still says is nobody's business. */
  #handlersOf(connection: Connection): ConnectionHandlers {
    const ifCurrent = (action: () => void): void => {
      if (this.#connection === connection) this.guard(action);
    };
    return {
      opened: () =>
        ifCurrent(() => {
          this.#owner.evidence.connected(connection.localAddress);
          this.post({ type: 'Tcp_CR_Acked' });
        }),
      data: (octets) =>
        ifCurrent(() => {
          this.#framer.push(octets);
          this.#readSlice(connection);
        }),
      progress: () => ifCurrent(() => this.#progressed()),
      closed: (reason) => ifCurrent(() => this.#closed(connection, reason)),
    };
  }

  #progressed(): void {
    const timer: Timer = 'SendHoldTimer';
    // RFC 9687: what the peer takes shows that it lives.
    if (this.#timers.isRunning(timer)) this.#timers.start(timer, this.#sendHoldSeconds, false);
    this.#owner.writable(this);
  }

  /** What came before the end still counts: a NOTIFICATION, or the last UPDATEs before a restart. */
  #closed(connection: Connection, reason: CloseReason): void {
    while (this.#hasBacklog && this.#connection === connection) this.#readSlice(connection);
    if (this.#connection !== connection) return;
    this.post({ type: 'TcpConnectionFails', reason });
  }

  /** Takes messages until none is whole, or the slice is used up; then the rest waits for the next turn. */
  #readSlice(connection: Connection): void {
    const { clock } = this.#owner;
    const end = clock.now() + SLICE_MS;
    this.#hasBacklog = true;
    for (let frames = 1; this.#connection === connection; frames++) {
      if (this.#heldOpen !== undefined || !this.#readOne()) {
        this.#hasBacklog = false;
        return;
      }
      if (frames % FRAMES_BETWEEN_LOOKS === 0 && clock.now() >= end) {
        this.#continueLater(connection);
        return;
      }
    }
  }

  #continueLater(connection: Connection): void {
    connection.pause();
    this.#owner.clock.after(0, () => this.#goOn(connection));
  }

  #goOn(connection: Connection): void {
    if (this.#connection !== connection) return;
    this.guard(() => this.#readSlice(connection));
    if (this.#connection === connection && !this.#hasBacklog && this.#heldOpen === undefined) connection.resume();
  }

  /** False where no whole message is there. */
  #readOne(): boolean {
    const frame = this.#nextFrame();
    if (frame === undefined) return false;
    this.#owner.evidence.received(messageType(frame));
    const event = messageEvent(frame);
    if (event.type === 'BGPOpen') this.#readOpen(event.open);
    else this.post(event);
    return true;
  }

  #nextFrame(): Uint8Array | undefined {
    try {
      return this.#framer.next();
    } catch (error) {
      if (!(error instanceof BgpError)) throw error;
      const { text, code, data } = error;
      this.post({ type: 'BGPHeaderErr', fault: { text, code, data } });
      return undefined;
    }
  }

  #readOpen(open: Open): void {
    const { name } = this.#state;
    this.#receivedOpen ??= open;
    const isDue = name === 'OpenSent' || name === 'Connect' || name === 'Active';
    switch (isDue ? this.#owner.admitOpen(this, open) : 'admit') {
      case 'admit':
        this.#postOpen(open);
        return;
      case 'dump':
        this.post({ type: 'OpenCollisionDump' });
        return;
      case 'wait': {
        const cancel = this.#owner.clock.after(COLLISION_WAIT_MS, () => this.release());
        this.#heldOpen = { open, cancel };
        this.#connection?.pause();
      }
    }
  }

  #postOpen(open: Open): void {
    const isEarly = this.#timers.isRunning('DelayOpenTimer');
    this.post({ type: isEarly ? 'BGPOpen_with_DelayOpenTimer_running' : 'BGPOpen', open });
  }
}
