import type { OriginatedRoute, PeerSettings, Speaker, SpeakerSettings } from '../../bird/index.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';

export interface SpeakerWish {
  readonly settings: SpeakerSettings;
  readonly peers: readonly PeerSettings[];
  readonly originated: readonly OriginatedRoute[];
}

export interface SpeakerKeeperPorts {
  readonly createSpeaker: (settings: SpeakerSettings) => Speaker;
  readonly clock: Clock;
  readonly log: Logger;
  /** Learned routes or convergence changed. */
  readonly onRoutesChange: () => void;
  /** There is no speaker and none can be had: the agent cannot do its work. */
  readonly onFatal: (error: Error) => void;
}

const RETRY_MS = 10_000;

/**
 * Keeps one speaker running as wished. Peers and routes change under it; its AS number, identifier or listener need a new
 * one, because every OPEN and every attribute depends on them. The new one takes over as after a restart: the old one hangs
 * up without a NOTIFICATION, peers keep our routes, and nothing is deleted here until the new one has converged.
 */
export class SpeakerKeeper {
  readonly #ports: SpeakerKeeperPorts;
  #current:
    { readonly speaker: Speaker; readonly settings: SpeakerSettings; readonly stopListening: () => void } | undefined;
  #wish: SpeakerWish | undefined;
  /** What cannot be had for now, and so is not tried at every change of something else. */
  #refused = '';
  #replacing: Promise<void> | undefined;
  #isClosed = false;
  #stopRetry: () => void = () => undefined;

  constructor(ports: SpeakerKeeperPorts) {
    this.#ports = ports;
  }

  get speaker(): Speaker | undefined {
    return this.#current?.speaker;
  }

  /** Takes the whole wish; returns at once. The last wish wins. */
  update(wish: SpeakerWish): void {
    if (this.#isClosed) return;
    this.#wish = wish;
    this.#apply();
    if (!this.#needsNew() || this.#replacing !== undefined) return;
    this.#replacing = this.#replace()
      .catch((error: unknown) => this.#ports.onFatal(error as Error))
      .finally(() => {
        this.#replacing = undefined;
      });
  }

  /** Waits for a replacement under way, so that no speaker outlives its keeper. */
  async close(how: Parameters<Speaker['close']>[0]): Promise<void> {
    this.#isClosed = true;
    this.#stopRetry();
    await this.#replacing;
    this.#current?.stopListening();
    await this.#current?.speaker.close(how);
  }

  /** Peers and routes go to the speaker there is, also while another one cannot be had. */
  #apply(): void {
    if (this.#wish === undefined) return;
    this.#current?.speaker.setOriginated(this.#wish.originated);
    this.#current?.speaker.setPeers(this.#wish.peers);
  }

  #needsNew(): boolean {
    if (this.#isClosed || this.#wish === undefined) return false;
    const wished = identity(this.#wish.settings);
    return wished !== this.#refused && (this.#current === undefined || wished !== identity(this.#current.settings));
  }

  async #replace(): Promise<void> {
    while (this.#wish !== undefined && this.#needsNew()) {
      const { settings } = this.#wish;
      const previous = this.#current;
      const restarting = settings.gracefulRestart.restarting || previous !== undefined;
      const next = this.#ports.createSpeaker({
        ...settings,
        gracefulRestart: { ...settings.gracefulRestart, restarting },
      });
      if (previous !== undefined && !(await this.#startBeside(next, settings))) continue;
      if (previous === undefined) await next.start();
      const stopListening = next.onRoutesChange(this.#ports.onRoutesChange);
      this.#current = { speaker: next, settings, stopListening };
      if (!this.#isClosed) this.#apply();
      this.#ports.onRoutesChange();
    }
  }

  /** Starts `next` and ends the one there is; listens first where the ports differ, so that a port that is taken costs nothing. */
  async #startBeside(next: Speaker, settings: SpeakerSettings): Promise<boolean> {
    const previous = this.#current!;
    const { log } = this.#ports;
    const hasOwnPort = JSON.stringify(settings.listen) !== JSON.stringify(previous.settings.listen);
    try {
      if (hasOwnPort) await next.start();
    } catch (error) {
      log.warn(
        { error: (error as Error).message },
        'the BGP settings of this node changed and cannot be used; the old ones stay',
      );
      this.#refused = identity(settings);
      this.#stopRetry = this.#ports.clock.after(RETRY_MS, () => {
        this.#refused = '';
        if (this.#wish !== undefined) this.update(this.#wish);
      });
      return false;
    }
    log.warn(
      { asn: settings.asn },
      'the BGP settings of this node changed: all sessions start anew, routes stay meanwhile',
    );
    previous.stopListening();
    this.#current = undefined;
    await previous.speaker.close({ kind: 'restart' });
    if (!hasOwnPort) await next.start();
    return true;
  }
}

const identity = ({ asn, bgpIdentifier, listen, clusterId }: SpeakerSettings): string =>
  JSON.stringify([asn, bgpIdentifier, listen, clusterId]);
