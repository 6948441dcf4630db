/** A reflector and its clients, whole: what comes and goes in any order leaves what was said last, and nothing else. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Speaker } from '../../bird/index.ts';
import { parseIpAddress } from '../../src/model/ip.ts';
import { peerSettings } from '../support/bgp.ts';
import type { PeerText } from '../support/bgp.ts';
import { memoryLogger } from '../support/memory-logger.ts';
import { A, B, C, learned, originate, SpeakerBench } from '../support/speakers.ts';

const PREFIXES = Array.from({ length: 60 }, (_, i) => `192.168.${i}.0/24`);
const CLIENTS = [B, C, '10.0.0.4', '10.0.0.5'];
const BOTH = { addPath: { send: true, receive: true } };

const settings = fc.record({
  gracefulRestartSeconds: fc.constantFrom(0, 5, 120),
  longLivedSeconds: fc.constantFrom(0, 30),
  families: fc.constantFrom([4] as const, [4, 6] as const),
});
const network = fc.record({ chunkOctets: fc.constantFrom(Infinity, 1000, 37), takesAtOnce: fc.boolean() });
const step = fc.record({
  do: fc.constantFrom(
    ...(['originate', 'originate', 'originate', 'reset', 'remove', 'add', 'stick', 'read', 'refresh'] as const),
    ...(['switch ADD-PATH', 'switch reflection', 'crash', 'leave and restart'] as const),
  ),
  at: fc.nat(CLIENTS.length - 1),
  from: fc.nat(PREFIXES.length - 1),
  count: fc.constantFrom(0, 1, 10, PREFIXES.length),
  /** Until the next step. */
  waitMs: fc.constantFrom(0, 1, 5, 50, 500, 3000, 20_000),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const some = (from: number, count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => PREFIXES[(from + i) % PREFIXES.length]!);

interface Client {
  readonly address: string;
  speaker: Speaker;
  said: readonly string[];
  isConfigured: boolean;
  isReflected: boolean;
  hasPaths: boolean;
}

class Cluster {
  readonly bench = new SpeakerBench();
  readonly clients: Client[] = [];
  readonly #settings: Partial<PeerText>;
  readonly #logger = memoryLogger();
  #reflector!: Speaker;

  constructor(given: Partial<PeerText>) {
    this.#settings = given;
  }

  async start(): Promise<void> {
    const world = { log: this.#logger.log };
    this.#reflector = await this.bench.start({ address: A, clusterId: 1, peers: [], world });
    for (const [i, address] of CLIENTS.entries()) {
      const client = {
        address,
        said: PREFIXES.slice(0, 3 * i),
        isConfigured: true,
        isReflected: true,
        hasPaths: i === 2,
      };
      this.clients.push({ ...client, speaker: await this.#startClient(client) });
    }
    this.configure();
    await this.bench.clock.advance(3000);
  }

  /** The reflector's peers are what the clients' fields say. */
  configure(): void {
    const peers = this.clients.filter(({ isConfigured }) => isConfigured);
    this.#reflector.setPeers(
      peers.map(({ address, isReflected, hasPaths }) =>
        peerSettings({ address, routeReflectorClient: isReflected, ...this.#settings, ...(hasPaths && BOTH) }),
      ),
    );
  }

  async take({ do: what, at, from, count, waitMs }: Step): Promise<void> {
    const client = this.clients[at]!;
    const { bench } = this;
    switch (what) {
      case 'originate':
        client.said = some(from, count);
        originate(client.speaker, client.said);
        break;
      case 'reset':
        this.#reflector.resetPeer(parseIpAddress(client.address), 'test');
        break;
      case 'refresh':
        client.speaker.refreshPeer(parseIpAddress(A));
        this.#reflector.refreshPeer(parseIpAddress(client.address));
        break;
      case 'stick':
      case 'read':
        bench.network.isStuck = what === 'stick';
        break;
      case 'crash':
      case 'leave and restart':
        void client.speaker.close(what === 'crash' ? { kind: 'restart' } : { kind: 'shutdown', message: 'test' });
        await bench.clock.advance(from);
        // What it does not say again is to go.
        client.said = some(from, count);
        client.speaker = await this.#startClient(client, from % 3 > 0);
        break;
      case 'remove':
      case 'add':
        client.isConfigured = what === 'add';
        this.configure();
        break;
      case 'switch reflection':
        client.isReflected = !client.isReflected;
        this.configure();
        break;
      case 'switch ADD-PATH':
        client.hasPaths = !client.hasPaths;
        this.configure();
        client.speaker.setPeers([peerSettings(this.#peerOf(client))]);
    }
    await bench.clock.advance(waitMs);
  }

  /** All are peers and clients again, everybody reads, and every wait is over. */
  async settle(): Promise<void> {
    this.bench.network.isStuck = false;
    for (const client of this.clients) Object.assign(client, { isConfigured: true, isReflected: true });
    this.configure();
    await this.bench.clock.advance(400_000);
  }

  /** What each client has heard of the others, and is to have heard. */
  heard(): readonly [readonly string[], readonly string[]][] {
    return this.clients.map((client) => {
      const isOthers = (prefix: string): boolean => !client.said.includes(prefix);
      const known = learned(client.speaker).map((text) => text.split(' ')[0]!);
      const wanted = new Set(this.clients.flatMap(({ said }) => said).filter(isOthers));
      return [known.filter(isOthers).sort(), [...wanted].sort()];
    });
  }

  get speakers(): readonly Speaker[] {
    return [this.#reflector, ...this.clients.map(({ speaker }) => speaker)];
  }

  get bugs(): readonly string[] {
    return this.#logger.lines.filter(({ level }) => level === 'error').map(({ message }) => message);
  }

  #peerOf({ hasPaths }: Pick<Client, 'hasPaths'>): PeerText {
    return { address: A, ...this.#settings, ...(hasPaths && BOTH) };
  }

  #startClient(client: Omit<Client, 'speaker'>, restarting = false): Promise<Speaker> {
    return this.bench.start({
      ...{ address: client.address, peers: [this.#peerOf(client)], originates: client.said },
      gracefulRestart: { restarting, deferralSeconds: 10 },
      world: { log: this.#logger.log },
    });
  }
}

test('whatever happens to a reflector and its clients, each hears what the others said last, and nothing is kept', async () => {
  await fc.assert(
    fc.asyncProperty(settings, network, fc.array(step, { maxLength: 40, size: 'max' }), async (given, wire, steps) => {
      const cluster = new Cluster(given);
      Object.assign(cluster.bench.network, wire);
      await cluster.start();
      for (const each of steps) await cluster.take(each);
      await cluster.settle();
      for (const [known, wanted] of cluster.heard()) expect(known).toEqual(wanted);
      expect(cluster.speakers.map((speaker) => speaker.isConverged())).not.toContain(false);

      for (const { speaker } of cluster.clients) originate(speaker, []);
      await cluster.bench.clock.advance(100_000);
      const held = cluster.speakers.flatMap((speaker) => speaker.tables().map(({ prefixes }) => prefixes));
      expect([new Set(held), cluster.bugs]).toEqual([new Set([0]), []]);
      await cluster.bench.close();
    }),
    { numRuns: 20 },
  );
}, 60_000);
