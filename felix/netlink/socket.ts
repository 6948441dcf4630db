/** Requests to the kernel over AF_NETLINK. The netlink thread sends them and waits for the answers; they are encoded and understood here. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { readU32, u32 } from './attribute.ts';
import { BatchWriter, MAX_REQUESTS } from './batch-writer.ts';
import type { Batch } from './batch-writer.ts';
import { AF, CONTROL, FLAG } from './constants.ts';
import { decodeDone, decodeMessages, decodeVerdict, encodeRequests } from './header.ts';
import type { Message, Request, Verdict } from './header.ts';
import { SYS, SystemError } from '../../src/linux/libc.ts';
import type { Libc } from '../../src/linux/libc.ts';
import type { Exchange } from './messages.ts';
import type { Performer } from './thread.ts';

/** NETLINK_*: the kernel's parts that speak netlink. */
const PROTOCOL = { route: 0, netfilter: 12 } as const;
type Protocol = keyof typeof PROTOCOL;
const SOL_NETLINK = 270;
const OPTION = { capAck: 10, extendedAck: 11, strictCheck: 12 } as const;

const RECEIVE_BUFFER_OCTETS = 4 << 20;
const SEND_BUFFER_OCTETS = 1 << 20;
const ANSWER_TIMEOUT_SECONDS = 10;
const DUMP_ATTEMPTS = 5;
const MAX_SEQUENCE = 0x7fff_ffff;

const ADDRESS_OCTETS = 12;

/** sockaddr_nl: family, padding, port (0: the kernel picks), groups. */
export function netlinkAddress(groups: number): Uint8Array {
  const address = new Uint8Array(ADDRESS_OCTETS);
  address.set(u32(AF.netlink).subarray(0, 2), 0);
  address.set(u32(groups), 8);
  return address;
}

interface NetlinkSocketOptions {
  readonly protocol?: Protocol;
  /** Of what the kernel sends by itself. */
  readonly groups?: number;
  readonly nonBlocking?: boolean;
  /** See Libc.attachFilter. */
  readonly filter?: Uint8Array;
}

/** Opens and binds a socket, to rtnetlink where no protocol is named. */
export function openNetlinkSocket(libc: Libc, options: NetlinkSocketOptions = {}): number {
  const { protocol = 'route', groups = 0, nonBlocking = false, filter } = options;
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
    if (filter !== undefined) libc.attachFilter(fd, filter);
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

export interface DumpReader {
  /** The body of one message of the dump. */
  readonly read: (body: Uint8Array) => void;
}

class ListReader<T> implements DumpReader {
  readonly list: T[] = [];
  readonly read: (body: Uint8Array) => void;

  constructor(decode: (body: Uint8Array) => T | undefined) {
    this.read = (body) => {
      const one = decode(body);
      if (one !== undefined) this.list.push(one);
    };
  }
}

/** A request socket: made here, spoken through by the netlink thread, one exchange after the other. */
export class NetlinkSocket {
  readonly #libc: Libc;
  readonly #thread: Performer;
  readonly #fd: number;
  #sequence = 1;

  /** Opened in the namespace that the thread is in now. Throws SystemError. */
  constructor(libc: Libc, thread: Performer, protocol: Protocol = 'route') {
    this.#libc = libc;
    this.#thread = thread;
    this.#fd = openNetlinkSocket(libc, { protocol });
  }

  /** Its netlink port, which notifications name as the doer of what it asked for. */
  get port(): number {
    return readU32(this.#libc.socketName(this.#fd, ADDRESS_OCTETS).subarray(4));
  }

  /** One request that changes something. Rejects, as all that follow, with SystemError or NetlinkThreadError. */
  async execute(request: Request): Promise<Verdict> {
    return (await this.executeBatch(this.#batchOf(request))).get(0) ?? { errno: 0 };
  }

  /** Verdict i is on request i; one refusal stops no other. */
  async executeAll(requests: readonly Request[]): Promise<readonly Verdict[]> {
    const verdicts = requests.map((): Verdict => ({ errno: 0 }));
    for (let start = 0; start < requests.length;) {
      const writer = new BatchWriter(this.number(MAX_REQUESTS));
      for (let i = start; i < requests.length && writer.hasRoom; i++) writer.request(requests[i]!);
      const batch = writer.finish();
      for (const [i, verdict] of await this.executeBatch(batch)) verdicts[start + i] = verdict;
      start += batch.count;
    }
    return verdicts;
  }

  /** The first of `count` sequence numbers that nobody else gets. */
  number(count: number): number {
    if (this.#sequence + count > MAX_SEQUENCE) this.#sequence = 1;
    const first = this.#sequence;
    this.#sequence += count;
    return first;
  }

  /**
   * The refusals, by place in the batch: silence about the others is success. Batches may be on their way at once; they keep their order.
   * `isBrief`: see Exchange.
   */
  async executeBatch({ octets, first, count }: Batch, isBrief = false): Promise<ReadonlyMap<number, Verdict>> {
    const refusals = new Map<number, Verdict>();
    await this.#exchange({ octets, until: first + count - 1, isBrief }, (message) => {
      const index = message.sequence - first;
      if (message.type !== CONTROL.error || index < 0 || index >= count) return;
      const verdict = decodeVerdict(message);
      if (verdict.errno !== 0) refusals.set(index, verdict);
    });
    return refusals;
  }

  /** One request with one answer; a verdict where the kernel has none. */
  async query(request: Request): Promise<Message | Verdict> {
    const { octets, first } = this.#batchOf(request);
    let answer: Message | undefined;
    let verdict: Verdict = { errno: 0 };
    await this.#exchange({ octets, until: first }, (message) => {
      if (message.sequence !== first) return;
      if (message.type === CONTROL.error) verdict = decodeVerdict(message);
      else answer = message;
    });
    return answer ?? verdict;
  }

  /**
   * Everything that the request lists: each attempt has a reader of its own, which takes message after message; the one that heard
   * all is returned. Starts again where the kernel says that its table changed meanwhile, a few times at most.
   */
  async dumpInto<T extends DumpReader>(request: Request, startReader: () => T): Promise<T | Verdict> {
    for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
      const reader = startReader();
      const outcome = await this.#dumpOnce(request, reader);
      if (outcome !== 'interrupted') return outcome.errno === 0 ? reader : outcome;
    }
    return { errno: 4, explanation: `the table changed during each of ${DUMP_ATTEMPTS} attempts to read it` };
  }

  /** The same as a list; what decodes to undefined is left out. */
  async dump<T>(request: Request, decode: (body: Uint8Array) => T | undefined): Promise<readonly T[] | Verdict> {
    const outcome = await this.dumpInto(request, () => new ListReader(decode));
    return 'errno' in outcome ? outcome : outcome.list;
  }

  /** Resolves when nobody uses the descriptor any more and it is closed. */
  async close(): Promise<void> {
    await this.#thread.forget(this.#fd);
    this.#libc.close(this.#fd);
  }

  #batchOf({ type, flags, body }: Request): Batch {
    const first = this.number(1);
    return { octets: encodeRequests([{ type, flags: flags | FLAG.ack, body }], first), first, count: 1 };
  }

  async #dumpOnce(request: Request, reader: DumpReader): Promise<Verdict | 'interrupted'> {
    const sequence = this.number(1);
    const end = { isInterrupted: false, verdict: { errno: 0 } as Verdict };
    await this.#exchange({ octets: encodeRequests([request], sequence), until: sequence }, (message) => {
      if (message.sequence !== sequence) return;
      end.isInterrupted ||= message.type !== CONTROL.error && (message.flags & FLAG.dumpInterrupted) !== 0;
      if (message.type === CONTROL.error) end.verdict = decodeVerdict(message);
      else if (message.type === CONTROL.done) end.verdict = decodeDone(message);
      else reader.read(message.body);
    });
    return end.verdict.errno === 0 && end.isInterrupted ? 'interrupted' : end.verdict;
  }

  /** Sends, and hears all that is answered until there is a verdict on message `until`, a part in a turn of the event loop. */
  async #exchange(asked: Omit<Exchange, 'do' | 'fd'>, hear: (message: Message) => void): Promise<void> {
    const faults: Error[] = [];
    const hearAll = (part: Uint8Array): void => {
      try {
        for (const message of decodeMessages(part)) hear(message);
      } catch (error) {
        faults.push(error as Error);
      }
    };
    let heard = Promise.resolve();
    const onOctets = (part: Uint8Array): void => {
      heard = heard.then(() => nextTurn()).then(() => hearAll(part));
    };
    const answer = await this.#thread.perform({ do: 'exchange', fd: this.#fd, ...asked }, onOctets);
    await heard;
    if (answer.octets !== undefined) hearAll(answer.octets);
    const [fault] = faults;
    if (fault !== undefined) throw fault;
  }
}
