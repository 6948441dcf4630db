import type { Fault } from '../wire.ts';
import type { Evidence } from './evidence.ts';
import { encodeNotification } from './fault.ts';
import { refusedByUs } from './reason.ts';
import type { Connection, ConnectionHandlers } from './transport.ts';

/** So many refused connections may still be told why at a time; the rest is just dropped. */
const MAX_REFUSALS = 4;

/** What a caller that is refused says is not heard. */
const DEAF: ConnectionHandlers = {
  opened: () => undefined,
  data: () => undefined,
  progress: () => undefined,
  closed: () => undefined,
};

/** Connections of the peer that we do not take. It is told why, without an OPEN before: RFC 4486 §4 asks for that. */
export class Refusals {
  readonly #evidence: Evidence;
  #underWay = 0;

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  /** Resolves when the peer can have read it. */
  async refuse(connection: Connection, why: Fault): Promise<void> {
    this.#evidence.incident(refusedByUs(why), false);
    if (this.#underWay >= MAX_REFUSALS) {
      connection.destroy();
      return;
    }
    const octets = encodeNotification(why);
    this.#underWay++;
    try {
      connection.attach(DEAF);
      this.#evidence.sent(octets);
      connection.write(octets);
      await connection.end();
    } finally {
      this.#underWay--;
    }
  }
}
