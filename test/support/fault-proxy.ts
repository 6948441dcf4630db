import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Http2Frames } from './http2-frames.ts';
import type { FrameHead } from './http2-frames.ts';

/** A connection under a fault: both ends, and what came through from the server so far. */
interface Link {
  readonly client: Socket;
  readonly server: Socket;
  octets: number;
  readonly frames: Http2Frames;
}

type Way = 'pass' | 'stall' | 'black hole';

/** Gives a server that listens at `port`, 0 for any that is free. */
type Listen = (port: number) => Promise<Server>;

async function onLoopback(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** A TCP proxy before a server on loopback, whose faults the test switches. It begins by passing everything. */
export class FaultProxy {
  readonly #target: number;
  readonly #listen: Listen;
  readonly #links = new Set<Link>();
  #server: Server | undefined;
  #port: number;
  #way: Way = 'pass';
  #delayMs = 0;
  #cut: { afterOctets?: number; beforeFrame?: (head: FrameHead) => boolean } = {};
  /** Connections that were asked for, refused ones not among them. */
  accepted = 0;
  /** Cuts of `cutAfter` and `cutBefore` that happened. */
  cuts = 0;

  private constructor(target: number, listen: Listen, port: number) {
    this.#target = target;
    this.#listen = listen;
    this.#port = port;
  }

  /** `listen` may do so elsewhere than on our own loopback. */
  static async start(target: number, listen: Listen = onLoopback, port = 0): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, listen, port);
    await proxy.accept();
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  /** Takes connections (again), on the port that it always had. */
  async accept(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = await this.#listen(this.#port);
    server.on('connection', (client) => this.#join(client));
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Cuts what is there and refuses whoever comes, as a machine does whose server is gone. */
  async refuse(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = server === undefined ? undefined : once(server.close(), 'close');
    this.cutAll();
    await closed;
  }

  /** Resets every connection now. */
  cutAll(): void {
    for (const link of this.#links) reset(link);
  }

  /** Lets nothing more through in either direction, and closes nothing: the octets wait. */
  stall(): void {
    this.#way = 'stall';
    for (const { client, server } of this.#links) {
      client.pause();
      server.pause();
    }
  }

  /** Swallows everything, of old connections and new ones. What was swallowed is gone: `pass` needs `cutAll` before it. */
  blackHole(): void {
    this.#way = 'black hole';
  }

  pass(): void {
    this.#way = 'pass';
    this.#cut = {};
    for (const { client, server } of this.#links) {
      client.resume();
      server.resume();
    }
  }

  /** Each chunk waits so long, in both directions. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** The next connection that has let so many octets of the server through is reset at the octet. */
  cutAfter(octets: number): void {
    for (const link of this.#links) link.octets = 0;
    this.#cut = { afterOctets: octets };
  }

  /** Each connection is reset before the first HTTP/2 frame of the server's that `matches`. */
  cutBefore(matches: (head: FrameHead) => boolean): void {
    this.#cut = { beforeFrame: matches };
  }

  async close(): Promise<void> {
    await this.refuse();
  }

  #join(client: Socket): void {
    this.accepted++;
    const server = connect(this.#target, '127.0.0.1');
    const link: Link = { client, server, octets: 0, frames: new Http2Frames() };
    this.#links.add(link);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.on('error', () => undefined);
      from.on('close', () => {
        this.#links.delete(link);
        to.destroy();
      });
      // One after the other: a chunk that waits must not be overtaken, TCP never does that.
      let turn = Promise.resolve();
      from.on('data', (chunk) => {
        turn = turn.then(() => this.#carry(chunk, link, from === server ? 'down' : 'up'));
      });
      if (this.#way === 'stall') from.pause();
    }
  }

  async #carry(chunk: Buffer, link: Link, direction: 'up' | 'down'): Promise<void> {
    if (this.#delayMs > 0) await sleep(this.#delayMs);
    if (this.#way === 'black hole') return;
    if (direction === 'up') {
      link.server.write(chunk);
      return;
    }
    const through = this.#through(chunk, link);
    if (through > 0) link.client.write(chunk.subarray(0, through));
    if (through === chunk.length) return;
    this.cuts++;
    // What is let through arrives; the reset comes behind it.
    link.client.end(() => reset(link));
  }

  /** How much of a chunk may pass before the cut. */
  #through(chunk: Buffer, link: Link): number {
    const { afterOctets, beforeFrame } = this.#cut;
    const heads = link.frames.heads(chunk);
    link.octets += chunk.length;
    if (afterOctets !== undefined && link.octets > afterOctets) {
      this.#cut = {};
      return Math.max(0, chunk.length - (link.octets - afterOctets));
    }
    const frame = beforeFrame === undefined ? undefined : heads.find(beforeFrame);
    return frame?.at ?? chunk.length;
  }
}

function reset({ client, server }: Link): void {
  client.resetAndDestroy();
  server.resetAndDestroy();
}
