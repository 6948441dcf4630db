/** Our speaker as a process of its own on a host of its own, and scripted peers around it. Needs root. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readdirSync } from 'node:fs';
import type { SpeakerSettings } from '../../bird/index.ts';
import { parseIpAddress } from '../../src/model/ip.ts';
import type { PeerText } from './bgp.ts';
import { SpeakerHandle } from './bgp-lab.ts';
import { enterOwnNetwork } from './scripted-peer-network.ts';
import type { OwnNetwork } from './scripted-peer-network.ts';
import { ScriptedPeer } from './scripted-peer.ts';
import type { PeerScript } from './scripted-peer-script.ts';
import type { SpeakerMemory, SpeakerTables } from './speaker-process.ts';

export const SPEAKER = '10.66.0.1';
export const SPEAKER_ASN = 64512;

/** What a peer is to the speaker, and how it will behave. */
export type LabPeer = Partial<PeerText> & Pick<PeerScript, 'address' | 'asn'>;

export class PeerLab {
  readonly speaker: SpeakerHandle;
  readonly #process: ChildProcess;
  readonly #network: OwnNetwork;
  readonly #peers = new Set<ScriptedPeer>();
  #stderr = '';

  private constructor(network: OwnNetwork, child: ChildProcess, speaker: SpeakerHandle) {
    this.#network = network;
    this.#process = child;
    this.speaker = speaker;
    child.stderr!.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
  }

  /**
   * A speaker of AS 64512 that passes everything on and has no routes of its own, listening on 10.66.0.1; all of
   * 10.66.0.0/16 may be peers, and what `addresses` adds.
   */
  static async start(settings: Partial<SpeakerSettings> = {}, addresses: readonly string[] = []): Promise<PeerLab> {
    const network = enterOwnNetwork([`${SPEAKER}/16`, ...addresses]);
    const complete: SpeakerSettings = {
      asn: SPEAKER_ASN,
      bgpIdentifier: parseIpAddress(SPEAKER).words[0]!,
      listen: [{ address: SPEAKER, port: 179 }],
      transit: true,
      gracefulRestart: { restarting: false, deferralSeconds: 30 },
      ...settings,
    };
    const script = ['--expose-gc', 'test/support/speaker-process.ts', JSON.stringify(complete)];
    const child = spawn(process.execPath, script, { stdio: ['pipe', 'pipe', 'pipe'] });
    try {
      const lab = new PeerLab(network, child, await SpeakerHandle.of(child));
      await lab.speaker.tell({ do: 'setOriginated', prefixes: [] });
      return lab;
    } catch (error) {
      child.kill('SIGKILL');
      network.leave();
      throw error;
    }
  }

  /** The whole set: each waits for the peer to connect, is let in again at once after an error, and needs no policy. */
  async setPeers(peers: readonly LabPeer[]): Promise<void> {
    const texts = peers.map(({ asn, ...peer }) => ({
      remoteAsn: asn,
      families: [4, 6] as const,
      passive: true,
      errorWaitSeconds: [0.2, 0.2] as const,
      requirePolicy: false,
      ...peer,
    }));
    await this.speaker.tell({ do: 'setPeers', peers: texts });
  }

  /** TCP stands; the lab ends it at the latest. */
  async connect({
    address,
    asn,
    ...script
  }: Pick<LabPeer, 'address' | 'asn'> & Partial<PeerScript>): Promise<ScriptedPeer> {
    const peer = await ScriptedPeer.connect({ asn, address, bgpIdentifier: address, speaker: SPEAKER, ...script });
    for (const other of this.#peers) if (other.end !== undefined) this.#peers.delete(other);
    this.#peers.add(peer);
    return peer;
  }

  async establish(peer: Pick<LabPeer, 'address' | 'asn'> & Partial<PeerScript>): Promise<ScriptedPeer> {
    return (await this.connect(peer)).establish();
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** What the process said on its way out; empty while all is well. */
  get stderr(): string {
    return this.#stderr;
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Garbage is collected before. */
  memory(): Promise<SpeakerMemory> {
    return this.speaker.tell({ do: 'memory' }) as Promise<SpeakerMemory>;
  }

  tables(): Promise<SpeakerTables> {
    return this.speaker.tell({ do: 'tables' }) as Promise<SpeakerTables>;
  }

  /** How many file descriptors the speaker has open. */
  get openFiles(): number {
    return readdirSync(`${this.#proc}/fd`).length;
  }

  async close(): Promise<void> {
    for (const peer of this.#peers) peer.reset();
    if (this.isRunning) {
      this.signal('SIGCONT');
      await this.speaker.kill();
    }
    this.#network.leave();
  }

  get #proc(): string {
    return `/proc/${this.#process.pid}`;
  }
}
