/**
 * A BGP peer over real TCP that does what a test says and nothing else. It stands on the codec alone, never on the speaker
 * that it tests. Usual use:
 *
 *     const peer = await ScriptedPeer.connect({ asn: 65001, bgpIdentifier: '10.0.0.2', address: '10.0.0.2', speaker: '10.0.0.1' });
 *     await peer.establish();
 *     peer.announce(attributes, ['198.51.100.0/24']);
 *     await peer.until(() => peer.routes.has('203.0.113.0/24'), 'the other route');
 *     peer.close();
 */
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import type {
  CodecContext,
  Family,
  FamilyKey,
  Message,
  NegotiatedContexts,
  Notification,
  Open,
  PathAttributes,
  RouteRefresh,
  Update,
} from '../../bird/bgp-ts/index.ts';
import {
  decodeMessage,
  encodeMessage,
  EXTENDED_MAX_OCTETS,
  familyKey,
  Framer,
  IPV4_UNICAST,
  MAX_OCTETS,
  negotiatedContexts,
  plainContext,
} from '../../bird/bgp-ts/index.ts';
import { groups, ReceivedRoutes } from './scripted-peer-routes.ts';
import type { PeerScript } from './scripted-peer-script.ts';
import { openOf } from './scripted-peer-script.ts';
import { Watchers } from './scripted-peer-watchers.ts';

/** How the connection ended: the speaker's FIN, its RST, or our own doing. */
export type PeerEnd = 'FIN' | 'RST' | 'ours';

const UNTIL_MS = 10_000;
/** Prefixes of one UPDATE that fit whatever their attributes are, within reason. */
const PREFIXES_PER_UPDATE = 150;

export class ScriptedPeer {
  readonly script: PeerScript;
  /** Prefix as text → what the speaker last said of it; with ADD-PATH the key is `prefix id n`. */
  readonly routes: ReadonlyMap<string, PathAttributes>;
  /** One entry per End-of-RIB that came, `1/1` or `2/1`. */
  readonly endOfRibs: FamilyKey[] = [];
  readonly notifications: Notification[] = [];
  readonly refreshes: RouteRefresh[] = [];
  /** What the speaker sent that the codec cannot read, or would not take as it is. Empty, or the speaker has a bug. */
  readonly faults: string[] = [];
  readonly counts = { open: 0, update: 0, notification: 0, keepalive: 0, 'route-refresh': 0 };
  /** Called for each message after it is recorded. */
  onMessage: ((message: Message) => void) | undefined;
  readonly #socket: Socket;
  readonly #received = new ReceivedRoutes();
  readonly #framer = new Framer(EXTENDED_MAX_OCTETS);
  readonly #watchers = new Watchers();
  #contexts: NegotiatedContexts = { receive: plainContext, send: plainContext };
  #ours: Open | undefined;
  #theirs: Open | undefined;
  #end: PeerEnd | undefined;
  #keepalives: NodeJS.Timeout | undefined;
  #lastHeard = performance.now();
  #longestSilence = 0;

  private constructor(socket: Socket, script: PeerScript) {
    this.script = script;
    this.routes = this.#received.routes;
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('end', () => this.#ended('FIN'));
    socket.on('error', () => this.#ended('RST'));
    socket.on('close', () => this.#ended('ours'));
  }

  /** Resolves when TCP stands; nothing is said yet. Rejects with the kernel's error. */
  static connect(script: PeerScript): Promise<ScriptedPeer> {
    const { speaker: host, port = 179, address: localAddress } = script;
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, localAddress, allowHalfOpen: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new ScriptedPeer(socket, script));
      });
    });
  }

  /** The other way round: for a speaker that dials. Listens on the script's address and port. */
  static async listen(script: PeerScript): Promise<ScriptedListener> {
    const all: ScriptedPeer[] = [];
    const waiting: ((peer: ScriptedPeer) => void)[] = [];
    let given = 0;
    const give = (): void => {
      while (given < all.length && waiting.length > 0) waiting.shift()!(all[given++]!);
    };
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      all.push(new ScriptedPeer(socket, script));
      give();
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: script.address, port: script.port ?? 179 }, resolve);
    });
    return {
      next: () =>
        new Promise((resolve) => {
          waiting.push(resolve);
          give();
        }),
      close: () => {
        for (const peer of all) peer.reset();
        return new Promise((resolve) => server.close(() => resolve()));
      },
    };
  }

  /** The speaker's OPEN, once it came. */
  get theirOpen(): Open | undefined {
    return this.#theirs;
  }

  /** Undefined while the connection stands. */
  get end(): PeerEnd | undefined {
    return this.#end;
  }

  get isEstablished(): boolean {
    return this.#end === undefined && this.#ours !== undefined && this.counts.keepalive > 0;
  }

  /** The longest time between two messages of the speaker so far, the time since the last one included. */
  get longestSilenceMs(): number {
    return Math.max(this.#longestSilence, performance.now() - this.#lastHeard);
  }

  /** Prefixes announced and withdrawn, each as often as it came. */
  get prefixChanges(): number {
    return this.#received.changes;
  }

  /** What waits in our own process to be sent. */
  get queuedOctets(): number {
    return this.#socket.writableLength;
  }

  sendOpen(changes: Partial<Open> = {}): void {
    this.#ours = openOf(this.script, changes);
    this.#negotiate();
    this.send(this.#ours);
  }

  /** Both OPENs, both KEEPALIVEs; then one KEEPALIVE in each third of the hold time until `stopKeepalives`. */
  async establish(): Promise<this> {
    this.sendOpen();
    await this.until(() => this.#theirs !== undefined, 'the OPEN of the speaker');
    this.send({ type: 'keepalive' });
    this.startKeepalives();
    await this.until(() => this.counts.keepalive > 0, 'the first KEEPALIVE of the speaker');
    return this;
  }

  startKeepalives(): void {
    const holdSeconds = Math.min(this.#ours?.holdSeconds ?? 90, this.#theirs?.holdSeconds ?? 90);
    this.stopKeepalives();
    if (holdSeconds > 0) this.#keepalives = setInterval(() => this.send({ type: 'keepalive' }), holdSeconds * 333);
  }

  /** Silence. */
  stopKeepalives(): void {
    clearInterval(this.#keepalives);
  }

  send(message: Message): void {
    this.sendBytes(encodeMessage(message, this.#contexts.send));
  }

  /** As they are, be they BGP or not. */
  sendBytes(octets: Uint8Array): void {
    if (this.#socket.writable) this.#socket.write(octets);
  }

  /** One octet per TCP segment. */
  async sendOctets(octets: Uint8Array): Promise<void> {
    for (const octet of octets) {
      await new Promise((resolve) => this.#socket.write(Uint8Array.of(octet), resolve));
    }
  }

  /** Prefixes of both families; `attributes.nextHop` must be of the family of the prefixes. */
  announce(attributes: PathAttributes, prefixes: readonly string[]): void {
    for (const announced of groups(prefixes, PREFIXES_PER_UPDATE)) {
      this.send({ ...EMPTY, attributes, announced: [announced] });
    }
  }

  withdraw(prefixes: readonly string[]): void {
    for (const withdrawn of groups(prefixes, PREFIXES_PER_UPDATE)) this.send({ ...EMPTY, withdrawn: [withdrawn] });
  }

  sendEndOfRib(family: Family = IPV4_UNICAST): void {
    this.send({ ...EMPTY, endOfRib: family });
  }

  /** Stops reading: what the speaker sends waits in the kernel, then in the speaker. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Forgets the routes of a family that were received, as one does who asks for them again. */
  forgetRoutes(afi: number): void {
    this.#received.clear(afi);
  }

  /** FIN, and goes on reading. */
  halfClose(): void {
    this.stopKeepalives();
    this.#socket.end();
  }

  /** FIN, without waiting for the speaker's. */
  close(): void {
    this.stopKeepalives();
    this.#socket.end();
    this.#socket.destroySoon();
  }

  /** RST. */
  reset(): void {
    this.stopKeepalives();
    // Node cannot reset what it has begun to shut down: it says EINVAL and keeps the file descriptor.
    if (this.#socket.writableEnded) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  /** Until all that was written is the kernel's. */
  async flushed(): Promise<void> {
    while (this.#socket.writableLength > 0 && !this.#socket.destroyed) {
      await new Promise<void>((resolve) => this.#socket.write(new Uint8Array(), () => resolve()));
    }
  }

  /** Looks after each piece of input. Rejects with `what` where time passes, or the connection ends, and it is not true. */
  until(holds: () => boolean, what: string, timeoutMs = UNTIL_MS): Promise<void> {
    return this.#watchers.until(holds, timeoutMs, () => {
      return `${this.script.address} waited in vain for ${what}; ${this.#story()}`;
    });
  }

  #story(): string {
    const said = this.notifications.map(({ code, subcode }) => `${code}/${subcode}`).join(', ') || 'no NOTIFICATION';
    return `end: ${this.#end ?? 'none'}, ${said}, messages ${JSON.stringify(this.counts)}, ${this.routes.size} routes`;
  }

  #negotiate(): void {
    if (this.#ours !== undefined && this.#theirs !== undefined) {
      this.#contexts = negotiatedContexts(this.#ours, this.#theirs);
    }
  }

  #read(chunk: Uint8Array): void {
    this.#heard();
    this.#framer.push(chunk);
    try {
      for (let frame = this.#framer.next(); frame !== undefined; frame = this.#framer.next()) this.#take(frame);
    } catch (error) {
      this.faults.push(String(error));
      this.reset();
    }
    this.#watchers.look();
  }

  #take(frame: Uint8Array): void {
    const context: CodecContext = this.#contexts.receive;
    const result = decodeMessage(frame, context);
    if (result.kind === 'fault') {
      this.faults.push(result.fault.text);
      return;
    }
    const { message } = result;
    if (frame.length > MAX_OCTETS && !context.extendedMessage) this.faults.push(`a message of ${frame.length} octets`);
    this.counts[message.type]++;
    this.#record(message);
    this.onMessage?.(message);
  }

  #record(message: Message): void {
    switch (message.type) {
      case 'open':
        this.#theirs = message;
        this.#negotiate();
        return;
      case 'update':
        this.faults.push(...message.faults.map(({ text }) => text));
        if (message.endOfRib !== undefined) this.endOfRibs.push(familyKey(message.endOfRib));
        this.#received.update(message);
        return;
      case 'notification':
        this.notifications.push(message);
        return;
      case 'route-refresh':
        this.refreshes.push(message);
        if (message.subtype === 'begin') this.#received.beginRefresh(message.family);
        if (message.subtype === 'end') this.#received.endRefresh(message.family);
        return;
      case 'keepalive':
    }
  }

  #heard(): void {
    const now = performance.now();
    this.#longestSilence = Math.max(this.#longestSilence, now - this.#lastHeard);
    this.#lastHeard = now;
  }

  #ended(how: PeerEnd): void {
    this.#end ??= how;
    this.stopKeepalives();
    this.#watchers.end();
  }
}

export interface ScriptedListener {
  /** The next connection that the speaker makes; nothing is said on it yet. */
  next(): Promise<ScriptedPeer>;
  /** Its connections too. */
  close(): Promise<void>;
}

const EMPTY: Update = { type: 'update', attributes: {}, announced: [], withdrawn: [], faults: [] };
