import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CloseReason, Connection, Listener, Transport } from '../../bird/peer/transport.ts';
import { hostPrefix, parseIpAddress } from '../../src/model/ip.ts';

export interface TransportCase {
  /** Who calls, and who listens; each with an address of its own. */
  readonly caller: Transport;
  readonly callerAddress: string;
  readonly called: Transport;
  readonly calledAddress: string;
  /** Nobody else's on `calledAddress`. */
  readonly port: number;
  /** Waits until the check finds no more fault. */
  readonly eventually: (check: () => unknown) => Promise<void>;
  /** Long enough for what will not happen. */
  readonly aWhile: () => Promise<void>;
}

/** One end of a connection, and all that it heard. */
class End {
  readonly connection: Connection;
  readonly events: string[] = [];
  readonly chunks: Uint8Array[] = [];
  progress = 0;
  reason: CloseReason | undefined;

  constructor(connection: Connection) {
    this.connection = connection;
    connection.attach({
      opened: () => void this.events.push('opened'),
      data: (octets) => void this.chunks.push(octets.slice()),
      progress: () => {
        this.progress++;
      },
      closed: (reason) => {
        this.events.push('closed');
        this.reason = reason;
      },
    });
  }

  get octets(): number {
    return this.chunks.reduce((sum, { length }) => sum + length, 0);
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }
}

const octetsOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What every Transport must do. `open` gives a fresh network for each test. */
export function transportCompliance(name: string, open: () => Promise<TransportCase>): void {
  describe(`${name} keeps the transport's contract`, () => {
    let lab: TransportCase;
    let listeners: Listener[];
    let accepted: End[];

    const target = () => ({
      address: parseIpAddress(lab.calledAddress),
      port: lab.port,
      localAddress: parseIpAddress(lab.callerAddress),
    });

    const listen = async (secure?: (connection: Connection) => void): Promise<Listener> => {
      const listener = await lab.called.listen({ address: lab.calledAddress, port: lab.port }, (connection) => {
        secure?.(connection);
        accepted.push(new End(connection));
      });
      listeners.push(listener);
      return listener;
    };

    const pair = async (): Promise<readonly [End, End]> => {
      await listen();
      const ours = new End(lab.caller.connect(target()));
      await lab.eventually(() => expect([ours.events, accepted.length]).toEqual([['opened'], 1]));
      return [ours, accepted[0]!];
    };

    beforeEach(async () => {
      listeners = [];
      accepted = [];
      lab = await open();
    });

    afterEach(async () => {
      for (const { connection } of accepted) connection.destroy();
      await Promise.all(listeners.map((listener) => listener.close()));
    });

    test('a connection opens, and both ends know each other', async () => {
      const [ours, theirs] = await pair();
      expect(ours.connection.remoteAddress).toEqual(parseIpAddress(lab.calledAddress));
      expect(ours.connection.localAddress).toEqual(parseIpAddress(lab.callerAddress));
      expect(theirs.connection.remoteAddress).toEqual(parseIpAddress(lab.callerAddress));
      expect(theirs.connection.localAddress).toEqual(parseIpAddress(lab.calledAddress));
      expect(theirs.connection.remotePort).toBe(ours.connection.localPort);
      ours.connection.destroy();
    });

    test('where nobody listens the connection is refused, by the kernel’s name for it', async () => {
      const ours = new End(lab.caller.connect(target()));
      await lab.eventually(() => expect(ours.reason).toEqual({ text: 'connection refused', errno: 'ECONNREFUSED' }));
      expect(ours.events).toEqual(['closed']);
    });

    test('octets arrive in order, however they are written', async () => {
      const [ours, theirs] = await pair();
      const words = Array.from({ length: 500 }, (_, i) => `word ${i}.`);
      for (const word of words) ours.connection.write(octetsOf(word));
      await lab.eventually(() => expect(theirs.text).toBe(words.join('')));
      expect(ours.progress).toBeGreaterThan(0);
      theirs.connection.write(octetsOf('thanks'));
      await lab.eventually(() => expect(ours.text).toBe('thanks'));
      ours.connection.destroy();
    });

    test('what is lost is told once, and to the other side alone', async () => {
      const [ours, theirs] = await pair();
      ours.connection.destroy();
      await lab.eventually(() => expect(theirs.events).toEqual(['closed']));
      theirs.connection.write(octetsOf('too late'));
      await lab.aWhile();
      expect([ours.events, theirs.events]).toEqual([['opened'], ['closed']]);
    });

    test('end() delivers the last octets before it hangs up', async () => {
      const [ours, theirs] = await pair();
      ours.connection.write(new Uint8Array(200_000));
      ours.connection.write(octetsOf('goodbye'));
      const ended = ours.connection.end();
      await lab.eventually(() => expect(theirs.events).toEqual(['closed']));
      await ended;
      expect(theirs.reason).toEqual({ text: 'the peer closed the connection' });
      expect([theirs.octets, theirs.text.endsWith('goodbye')]).toEqual([200_007, true]);
    });

    test('end() delivers the last octets also where input waits that nobody read', async () => {
      const [ours, theirs] = await pair();
      ours.connection.pause();
      theirs.connection.write(new Uint8Array(10_000));
      await lab.aWhile();
      ours.connection.write(octetsOf('goodbye'));
      void ours.connection.end();
      await lab.eventually(() => expect(theirs.events).toEqual(['closed']));
      expect([theirs.text, theirs.reason?.text]).toEqual(['goodbye', 'the peer closed the connection']);
    });

    test('a peer that stops sending while we write is lost, after all that it sent', async () => {
      const [ours, theirs] = await pair();
      theirs.connection.write(octetsOf('last words'));
      void theirs.connection.end();
      ours.connection.write(new Uint8Array(1000));
      await lab.eventually(() => expect(ours.events).toEqual(['opened', 'closed']));
      expect(ours.text).toBe('last words');
    });

    test('a connection that is destroyed while it is made says nothing', async () => {
      await listen();
      const ours = new End(lab.caller.connect(target()));
      ours.connection.destroy();
      await lab.aWhile();
      expect(ours.events).toEqual([]);
      await lab.eventually(() => expect(accepted.every(({ events }) => events.includes('closed'))).toBe(true));
    });

    test('a connection that is ended while it is made says nothing', async () => {
      await listen();
      const ours = new End(lab.caller.connect(target()));
      await ours.connection.end();
      await lab.aWhile();
      expect(ours.events).toEqual([]);
    });

    test('what a paused reader does not take waits with the writer, and flows when it reads on', async () => {
      const [ours, theirs] = await pair();
      theirs.connection.pause();
      const total = 16 << 20;
      ours.connection.write(new Uint8Array(total));
      await lab.aWhile();
      expect(ours.connection.queuedOctets).toBeGreaterThan(0);
      const before = ours.progress;
      theirs.connection.resume();
      await lab.eventually(() => expect([theirs.octets, ours.connection.queuedOctets]).toEqual([total, 0]));
      expect(ours.progress).toBeGreaterThan(before);
      ours.connection.destroy();
    });

    test('a paused connection delivers nothing, and all of it in order once it is resumed', async () => {
      const [ours, theirs] = await pair();
      theirs.connection.pause();
      ours.connection.write(octetsOf('first, '));
      await lab.aWhile();
      ours.connection.write(octetsOf('second'));
      void ours.connection.end();
      await lab.aWhile();
      expect([theirs.text, theirs.events]).toEqual(['', []]);
      theirs.connection.resume();
      await lab.eventually(() => expect(theirs.events).toEqual(['closed']));
      expect(theirs.text).toBe('first, second');
    });

    test('one port has one listener, and is free again when it is closed', async () => {
      const first = await listen();
      await expect(listen()).rejects.toThrow('is in use by another process');
      await first.close();
      await expect(listen()).resolves.toBeDefined();
    });

    test('a listener that is closed lets nobody in, and leaves alone who is in', async () => {
      const [ours, theirs] = await pair();
      await listeners[0]!.close();
      const late = new End(lab.caller.connect(target()));
      await lab.eventually(() => expect(late.reason?.errno).toBe('ECONNREFUSED'));
      ours.connection.write(octetsOf('still here'));
      await lab.eventually(() => expect(theirs.text).toBe('still here'));
      ours.connection.destroy();
    });

    test('a session that both sides protect by TTL works', async () => {
      await listen((connection) => connection.secure({ ttlSecurityHops: 1 }));
      const ours = new End(lab.caller.connect({ ...target(), ttlSecurityHops: 1 }));
      ours.connection.write(octetsOf('hello'));
      await lab.eventually(() => expect(accepted.map(({ text }) => text)).toEqual(['hello']));
      ours.connection.destroy();
    });

    test('a key of its own, of its prefix, and none: only who signs as the listener expects is heard', async () => {
      const listener = await listen();
      const caller = hostPrefix(parseIpAddress(lab.callerAddress));
      const around = { address: { ...caller.address, words: [caller.address.words[0]! & ~0xff] }, length: 24 };
      const call = async (password: string | undefined): Promise<readonly string[]> => {
        const ours = new End(lab.caller.connect({ ...target(), ...(password !== undefined && { password }) }));
        await lab.aWhile();
        ours.connection.destroy();
        return ours.events;
      };
      expect(listener.setPasswords([{ prefix: around, password: 'by prefix' }])).toEqual([]);
      expect(await call('by prefix')).toEqual(['opened']);
      expect(await call(undefined)).toEqual([]);
      listener.setPasswords([
        { prefix: around, password: 'by prefix' },
        { prefix: caller, password: 'its own' },
      ]);
      expect(await call('its own')).toEqual(['opened']);
      expect(await call('by prefix')).toEqual([]);
      listener.setPasswords([]);
      expect(await call(undefined)).toEqual(['opened']);
      expect(await call('its own')).toEqual([]);
    });
  });
}
