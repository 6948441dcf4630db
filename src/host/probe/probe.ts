/** Asks other nodes with real packets, from raw sockets; questions.ts says with which. */
import { loadLibc, SYS, SystemError } from '../../linux/libc.ts';
import type { Libc } from '../../linux/libc.ts';
import type { IpAddress, IpFamily } from '../../model/ip.ts';
import { sameAddress } from '../../model/ip.ts';
import type { Clock } from '../../runtime/clock.ts';
import { decodeIpv4Answer, decodeIpv6Answer, readAddress } from './answer.ts';
import type { Answer } from './answer.ts';
import { PROTOCOL, addressOctets } from './packet.ts';
import { questionsFor } from './questions.ts';
import type { ProbeSource, ProbeTarget, Question } from './questions.ts';

export type Outcome =
  | { readonly kind: 'answered'; readonly ms: number }
  | { readonly kind: 'refused'; readonly by: IpAddress; readonly why: string; readonly mtu?: number }
  | { readonly kind: 'silent' }
  /** Our own host did not let it out. */
  | { readonly kind: 'not sent'; readonly why: string };

/** An echo inside a tunnel. */
export interface TunnelOutcome {
  /** Its answer comes back plain. */
  readonly there: Outcome;
  /** Its answer comes back through the tunnel; absent: a tunnel address is missing. */
  readonly andBack?: Outcome;
}

export interface ProbeResult {
  readonly small: Outcome;
  /** As large as our MTU, not to be fragmented. */
  readonly large: Outcome;
  readonly ipip?: TunnelOutcome;
  readonly vxlan?: TunnelOutcome;
}

export interface ProbePorts {
  readonly clock: Pick<Clock, 'now'>;
  readonly sleep: (ms: number) => Promise<void>;
}

const PATIENCE_MS = 1500;
/** Lost once is not lost: the first may have waited for ARP. */
const AGAIN_MS = 500;
const LOOK_EACH_MS = 5;
const IPPROTO_RAW = 255;

/**
 * Needs CAP_NET_RAW; throws SystemError without. Sends some packets of at most our MTU to each target, all at once; targets and
 * source are of one family.
 */
export async function probe(
  targets: readonly ProbeTarget[],
  source: ProbeSource,
  ports: ProbePorts,
): Promise<readonly ProbeResult[]> {
  const libc = loadLibc();
  const { family } = source.address;
  const [domain, icmp] =
    family === 4 ? ([SYS.familyIpv4, PROTOCOL.icmp] as const) : ([SYS.familyIpv6, PROTOCOL.icmpv6] as const);
  const type = SYS.socketRaw | SYS.socketCloseOnExec | SYS.socketNonBlocking;
  const sender = libc.socket(domain, type, IPPROTO_RAW);
  try {
    const receiver = libc.socket(domain, type, icmp);
    try {
      const round = new Round({ libc, sender, receiver, clock: ports.clock, family }, targets, source);
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
  readonly family: IpFamily;
}

class Round {
  readonly #sockets: Sockets;
  readonly #targets: readonly ProbeTarget[];
  /** A question's sequence number is its place and one. */
  readonly #questions: readonly Question[];
  readonly #identifier = process.pid & 0xffff;
  readonly #outcomes = new Map<Question, Outcome>();
  #startedAt = 0;

  constructor(sockets: Sockets, targets: readonly ProbeTarget[], source: ProbeSource) {
    this.#sockets = sockets;
    this.#targets = targets;
    this.#questions = questionsFor(targets, source);
  }

  async run(sleep: (ms: number) => Promise<void>): Promise<void> {
    const { clock } = this.#sockets;
    this.#startedAt = clock.now();
    let sentAt = -Infinity;
    const isOpen = (question: Question): boolean => !this.#outcomes.has(question);
    while (clock.now() - this.#startedAt < PATIENCE_MS && this.#questions.some(isOpen)) {
      if (clock.now() - sentAt >= AGAIN_MS) {
        sentAt = clock.now();
        for (const [i, question] of this.#questions.entries()) if (isOpen(question)) this.#send(question, i + 1);
      }
      await sleep(LOOK_EACH_MS);
      this.#receive();
    }
  }

  result(target: number): ProbeResult {
    const own = this.#questions.filter((question) => question.target === target);
    const outcome = (name: Question['name']): Outcome | undefined => {
      const question = own.find((each) => each.name === name);
      return question && (this.#outcomes.get(question) ?? { kind: 'silent' });
    };
    const tunnel = (name: 'ipip' | 'vxlan'): TunnelOutcome | undefined => {
      const [there, andBack] = [outcome(name), outcome(`${name} and back`)];
      return there && { there, ...(andBack && { andBack }) };
    };
    const [ipip, vxlan] = [tunnel('ipip'), tunnel('vxlan')];
    const silent = { kind: 'silent' } as const;
    return {
      ...{ small: outcome('small') ?? silent, large: outcome('large') ?? silent },
      ...(ipip && { ipip }),
      ...(vxlan && { vxlan }),
    };
  }

  #send(question: Question, sequence: number): void {
    const { libc, sender } = this.#sockets;
    const { address } = this.#targets[question.target]!;
    try {
      libc.sendTo(sender, question.packet({ identifier: this.#identifier, sequence }), socketAddress(address));
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#outcomes.set(question, { kind: 'not sent', why: error.message });
    }
  }

  #receive(): void {
    const { libc, receiver, clock, family } = this.#sockets;
    const buffer = new Uint8Array(0x10000);
    const from = new Uint8Array(SOCKET_ADDRESS_OCTETS[family]);
    for (;;) {
      let octets: number;
      try {
        octets = libc.receiveFrom(receiver, buffer, from);
      } catch (error) {
        // EAGAIN: nothing more for now.
        if (error instanceof SystemError) return;
        throw error;
      }
      const message = buffer.subarray(0, octets);
      const answer =
        family === 4 ? decodeIpv4Answer(message) : decodeIpv6Answer(message, readAddress(from, ADDRESS_AT[6], 4));
      if (answer !== undefined) this.#take(answer, clock.now() - this.#startedAt);
    }
  }

  #take(answer: Answer, ms: number): void {
    if (answer.kind === 'echo') {
      const { identifier, sequence } = answer.id;
      if (identifier === this.#identifier) this.#settle(this.#questions[sequence - 1], { kind: 'answered', ms });
      return;
    }
    const { about, by, why, mtu } = answer;
    const question = this.#questions[about.sequence - 1];
    if (question === undefined || !sameAddress(this.#targets[question.target]!.address, about.destination)) return;
    this.#settle(question, { kind: 'refused', by, why, ...(mtu !== undefined && { mtu }) });
  }

  #settle(question: Question | undefined, outcome: Outcome): void {
    if (question !== undefined && !this.#outcomes.has(question)) this.#outcomes.set(question, outcome);
  }
}

/** struct sockaddr_in and sockaddr_in6. */
const SOCKET_ADDRESS_OCTETS = { 4: 16, 6: 28 } as const;
const ADDRESS_AT = { 4: 4, 6: 8 } as const;

function socketAddress(address: IpAddress): Uint8Array {
  const octets = new Uint8Array(SOCKET_ADDRESS_OCTETS[address.family]);
  new DataView(octets.buffer).setUint16(0, address.family === 4 ? SYS.familyIpv4 : SYS.familyIpv6, true);
  octets.set(addressOctets(address), ADDRESS_AT[address.family]);
  return octets;
}
