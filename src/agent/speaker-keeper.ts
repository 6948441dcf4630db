import type { OriginatedRoute, PeerSettings, Speaker, SpeakerSettings } from '../../bird/index.ts';
import type { Logger } from '../runtime/logger.ts';

export interface SpeakerWish {
  readonly settings: SpeakerSettings;
  readonly peers: readonly PeerSettings[];
  readonly originated: readonly OriginatedRoute[];
}

export interface SpeakerKeeperPorts {
  readonly createSpeaker: (settings: SpeakerSettings) => Speaker;
  readonly log: Logger;
  /** Learned routes or convergence changed. */
  readonly onRoutesChange: () => void;
  /** The first speaker cannot listen: the agent cannot do its work. */
  readonly onFatal: (error: Error) => void;
}

/**
 * Keeps one speaker running as wished. Peers and routes change under it; its AS number, identifier or listener
 * need a new one, because every OPEN and every attribute depends on them.
 */
export class SpeakerKeeper {
  readonly #ports: SpeakerKeeperPorts;
  #speaker: Speaker | undefined;
  #settings = '';
  #wish: SpeakerWish | undefined;
  #isBusy = false;
  #stopListening: () => void = () => undefined;

  constructor(ports: SpeakerKeeperPorts) {
    this.#ports = ports;
  }

  get speaker(): Speaker | undefined {
    return this.#speaker;
  }

  /** Takes the whole wish; returns at once. The last wish wins. */
  update(wish: SpeakerWish): void {
    this.#wish = wish;
    if (this.#speaker !== undefined && this.#settings === identity(wish.settings)) this.#apply(this.#speaker, wish);
    else if (!this.#isBusy) void this.#replace().catch((error: unknown) => this.#ports.onFatal(error as Error));
  }

  async close(how: Parameters<Speaker['close']>[0]): Promise<void> {
    this.#wish = undefined;
    this.#stopListening();
    await this.#speaker?.close(how);
  }

  #apply(speaker: Speaker, { peers, originated }: SpeakerWish): void {
    speaker.setOriginated(originated);
    speaker.setPeers(peers);
  }

  /** A wish that came while the speaker started. */
  #applyLatest(speaker: Speaker): void {
    if (this.#wish !== undefined) this.#apply(speaker, this.#wish);
  }

  async #replace(): Promise<void> {
    this.#isBusy = true;
    try {
      while (this.#wish !== undefined && this.#settings !== identity(this.#wish.settings)) {
        const { settings } = this.#wish;
        if (this.#speaker !== undefined) {
          this.#ports.log.warn({ asn: settings.asn }, 'the BGP settings of this node changed: all sessions start anew');
          this.#stopListening();
          await this.#speaker.close({ kind: 'shutdown', message: 'BGP settings of the node changed' });
        }
        // A new speaker in a running agent is no restart of the forwarding plane's owner: nobody kept our routes.
        const restarting = settings.gracefulRestart.restarting && this.#speaker === undefined;
        const speaker = this.#ports.createSpeaker({
          ...settings,
          gracefulRestart: { ...settings.gracefulRestart, restarting },
        });
        await speaker.start();
        this.#speaker = speaker;
        this.#settings = identity(settings);
        this.#stopListening = speaker.onRoutesChange(this.#ports.onRoutesChange);
        this.#applyLatest(speaker);
        this.#ports.onRoutesChange();
      }
    } finally {
      this.#isBusy = false;
    }
  }
}

const identity = ({ asn, bgpIdentifier, listen, clusterId }: SpeakerSettings): string =>
  JSON.stringify([asn, bgpIdentifier, listen, clusterId]);
