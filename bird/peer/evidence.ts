import type { IpAddress } from '../../src/model/ip.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { MessageCounts, PeerIncident, ReachView } from '../view.ts';
import { incidentOf, Incidents } from './incidents.ts';
import type { Reason } from './reason.ts';

/** By number of type, RFC 4271 §4.1 and RFC 2918. */
const TYPES: readonly (keyof MessageCounts | undefined)[] = [
  undefined,
  'open',
  'update',
  'notification',
  'keepalive',
  'routeRefresh',
];

const HEADER_OCTETS = 19;

type Counts = { -readonly [Type in keyof MessageCounts]: number };

/** What both sides did about one peer since it is configured, over all its connections. It counts and decides nothing. */
export class Evidence {
  readonly #clock: Clock;
  readonly #incidents = new Incidents();
  readonly #sent = noMessages();
  readonly #received = noMessages();
  #dialled = 0;
  #lastDialledAt: number | undefined;
  #connected = 0;
  #incoming = 0;
  #lastIncomingAt: number | undefined;
  #localAddress: IpAddress | undefined;
  #hasSeenOpen = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get incidents(): readonly PeerIncident[] {
    return this.#incidents.list;
  }

  get reach(): ReachView {
    return {
      dialled: this.#dialled,
      ...(this.#lastDialledAt !== undefined && { lastDialledAt: this.#lastDialledAt }),
      connected: this.#connected,
      incoming: this.#incoming,
      ...(this.#lastIncomingAt !== undefined && { lastIncomingAt: this.#lastIncomingAt }),
      ...(this.#localAddress !== undefined && { localAddress: this.#localAddress }),
      hasSeenOpen: this.#hasSeenOpen,
    };
  }

  get messages(): { readonly sent: MessageCounts; readonly received: MessageCounts } {
    return { sent: { ...this.#sent }, received: { ...this.#received } };
  }

  incident(reason: Reason, isFlap: boolean): void {
    this.#incidents.add(incidentOf(reason, this.#clock.wallTime(), isFlap));
  }

  dialled(): void {
    this.#dialled++;
    this.#lastDialledAt = this.#clock.wallTime();
  }

  /** TCP stands, whoever made it. */
  connected(localAddress: IpAddress | undefined): void {
    this.#connected++;
    this.#localAddress = localAddress ?? this.#localAddress;
  }

  /** The peer dialled us, whatever became of it. */
  incoming(): void {
    this.#incoming++;
    this.#lastIncomingAt = this.#clock.wallTime();
  }

  /** One whole message, or several behind each other. */
  sent(octets: Uint8Array): void {
    for (let at = 0; at + HEADER_OCTETS <= octets.length;) {
      count(this.#sent, octets[at + 18]!);
      at += Math.max(HEADER_OCTETS, (octets[at + 16]! << 8) | octets[at + 17]!);
    }
  }

  received(type: number): void {
    count(this.#received, type);
    if (type === 1) this.#hasSeenOpen = true;
  }
}

function count(counts: Counts, type: number): void {
  const name = TYPES[type];
  if (name !== undefined) counts[name]++;
}

const noMessages = (): Counts => ({ open: 0, update: 0, notification: 0, keepalive: 0, routeRefresh: 0 });
