/** Requests to the kernel over AF_NETLINK, answered before the call returns: a verdict takes microseconds, a dump of 2000 routes some milliseconds. */
import { u32 } from './attribute.ts';
import { AF, CONTROL, FLAG } from './constants.ts';
import { decodeDone, decodeMessages, decodeVerdict, encodeRequests, requestOctets } from './header.ts';
import type { Message, Request, Verdict } from './header.ts';
import { SYS, SystemError } from '../../src/linux/libc.ts';
import type { Libc } from '../../src/linux/libc.ts';

/** NETLINK_*: the kernel's parts that speak netlink. */
const PROTOCOL = { route: 0, netfilter: 12 } as const;
type Protocol = keyof typeof PROTOCOL;
const SOL_NETLINK = 270;
const OPTION = { capAck: 10, extendedAck: 11, strictCheck: 12 } as const;

const RECEIVE_BUFFER_OCTETS = 4 << 20;
const SEND_BUFFER_OCTETS = 1 << 20;
/** The kernel fills up to 32 KiB of it in a dump. */
const DATAGRAM_OCTETS = 256 << 10;
/** So that the verdicts on a batch, were all refusals, fit into the receive buffer. */
const BATCH_OCTETS = 32 << 10;
const ANSWER_TIMEOUT_SECONDS = 10;
const DUMP_ATTEMPTS = 5;

/** sockaddr_nl: family, padding, port (0: the kernel picks), groups. */
export function netlinkAddress(groups: number): Uint8Array {
  const address = new Uint8Array(12);
  address.set(u32(AF.netlink).subarray(0, 2), 0);
  address.set(u32(groups), 8);
  return address;
}

interface NetlinkSocketOptions {
  readonly protocol?: Protocol;
  readonly groups?: number;
  readonly nonBlocking?: boolean;
}

/** Opens and binds a socket, to rtnetlink where no protocol is named; for what the kernel sends by itself, name the multicast groups. */
export function openNetlinkSocket(
  libc: Libc,
  { protocol = 'route', groups = 0, nonBlocking = false }: NetlinkSocketOptions = {},
): number {
  const type = SYS.socketRaw | SYS.socketCloseOnExec | (nonBlocking ? SYS.socketNonBlocking : 0);
  const fd = libc.socket(AF.netlink, type, PROTOCOL[protocol]);
  const set = (level: number, name: number, value: Uint8Array): void =>
    libc.setSocketOption(fd, { level, name, value });
  const timeout = new Uint8Array(16);
  timeout.set(u32(ANSWER_TIMEOUT_SECONDS), 0);
  try {
    enlargeReceiveBuffer(set);
    set(SYS.solSocket, SYS.soSendBuffer, u32(SEND_BUFFER_OCTETS));
    set(SYS.solSocket, SYS.soReceiveTimeout, timeout);
    set(SOL_NETLINK, OPTION.capAck, u32(1));
    set(SOL_NETLINK, OPTION.extendedAck, u32(1));
    set(SOL_NETLINK, OPTION.strictCheck, u32(1));
    libc.bind(fd, netlinkAddress(groups));
  } catch (error) {
    libc.close(fd);
    throw error;
  }
  return fd;
}

/** Beyond net.core.rmem_max where we may, up to it where not. */
function enlargeReceiveBuffer(set: (level: number, name: number, value: Uint8Array) => void): void {
  try {
    set(SYS.solSocket, SYS.soReceiveBufferForce, u32(RECEIVE_BUFFER_OCTETS));
  } catch (error) {
    if (!(error instanceof SystemError && error.code === 'EPERM')) throw error;
    set(SYS.solSocket, SYS.soReceiveBuffer, u32(RECEIVE_BUFFER_OCTETS));
  }
}

export class NetlinkSocket {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #buffer = new Uint8Array(DATAGRAM_OCTETS);
  #sequence = 1;

  /** Opened in the namespace that the thread is in now. Throws SystemError. */
  constructor(libc: Libc, protocol: Protocol = 'route') {
    this.#libc = libc;
    this.#fd = openNetlinkSocket(libc, { protocol });
  }

  /** One request that changes something. */
  execute(request: Request): Verdict {
    return this.executeBatch([request])[0]!;
  }

  /** Verdict i is on request i. The kernel answers failures, and the last request: silence about the others is success. */
  executeBatch(requests: readonly Request[]): readonly Verdict[] {
    const verdicts = requests.map((): Verdict => ({ errno: 0 }));
    if (requests.length === 0) return verdicts;
    const last = requests.length - 1;
    const acknowledged = requests.map((one, i) => (i === last ? { ...one, flags: one.flags | FLAG.ack } : one));
    const first = this.#send(acknowledged);
    for (;;) {
      for (const message of this.#receive()) {
        const index = message.sequence - first;
        if (message.type !== CONTROL.error || index < 0 || index > last) continue;
        verdicts[index] = decodeVerdict(message);
        if (index === last) return verdicts;
      }
    }
  }

  /** One request with one answer; a verdict where the kernel has none. */
  query(request: Request): Message | Verdict {
    const sequence = this.#send([request]);
    for (;;) {
      for (const message of this.#receive()) {
        if (message.sequence !== sequence) continue;
        return message.type === CONTROL.error ? decodeVerdict(message) : copyOf(message);
      }
    }
  }

  /**
   * Everything that the request lists, decoded; what decodes to undefined is left out.
   * Starts again where the kernel says that its table changed meanwhile, a few times at most.
   */
  dump<T>(request: Request, decode: (body: Uint8Array) => T | undefined): readonly T[] | Verdict {
    for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
      const outcome = this.#dumpOnce(request, decode);
      if (outcome !== 'interrupted') return outcome;
    }
    return { errno: 4, explanation: `the table changed during each of ${DUMP_ATTEMPTS} attempts to read it` };
  }

  close(): void {
    this.#libc.close(this.#fd);
  }

  #dumpOnce<T>(request: Request, decode: (body: Uint8Array) => T | undefined): readonly T[] | Verdict | 'interrupted' {
    const sequence = this.#send([request]);
    const found: T[] = [];
    let interrupted = false;
    for (;;) {
      for (const message of this.#receive()) {
        if (message.sequence !== sequence) continue;
        interrupted ||= message.type !== CONTROL.error && (message.flags & FLAG.dumpInterrupted) !== 0;
        if (message.type === CONTROL.error || message.type === CONTROL.done) {
          const verdict = message.type === CONTROL.error ? decodeVerdict(message) : decodeDone(message);
          if (verdict.errno !== 0) return verdict;
          return interrupted ? 'interrupted' : found;
        }
        const one = decode(message.body);
        if (one !== undefined) found.push(one);
      }
    }
  }

  /** Returns the first one's sequence number. */
  #send(requests: readonly Request[]): number {
    const first = this.#sequence;
    this.#sequence += requests.length;
    if (this.#sequence > 0x7fff_ffff) this.#sequence = 1;
    const octets = encodeRequests(requests, first);
    uninterrupted(() => this.#libc.send(this.#fd, octets));
    return first;
  }

  #receive(): readonly Message[] {
    const octets = uninterrupted(() => this.#libc.receive(this.#fd, this.#buffer));
    if (octets > this.#buffer.length) {
      throw new Error(`the kernel sent ${octets} octets at once, more than the ${this.#buffer.length} we take`);
    }
    return decodeMessages(this.#buffer.subarray(0, octets));
  }
}

/** The buffer is used again with the next answer. */
const copyOf = (message: Message): Message => ({ ...message, body: message.body.slice() });

/** A signal (the monitor's own, for one) may end a call that has a timeout. */
export function uninterrupted<T>(call: () => T): T {
  for (;;) {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof SystemError && error.code === 'EINTR')) throw error;
    }
  }
}

/** Cut into pieces that may be sent at once; takes each request only when its piece is due. */
export function* batches(requests: Iterable<Request>): Generator<readonly Request[]> {
  let batch: Request[] = [];
  let octets = 0;
  for (const request of requests) {
    if (batch.length > 0 && octets + requestOctets(request) > BATCH_OCTETS) {
      yield batch;
      batch = [];
      octets = 0;
    }
    batch.push(request);
    octets += requestOctets(request);
  }
  if (batch.length > 0) yield batch;
}
