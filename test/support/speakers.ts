/** Speakers on hosts of one wire in memory, under a clock that the test turns. */
import { createSpeaker } from '../../bird/index.ts';
import type { PeerView, Speaker, SpeakerSettings, SpeakerWorld } from '../../bird/index.ts';
import { formatIpAddress, formatPrefix, parseIpAddress, parsePrefix } from '../../src/model/ip.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { peerSettings } from './bgp.ts';
import type { PeerText } from './bgp.ts';
import { FakeClock } from './fake-clock.ts';
import { MemoryNetwork } from './memory-transport.ts';

export interface Host extends Partial<SpeakerSettings> {
  readonly address: string;
  readonly peers: readonly PeerText[];
  readonly originates?: readonly string[];
  /** Instead of what the bench has. */
  readonly world?: Partial<SpeakerWorld>;
}

export const A = '10.0.0.1';
export const B = '10.0.0.2';
export const C = '10.0.0.3';

export class SpeakerBench {
  readonly clock = new FakeClock();
  readonly network = new MemoryNetwork(this.clock);
  readonly #speakers: Speaker[] = [];

  /** Not started, and told nothing yet. */
  make({ address, world, ...settings }: Partial<SpeakerSettings> & Pick<Host, 'address' | 'world'>): Speaker {
    const speaker = createSpeaker(
      {
        asn: 64512,
        bgpIdentifier: parseIpAddress(address).words[0]!,
        listen: [{ address, port: 179 }],
        gracefulRestart: { restarting: false, deferralSeconds: 60 },
        ...settings,
      },
      { clock: this.clock, random: () => 1, log: silentLogger, transport: this.network.host(address), ...world },
    );
    this.#speakers.push(speaker);
    return speaker;
  }

  async start({ peers, originates = [], ...settings }: Host): Promise<Speaker> {
    const speaker = this.make(settings);
    originate(speaker, originates);
    speaker.setPeers(peers.map(peerSettings));
    await speaker.start();
    return speaker;
  }

  /** Two nodes of a mesh that know each other's routes. */
  async pair(ofA: Partial<PeerText> = {}, ofB: Partial<PeerText> = {}): Promise<readonly [Speaker, Speaker]> {
    const a = await this.start({ address: A, peers: [{ address: B, ...ofA }], originates: ['192.168.1.0/26'] });
    const originates = ['192.168.2.0/26', 'fd00:2::/122'];
    const b = await this.start({ address: B, peers: [{ address: A, ...ofB }], originates });
    await this.clock.advance(3000);
    return [a, b];
  }

  async close(): Promise<void> {
    await Promise.all(this.#speakers.map((speaker) => speaker.close({ kind: 'restart' })));
  }
}

export const originate = (speaker: Speaker, prefixes: readonly string[]): void =>
  speaker.setOriginated(prefixes.map((text) => ({ prefix: parsePrefix(text), reason: 'test' })));

export const learned = (speaker: Speaker): readonly string[] =>
  speaker
    .learnedRoutes()
    .map(({ prefix, nextHops }) => `${formatPrefix(prefix)} via ${nextHops.map(formatIpAddress).join(', ')}`)
    .sort();

export const peer = (speaker: Speaker, index = 0): PeerView => speaker.peers()[index]!;
