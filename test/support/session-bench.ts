/** One session under a clock that the test turns, with a peer that the test plays octet by octet. */
import { decisiveIncident } from '../../bird/explain/decisive.ts';
import { Session } from '../../bird/peer/session.ts';
import type { SessionHandlers } from '../../bird/peer/session.ts';
import type { LocalSettings } from '../../bird/peer/negotiate.ts';
import type { Connection, ConnectionHandlers } from '../../bird/peer/transport.ts';
import { decodeMessage, encodeMessage } from '../../bird/wire.ts';
import type { Message, Open } from '../../bird/wire.ts';
import { parseIpAddress } from '../../src/model/ip.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { openOf } from './bgp.ts';
import { context } from './bgp-bytes.ts';
import { FakeClock } from './fake-clock.ts';

export const KEEPALIVE = { type: 'keepalive' } as const;
export const NOTHING = new Uint8Array();

/** A connection whose other end is the test: it says what arrives, and reads what was sent. */
export class Script implements Connection {
  readonly remoteAddress = parseIpAddress('10.0.0.2');
  readonly localAddress = parseIpAddress('10.0.0.1');
  readonly remotePort = 34567;
  readonly localPort = 179;
  readonly interface = undefined;
  queuedOctets = 0;
  isOpen = true;
  isPaused = false;
  /** How it was ended: `end` lets the last octets through. */
  ended: 'end' | 'destroy' | undefined;
  readonly sent: string[] = [];
  handlers: ConnectionHandlers | undefined;

  attach(handlers: ConnectionHandlers): void {
    this.handlers = handlers;
  }
  secure(): void {
    // a script is next door
  }
  write(octets: Uint8Array): void {
    const result = decodeMessage(octets, context());
    const message = result.kind === 'ok' ? result.message : undefined;
    this.sent.push(
      message?.type === 'notification' ? `${message.code}/${message.subcode}` : (message?.type ?? 'garbage'),
    );
  }
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
  end(): Promise<void> {
    this.#close('end');
    return Promise.resolve();
  }
  destroy(): void {
    this.#close('destroy');
  }

  /** TCP stands. */
  open(): this {
    this.handlers?.opened();
    return this;
  }
  say(...messages: readonly Exclude<Message, { type: 'update' }>[]): void {
    for (const message of messages) this.sayOctets(encodeMessage(message, context()));
  }
  sayOctets(octets: Uint8Array): void {
    this.handlers?.data(octets);
  }
  notify(code: number, subcode: number, data: Uint8Array = NOTHING): void {
    this.say({ type: 'notification', code, subcode, data });
  }
  hangUp(text = 'the peer closed the connection', errno?: string): void {
    this.handlers?.closed({ text, ...(errno !== undefined && { errno }) });
  }

  #close(how: 'end' | 'destroy'): void {
    this.isOpen = false;
    this.ended ??= how;
  }
}

export interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export class SessionBench {
  readonly clock: FakeClock;
  readonly dialled: Script[] = [];
  /** What the routing above was told. */
  readonly told: string[] = [];
  readonly lines: Line[] = [];
  readonly session: Session;
  local: LocalSettings;
  description: string | undefined;

  constructor(local: LocalSettings, given: { clock?: FakeClock; handlers?: Partial<SessionHandlers> } = {}) {
    this.local = local;
    this.clock = given.clock ?? new FakeClock();
    const dial = (): Connection => {
      const connection = new Script();
      this.dialled.push(connection);
      return connection;
    };
    const transport = { connect: dial, listen: () => Promise.reject(new Error('no listener here')) };
    this.session = new Session(
      {
        ports: { clock: this.clock, random: () => 1, log: this.#logger(), transport },
        target: () => ({ address: parseIpAddress('10.0.0.2'), port: 179 }),
        local: () => this.local,
        description: () => this.description,
      },
      {
        up: () => this.told.push('up'),
        down: ({ cause }) => this.told.push(`down: ${cause}`),
        update: () => void this.told.push('update'),
        refresh: () => this.told.push('refresh'),
        writable: () => this.told.push('writable'),
        ...given.handlers,
      },
    );
  }

  /** As `PeerView.lastError` has it. */
  get lastError(): string | undefined {
    return decisiveIncident(this.session.incidents)?.text;
  }

  /** What the peer says first. */
  get open(): Open {
    return openOf(this.local);
  }

  get last(): Script {
    return this.dialled.at(-1)!;
  }

  establish(): Script {
    const connection = this.last.open();
    connection.say(this.open, KEEPALIVE);
    return connection;
  }

  /** The peer dials. */
  incoming(): Script {
    const connection = new Script();
    this.session.accept(connection);
    return connection;
  }

  /** Lines of this level, in order. */
  said(level: Line['level']): readonly string[] {
    return this.lines.filter((line) => line.level === level).map(({ message }) => message);
  }

  #logger(): Logger {
    const say = (level: Line['level']) => (fields: object, message: string) =>
      void this.lines.push({ level, fields: { ...fields }, message });
    const logger: Logger = {
      debug: say('debug'),
      info: say('info'),
      warn: say('warn'),
      error: say('error'),
      child: () => logger,
    };
    return logger;
  }
}
