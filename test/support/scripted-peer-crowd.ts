/** Many TCP connections that say nothing. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';

export interface CrowdTarget {
  readonly from: string;
  readonly to: string;
  readonly port?: number;
}

const AT_ONCE = 200;

/** Makes `count` connections, some at a time, and holds those that the other side leaves open. */
export class SilentCrowd {
  readonly #open = new Set<Socket>();

  /** Connections that stand. */
  get size(): number {
    return this.#open.size;
  }

  /** Resolves when each has been made, or refused. */
  async gather(target: CrowdTarget, count: number): Promise<void> {
    let left = count;
    const one = async (): Promise<void> => {
      while (left-- > 0) await this.#connect(target);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
  }

  /** Hangs up on all. */
  disperse(): void {
    for (const socket of this.#open) socket.destroy();
  }

  #connect({ from, to, port = 179 }: CrowdTarget): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect({ host: to, port, localAddress: from });
      socket.once('connect', () => {
        this.#open.add(socket);
        resolve();
      });
      socket.resume();
      socket.on('error', () => undefined);
      socket.once('close', () => {
        this.#open.delete(socket);
        resolve();
      });
    });
  }
}
