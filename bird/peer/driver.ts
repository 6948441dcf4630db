import type { Clock } from '../../src/runtime/clock.ts';
import type { Random } from '../../src/runtime/random.ts';
import {
  decodeMessage,
  encodeMessage,
  EXTENDED_MAX_OCTETS,
  Framer,
  MAX_OCTETS,
  messageType,
  NOTIFICATION_TYPE,
  UPDATE_TYPE,
} from '../wire.ts';
import type { CodecContext, Fault, Message, Open } from '../wire.ts';
import type { Direction } from './collision.ts';
import { notificationText } from './fault.ts';
import { step } from './fsm.ts';
import type { Effect, Event, State, Timer } from './fsm.ts';
import { localOpen } from './negotiate.ts';
import type { LocalSettings } from './negotiate.ts';
import type { CloseReason, Connection, ConnectionHandlers } from './transport.ts';

/** What a driver asks of the session that owns it. */
export interface DriverOwner {
  readonly clock: Clock;
  readonly random: Random;
  local(): LocalSettings;
  dial(): Connection;
  /** False: the connection that this OPEN came over must give way. RFC 4271 §6.8. */
  admitOpen(driver: Driver, open: Open): boolean;
  /** Effects that concern more than this connection. */
  perform(driver: Driver, effect: SessionEffect): void;
  /** The network took something: there may be room for more. */
  writable(driver: Driver): void;
  stateChanged(driver: Driver): void;
}

export type SessionEffect = Extract<
  Effect,
  { readonly do: 'report' | 'sessionUp' | 'sessionDown' | 'deliverUpdate' | 'deliverRefresh' }
>;

/** A loop turn must not be longer, or keepalives of other sessions wait. */
const SLICE_MS = 5;
const FRAMES_BETWEEN_LOOKS = 16;
/** RFC 4271 §10: 75 to 100 percent. */
const MIN_JITTER = 0.75;

/** What both sides know before an OPEN: nothing. */
const PLAIN: CodecContext = {
  fourOctetAs: true,
  addPath: new Set(),
  extendedNextHop: new Set(),
  extendedMessage: false,
  external: true,
};

interface ArmedTimer {
  deadline: number;
  readonly firesAt: number;
  readonly cancel: () => void;
}

/**
 * Runs one state machine: takes an event from the queue, steps, performs the effects in order. An effect that makes an
 * event appends it and never re-enters `step`. Holds the timers and the connection of that machine.
 */
export class Driver {
  readonly #owner: DriverOwner;
  readonly #queue: Event[] = [];
  readonly #timers = new Map<Timer, ArmedTimer>();
  #state: State;
  #isRunning = false;
  #connection: Connection | undefined;
  /** What our last OPEN said. */
  #said: LocalSettings | undefined;
  #direction: Direction = 'outgoing';
  #framer = new Framer(MAX_OCTETS);
  /** Whole messages wait in the framer for the next slice. */
  #hasBacklog = false;
  #hasSaidGoodbye = false;
  #sendHoldSeconds = 0;
  #farewell: Promise<void> = Promise.resolve();

  constructor(owner: DriverOwner, failures: number) {
    this.#owner = owner;
    this.#state = { name: 'Idle', failures };
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

  /** Resolves when the last NOTIFICATION is on its way. */
  get farewell(): Promise<void> {
    return this.#farewell;
  }

  post(event: Event): void {
    this.#queue.push(event);
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#take(next);
    } finally {
      this.#isRunning = false;
    }
  }

  /** A connection that the peer made. The machine must be in Active. */
  adopt(connection: Connection): void {
    this.#direction = 'incoming';
    this.#use(connection);
    this.post({ type: 'TcpConnectionConfirmed' });
  }

  /** A second machine starts where a waiting first one would stand. */
  waitForPeer(): void {
    this.#state = { name: 'Active', failures: this.#state.failures };
  }

  write(octets: Uint8Array): void {
    this.#connection?.write(octets);
  }

  /** Ends all that could still come from this driver; the connection is dropped without a word. */
  discard(): void {
    for (const timer of [...this.#timers.keys()]) this.#stopTimer(timer);
    this.#disconnect();
  }

  #take(event: Event): void {
    const before = this.#state;
    const [state, effects] = step(before, event, this.#localFor(before));
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
    if (before.name !== state.name) this.#owner.stateChanged(this);
  }

  /** The peer's OPEN is judged by what ours said, also where the settings have changed since. */
  #localFor({ name }: State): LocalSettings {
    return (name === 'OpenSent' ? this.#said : undefined) ?? this.#owner.local();
  }

  #perform(effect: Effect): void {
    switch (effect.do) {
      case 'connect':
        this.#direction = 'outgoing';
        this.#use(this.#owner.dial());
        return;
      case 'disconnect':
        this.#disconnect();
        return;
      case 'sendOpen':
        this.#said = this.#owner.local();
        // RFC 8654 §4: who says so must take them.
        this.#framer.maxOctets = this.#said.extendedMessages === true ? EXTENDED_MAX_OCTETS : MAX_OCTETS;
        this.#send(localOpen(this.#said));
        return;
      case 'sendKeepalive':
        this.#send({ type: 'keepalive' });
        return;
      case 'sendNotification':
        this.#sendNotification(effect.fault);
        return;
      case 'startTimer':
        this.#startTimer(effect);
        return;
      case 'stopTimer':
        this.#stopTimer(effect.timer);
        return;
      default:
        this.#owner.perform(this, effect);
    }
  }

  #send(message: Exclude<Message, { readonly type: 'update' }>): void {
    this.write(encodeMessage(message, PLAIN));
  }

  #sendNotification({ code: [code, subcode], data }: Fault): void {
    this.#send({ type: 'notification', code, subcode, data });
    this.#hasSaidGoodbye = true;
  }

  #use(connection: Connection): void {
    this.#connection = connection;
    this.#framer = new Framer(MAX_OCTETS);
    this.#hasBacklog = false;
    this.#hasSaidGoodbye = false;
    connection.attach(this.#handlersOf(connection));
  }

  #disconnect(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#hasBacklog = false;
    if (connection === undefined) return;
    if (this.#hasSaidGoodbye) this.#farewell = connection.end();
    else connection.destroy();
  }

  /** What an earlier connection still says is nobody's business. */
  #handlersOf(connection: Connection): ConnectionHandlers {
    const ifCurrent = (action: () => void): void => {
      if (this.#connection === connection) action();
    };
    return {
      opened: () => ifCurrent(() => this.post({ type: 'Tcp_CR_Acked' })),
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
    // RFC 9687: what the peer takes shows that it lives.
    if (this.#state.name === 'Established' && this.#timers.has('SendHoldTimer')) {
      this.#startTimer({ timer: 'SendHoldTimer', seconds: this.#sendHoldSeconds, jitter: false });
    }
    this.#owner.writable(this);
  }

  /** What came before the end still counts: a NOTIFICATION, or the last UPDATEs before a restart. */
  #closed(connection: Connection, reason: CloseReason): void {
    while (this.#hasBacklog && this.#connection === connection) this.#readSlice(connection);
    if (this.#connection !== connection) return;
    this.post({ type: 'TcpConnectionFails', reason: reason.text });
  }

  /** Takes messages until none is whole, or the slice is used up; then the rest waits for the next turn. */
  #readSlice(connection: Connection): void {
    const { clock } = this.#owner;
    const end = clock.now() + SLICE_MS;
    this.#hasBacklog = true;
    for (let frames = 1; this.#connection === connection; frames++) {
      if (!this.#readOne()) {
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
    this.#owner.clock.after(0, () => {
      if (this.#connection !== connection) return;
      this.#readSlice(connection);
      if (this.#connection === connection && !this.#hasBacklog) connection.resume();
    });
  }

  /** False where no whole message is there. */
  #readOne(): boolean {
    let frame: Uint8Array | undefined;
    try {
      frame = this.#framer.next();
    } catch (error) {
      this.post({ type: 'BGPHeaderErr', fault: error as Fault });
      return false;
    }
    if (frame === undefined) return false;
    if (messageType(frame) === UPDATE_TYPE) this.post({ type: 'UpdateMsg', frame });
    else this.#readMessage(frame);
    return true;
  }

  #readMessage(frame: Uint8Array): void {
    const result = decodeMessage(frame, PLAIN);
    if (result.kind === 'fault') {
      this.#postFault(frame, result.fault);
      return;
    }
    const { message } = result;
    switch (message.type) {
      case 'open':
        this.#readOpen(message);
        return;
      case 'keepalive':
        this.post({ type: 'KeepAliveMsg' });
        return;
      case 'notification': {
        const text = notificationText(message);
        this.post({
          type: 'NotifMsg',
          text,
          fault: { text, code: [message.code, message.subcode], data: message.data },
        });
        return;
      }
      case 'route-refresh':
        this.post({ type: 'RouteRefreshMsg', refresh: message });
        return;
      case 'update': // read in place, above
        return;
    }
  }

  #readOpen(open: Open): void {
    if (this.#state.name !== 'OpenSent' || this.#owner.admitOpen(this, open)) this.post({ type: 'BGPOpen', open });
    else this.post({ type: 'OpenCollisionDump' });
  }

  /** A NOTIFICATION is never answered with another, however broken it is. RFC 4271 §6.4. */
  #postFault(frame: Uint8Array, fault: Fault): void {
    if (messageType(frame) === NOTIFICATION_TYPE) {
      this.post({ type: 'NotifMsg', text: `NOTIFICATION received that cannot be read: ${fault.text}`, fault });
    } else {
      this.post({ type: fault.code[0] === 2 ? 'BGPOpenMsgErr' : 'BGPHeaderErr', fault });
    }
  }

  #startTimer({
    timer,
    seconds,
    jitter,
  }: Pick<Extract<Effect, { do: 'startTimer' }>, 'timer' | 'seconds' | 'jitter'>): void {
    const factor = jitter ? MIN_JITTER + (1 - MIN_JITTER) * this.#owner.random() : 1;
    const ms = seconds * 1000 * factor;
    if (timer === 'SendHoldTimer') this.#sendHoldSeconds = seconds;
    const armed = this.#timers.get(timer);
    const deadline = this.#owner.clock.now() + ms;
    // The hold timer moves with each message: it is enough that it fires too early and looks again.
    if (armed !== undefined && armed.firesAt <= deadline) {
      armed.deadline = deadline;
      return;
    }
    armed?.cancel();
    this.#arm(timer, deadline, ms);
  }

  #arm(timer: Timer, deadline: number, ms: number): void {
    const cancel = this.#owner.clock.after(ms, () => this.#fired(timer));
    this.#timers.set(timer, { deadline, firesAt: this.#owner.clock.now() + ms, cancel });
  }

  #stopTimer(timer: Timer): void {
    this.#timers.get(timer)?.cancel();
    this.#timers.delete(timer);
  }

  #fired(timer: Timer): void {
    const { deadline } = this.#timers.get(timer)!;
    const left = deadline - this.#owner.clock.now();
    if (left > 0) this.#arm(timer, deadline, left);
    else if (timer === 'HoldTimer') this.#askOnceMore(deadline);
    else this.#expire(timer);
  }

  /**
   * A process that was stopped or busy finds its hold timers expired and its sockets full. So first one more turn, in
   * which what is there is read, and only then the verdict.
   */
  #askOnceMore(deadline: number): void {
    const cancel = this.#owner.clock.after(0, () => {
      const now = this.#timers.get('HoldTimer')!.deadline;
      if (now > deadline) this.#arm('HoldTimer', now, Math.max(0, now - this.#owner.clock.now()));
      else if (this.#hasBacklog) this.#askOnceMore(deadline);
      else this.#expire('HoldTimer');
    });
    this.#timers.set('HoldTimer', { deadline, firesAt: this.#owner.clock.now(), cancel });
  }

  #expire(timer: Timer): void {
    this.#timers.delete(timer);
    this.post({ type: `${timer}_Expires` });
  }
}
