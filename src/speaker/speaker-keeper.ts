import type {
  CloseHow,
  DynamicPeers,
  OriginatedRoute,
  PeerSettings,
  Speaker,
  SpeakerSettings,
} from '../../bird/index.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';

export interface SpeakerWish {
  readonly settings: SpeakerSettings;
  readonly peers: readonly PeerSettings[];
  readonly dynamicPeers?: readonly DynamicPeers[];
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

interface Running {
  readonly speaker: Speaker;
  readonly settings: SpeakerSettings;
  readonly stopListening: () => void;
  applied: SpeakerWish | undefined;
}

/**
 * Keeps one speaker running as wished. Peers, routes and the cluster id change under it; its AS number, identifier, listener
 * and the like need a new one, because every OPEN and every attribute depends on them. The new one takes over as after a restart: the old one hangs
 * up without a NOTIFICATION, peers keep our routes, and nothing is deleted here until the new one has converged.
 */
export class SpeakerKeeper {
  readonly #ports: SpeakerKeeperPorts;
  #current: Running | undefined;
  #wish: SpeakerWish | undefined;
  /** What cannot be had for now, and so is not tried at every change of something else. */
  #refused = '';
  #replacing: Promise<void> | undefined;
  /** Told to close: there will be no other speaker. */
  #isLeaving = false;
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

  /**
   * Waits for a replacement under way, so that no speaker outlives its keeper. While a speaker drains, wishes still reach
   * it; a second call is the speaker's to judge.
   */
  async close(how: CloseHow): Promise<void> {
    this.#isLeaving = true;
    if (how.kind !== 'drain') this.#isClosed = true;
    this.#stopRetry();
    await this.#replacing;
    if (how.kind !== 'drain') this.#current?.stopListening();
    await this.#current?.speaker.close(how);
    this.#isClosed = true;
    if (how.kind === 'drain') this.#current?.stopListening();
  }

  /**
   * Peers and routes go to the speaker there is, also while another one cannot be had. What is the same object as before
   * is not handed over again.
   */
  #apply(): void {
    const wish = this.#wish;
    const current = this.#current;
    if (wish === undefined || current === undefined) return;
    const { speaker, applied } = current;
    current.applied = wish;
    speaker.setClusterId(wish.settings.clusterId);
    if (applied?.originated !== wish.originated) speaker.setOriginated(wish.originated);
    if (applied?.dynamicPeers !== wish.dynamicPeers) speaker.setDynamicPeers(wish.dynamicPeers ?? []);
    if (applied?.peers !== wish.peers) speaker.setPeers(wish.peers);
  }

  #needsNew(): boolean {
    if (this.#isLeaving || this.#wish === undefined) return false;
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
      this.#enter(next, settings);
    }
  }

  /**
   * Starts `next` and ends the one there is. Where they share no port `next` listens first, so that a port that is taken costs
   * nothing; where they do (0.0.0.0 and an address of the host, too), the port must be free first, and what there was comes back
   * where `next` cannot have it.
   */
  async #startBeside(next: Speaker, settings: SpeakerSettings): Promise<boolean> {
    const previous = this.#current!;
    const mustWait = sharesPort(settings, previous.settings);
    if (!mustWait && !(await this.#tryStart(next, settings))) {
      this.#tryAgainLater();
      return false;
    }
    this.#ports.log.warn(
      { asn: settings.asn },
      'the settings of the speaker changed: all sessions start anew, routes stay meanwhile',
    );
    previous.stopListening();
    this.#current = undefined;
    await previous.speaker.close({ kind: 'restart' });
    if (!mustWait || (await this.#tryStart(next, settings))) return true;
    // Not tried again by itself: each try costs all sessions.
    await this.#resume(previous.settings);
    return false;
  }

  async #tryStart(next: Speaker, settings: SpeakerSettings): Promise<boolean> {
    try {
      await next.start();
      return true;
    } catch (error) {
      this.#ports.log.warn(
        { error: (error as Error).message },
        'the settings of the speaker changed and cannot be used; the old ones stay',
      );
      this.#refused = identity(settings);
      return false;
    }
  }

  #tryAgainLater(): void {
    this.#stopRetry = this.#ports.clock.after(RETRY_MS, () => {
      this.#refused = '';
      if (this.#wish !== undefined) this.update(this.#wish);
    });
  }

  async #resume(settings: SpeakerSettings): Promise<void> {
    const gracefulRestart = { ...settings.gracefulRestart, restarting: true };
    const speaker = this.#ports.createSpeaker({ ...settings, gracefulRestart });
    await speaker.start();
    this.#enter(speaker, settings);
  }

  #enter(speaker: Speaker, settings: SpeakerSettings): void {
    const stopListening = speaker.onRoutesChange(this.#ports.onRoutesChange);
    this.#current = { speaker, settings, stopListening, applied: undefined };
    if (!this.#isClosed) this.#apply();
    this.#ports.onRoutesChange();
  }
}

const sharesPort = (a: SpeakerSettings, b: SpeakerSettings): boolean =>
  a.listen.some(({ port }) => b.listen.some((other) => other.port === port));

const identity = ({ asn, bgpIdentifier, listen, transit, decision }: SpeakerSettings): string =>
  JSON.stringify([asn, bgpIdentifier, listen, transit, decision]);
