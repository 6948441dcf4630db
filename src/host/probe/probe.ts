/** Asks other nodes with real packets: a small echo, one as large as our link, and one inside a packet of protocol 4. */
import { loadLibc, SYS, SystemError } from '../../linux/libc.ts';
import type { Libc } from '../../linux/libc.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Answer } from './packet.ts';
import { PROTOCOL, decodeAnswer, encapsulate, encodeEcho } from './packet.ts';

/** IPv4 addresses are uint32. */
export interface ProbeTarget {
  readonly address: number;
}

export interface ProbeSource {
  readonly address: number;
  /** Asked with it as the inner source, too: with rp_filter strict the other host takes no other one out of its tunl0. */
  readonly tunnelAddress?: number;
  /** The MTU of the link that carries our address. */
  readonly mtu: number;
}

export type Outcome =
  | { readonly kind: 'answered'; readonly ms: number }
  | { readonly kind: 'refused'; readonly by: number; readonly code: number; readonly mtu?: number }
  | { readonly kind: 'silent' }
  /** Our own host did not let it out. */
  | { readonly kind: 'not sent'; readonly why: string };

export interface ProbeResult {
  readonly address: number;
  readonly small: Outcome;
  /** As large as our MTU, not to be fragmented. */
  readonly large: Outcome;
  /** An echo inside protocol 4; the kernel of the other host answers it where its tunl0 is up. */
  readonly ipip: Outcome;
}

export interface ProbePorts {
  readonly clock: Pick<Clock, 'now'>;
  readonly sleep: (ms: number) => Promise<void>;
}

type Question = 'small' | 'large' | 'ipip' | 'ipip from tunnel';
const QUESTIONS: readonly Question[] = ['small', 'large', 'ipip', 'ipip from tunnel'];
const PER_TARGET = QUESTIONS.length;

const SMALL_OCTETS = 84;
const PATIENCE_MS = 1500;
/** Lost once is not lost: the first may have waited for ARP. */
const AGAIN_MS = 500;
const LOOK_EACH_MS = 5;
const IPPROTO_RAW = 255;

/** Needs CAP_NET_RAW; throws SystemError without. Sends some packets of at most our MTU to each target, all at once. */
export async function probe(
  targets: readonly ProbeTarget[],
  source: ProbeSource,
  ports: ProbePorts,
): Promise<readonly ProbeResult[]> {
  const libc = loadLibc();
  const flags = SYS.socketRaw | SYS.socketCloseOnExec | SYS.socketNonBlocking;
  const sender = libc.socket(SYS.familyIpv4, flags, IPPROTO_RAW);
  try {
    const receiver = libc.socket(SYS.familyIpv4, flags, PROTOCOL.icmp);
    try {
      const round = new Round({ libc, sender, receiver, clock: ports.clock }, targets, source);
      await round.run(ports.sleep);
      return targets.map((_, i) => round.result(i));
    } finally {
      libc.close(receiver);
    }
  } finally {
    libc.close(sender);
  }
}

interface Sockets {
  readonly libc: Libc;
  readonly sender: number;
  readonly receiver: number;
  readonly clock: Pick<Clock, 'now'>;
}

class Round {
  readonly #sockets: Sockets;
  readonly #targets: readonly ProbeTarget[];
  readonly #source: ProbeSource;
  readonly #identifier = process.pid & 0xffff;
  /** By sequence number: target × questions + question + 1. */
  readonly #outcomes = new Map<number, Outcome>();
  #startedAt = 0;

  constructor(sockets: Sockets, targets: readonly ProbeTarget[], source: ProbeSource) {
    this.#sockets = sockets;
    this.#targets = targets;
    this.#source = source;
  }

  async run(sleep: (ms: number) => Promise<void>): Promise<void> {
    const { clock } = this.#sockets;
    this.#startedAt = clock.now();
    let sentAt = -Infinity;
    while (clock.now() - this.#startedAt < PATIENCE_MS && this.#open().length > 0) {
      if (clock.now() - sentAt >= AGAIN_MS) {
        sentAt = clock.now();
        for (const sequence of this.#open()) this.#send(sequence);
      }
      await sleep(LOOK_EACH_MS);
      this.#receive();
    }
  }

  result(target: number): ProbeResult {
    const outcome = (question: Question): Outcome =>
      this.#outcomes.get(this.#sequence(target, question)) ?? { kind: 'silent' };
    const [direct, tunnelled] = [outcome('ipip'), outcome('ipip from tunnel')];
    return {
      address: this.#targets[target]!.address,
      small: outcome('small'),
      large: outcome('large'),
      ipip: tunnelled.kind === 'answered' ? tunnelled : direct,
    };
  }

  readonly #sequence = (target: number, question: Question): number =>
    target * PER_TARGET + QUESTIONS.indexOf(question) + 1;

  #open(): readonly number[] {
    const hasTunnel = this.#source.tunnelAddress !== undefined;
    const asked = QUESTIONS.filter((question) => hasTunnel || question !== 'ipip from tunnel');
    const all = this.#targets.flatMap((_, i) => asked.map((question) => this.#sequence(i, question)));
    return all.filter((sequence) => !this.#outcomes.has(sequence));
  }

  #send(sequence: number): void {
    const { libc, sender } = this.#sockets;
    const { address } = this.#targets[Math.floor((sequence - 1) / PER_TARGET)]!;
    const question = QUESTIONS[(sequence - 1) % PER_TARGET]!;
    try {
      libc.sendTo(sender, this.#packet(question, address, sequence), socketAddress(address));
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#outcomes.set(sequence, { kind: 'not sent', why: error.message });
    }
  }

  #packet(question: Question, destination: number, sequence: number): Uint8Array {
    const { address: source, tunnelAddress = source, mtu } = this.#source;
    const id = { identifier: this.#identifier, sequence };
    const outer = { source, destination };
    if (question === 'small') return encodeEcho(outer, id, SMALL_OCTETS);
    if (question === 'large') return encodeEcho(outer, id, mtu);
    const inner = { source: question === 'ipip' ? source : tunnelAddress, destination };
    return encapsulate(outer, encodeEcho(inner, id, SMALL_OCTETS), sequence);
  }

  #receive(): void {
    const { libc, receiver, clock } = this.#sockets;
    const buffer = new Uint8Array(0x10000);
    for (;;) {
      let octets: number;
      try {
        octets = libc.receive(receiver, buffer);
      } catch (error) {
        // EAGAIN: nothing more for now.
        if (error instanceof SystemError) return;
        throw error;
      }
      const answer = decodeAnswer(buffer.subarray(0, octets));
      if (answer !== undefined) this.#take(answer, clock.now() - this.#startedAt);
    }
  }

  #take(answer: Answer, ms: number): void {
    if (answer.kind === 'echo') {
      const { identifier, sequence } = answer.id;
      if (identifier === this.#identifier) this.#settle(sequence, { kind: 'answered', ms });
      return;
    }
    const { about, from, code, mtu } = answer;
    const target = this.#targets[Math.floor((about.identification - 1) / PER_TARGET)];
    if (target?.address !== about.destination) return;
    this.#settle(about.identification, { kind: 'refused', by: from, code, ...(mtu !== undefined && { mtu }) });
  }

  #settle(sequence: number, outcome: Outcome): void {
    if (!this.#outcomes.has(sequence)) this.#outcomes.set(sequence, outcome);
  }
}

/** struct sockaddr_in. */
function socketAddress(address: number): Uint8Array {
  const octets = new Uint8Array(16);
  const view = new DataView(octets.buffer);
  view.setUint16(0, SYS.familyIpv4, true);
  view.setUint32(4, address);
  return octets;
}
