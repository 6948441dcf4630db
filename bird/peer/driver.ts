import type { Clock } from '../../src/runtime/clock.ts';
import type { Random } from '../../src/runtime/random.ts';
import { encodeMessage, messageType, UPDATE_TYPE } from '../wire.ts';
import type { Open } from '../wire.ts';
import type { Direction } from './collision.ts';
import type { Evidence } from './evidence.ts';
import { encodeNotification, fault, PLAIN } from './fault.ts';
import { step } from './fsm.ts';
import { MessageReader } from './message-reader.ts';
import { localOpen } from './negotiate.ts';
import type { LocalSettings, Negotiated } from './negotiate.ts';
import { maxReceivedOctets, messageEvent } from './receive.ts';
import { Timers } from './timers.ts';
import type { Connection, ConnectionHandlers } from './transport.ts';
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

/** The same octets for every peer and every time. RFC 4271 §4.4. */
const KEEPALIVE = encodeMessage({ type: 'keepalive' }, PLAIN);

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
  #reader: MessageReader | undefined;
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
      hasBacklog: () => this.#reader?.hasBacklog === true,
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
    if (!this.#isRunning) this.#run();
  }

  #run(): void {
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
    const reader = this.#reader;
    if (held === undefined || reader === undefined) return;
    held.cancel();
    this.#heldOpen = undefined;
    this.#postOpen(held.open);
    reader.release();
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
    if ('session' in state && !('session' in before) && this.#reader !== undefined) {
      this.#reader.maxOctets = maxReceivedOctets(state.session);
    }
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
        this.write(KEEPALIVE);
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
    this.#hasSaidGoodbye = false;
    const reader = this.#readerOf(connection);
    this.#reader = reader;
    connection.attach(this.#handlersOf(connection, reader));
  }

  #hangUp(how: 'disconnect' | 'drop'): void {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#reader?.close();
    this.#reader = undefined;
    this.#heldOpen?.cancel();
    this.#heldOpen = undefined;
    if (connection === undefined) return;
    if (this.#hasSaidGoodbye && how === 'disconnect') this.#farewell = connection.end();
    else connection.destroy();
  }

  /** What an earlier connection still says is nobody's business. */
  #handlersOf(connection: Connection, reader: MessageReader): ConnectionHandlers {
    const ifCurrent = (action: () => void): void => {
      if (this.#connection === connection) this.guard(action);
    };
    return {
      opened: () =>
        ifCurrent(() => {
          this.#owner.evidence.connected(connection.localAddress);
          this.post({ type: 'Tcp_CR_Acked' });
        }),
      data: (octets) => ifCurrent(() => reader.push(octets)),
      progress: () => ifCurrent(() => this.#progressed()),
      closed: (reason) =>
        ifCurrent(() => {
          reader.drain();
          ifCurrent(() => this.post({ type: 'TcpConnectionFails', reason }));
        }),
    };
  }

  #readerOf(connection: Connection): MessageReader {
    return new MessageReader(connection, {
      clock: this.#owner.clock,
      message: (frame, readAt) => this.#read(frame, readAt),
      headerFault: (fault) => this.post({ type: 'BGPHeaderErr', fault }),
      guard: (action) => this.guard(action),
    });
  }

  #progressed(): void {
    const timer: Timer = 'SendHoldTimer';
    // RFC 9687: what the peer takes shows that it lives.
    if (this.#timers.isRunning(timer)) this.#timers.start(timer, this.#sendHoldSeconds, false);
    this.#owner.writable(this);
  }

  #read(frame: Uint8Array, readAt: number): void {
    const type = messageType(frame);
    this.#owner.evidence.received(type);
    if (type === UPDATE_TYPE && this.#state.name === 'Established' && !this.#isRunning) {
      this.#readUpdate(frame, readAt, this.#state.session);
      return;
    }
    const event = messageEvent(frame);
    if (event.type === 'BGPOpen') this.#readOpen(event.open);
    else this.post(event);
  }

  /**
   * What `step` says of an UPDATE in Established, a full table having hundreds of thousands of them: `fsm-update.test.ts`
   * holds the two together.
   */
  #readUpdate(frame: Uint8Array, readAt: number, { holdSeconds }: Negotiated): void {
    this.#isRunning = true;
    try {
      if (holdSeconds > 0) this.#timers.startHold(holdSeconds, readAt);
      this.#owner.perform(this, { do: 'deliverUpdate', frame });
    } catch (error) {
      this.#crash(error);
    }
    this.#run();
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
        this.#reader?.hold();
      }
    }
  }

  #postOpen(open: Open): void {
    const isEarly = this.#timers.isRunning('DelayOpenTimer');
    this.post({ type: isEarly ? 'BGPOpen_with_DelayOpenTimer_running' : 'BGPOpen', open });
  }
}
