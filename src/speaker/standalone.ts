import type { CloseHow, Speaker, SpeakerSettings } from '../../bird/index.ts';
import type { BgpApi } from '../api/bgp-routes.ts';
import type { DrainRequest, SpeakerStatus } from '../api/contract.ts';
import { formatIpv4, formatPrefix } from '../model/ip.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger, LogLevel } from '../runtime/logger.ts';
import { whyNoPeer } from './absent-peer.ts';
import { BgpAnswers } from './bgp-answers.ts';
import { peerStatus } from './bgp-status.ts';
import type { SpeakerConfiguration } from './convert.ts';
import { ConfigurationError } from './problems.ts';
import { longestAround } from './longest.ts';
import { SpeakerKeeper } from './speaker-keeper.ts';

export interface StandalonePorts {
  /** For people. */
  readonly file: string;
  readonly host: string;
  readonly version: string;
  /** What the file says now; throws ConfigurationError. */
  readonly load: () => SpeakerConfiguration;
  readonly createSpeaker: (settings: SpeakerSettings) => Speaker;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onLogLevel: (level: LogLevel) => void;
  /** The speaker listens; again where another took its place. */
  readonly onListening: () => void;
  readonly onFatal: (error: Error) => void;
  /** Somebody asked it to leave for good. */
  readonly onStopped: () => void;
}

/** A speaker and the file that it follows. What was good stays in force where the file is not. */
export class StandaloneSpeaker implements BgpApi {
  readonly #ports: StandalonePorts;
  readonly #keeper: SpeakerKeeper;
  readonly bgp: BgpAnswers;
  readonly #startedAt: number;
  /** An earlier process left without a farewell, so that peers may still have its routes. */
  readonly #isRestart: boolean;
  #inForce: SpeakerConfiguration;
  #readAt: number;
  #refused: readonly string[] = [];
  #speaker: Speaker | undefined;
  #isClosed = false;

  constructor(configuration: SpeakerConfiguration, isRestart: boolean, ports: StandalonePorts) {
    this.#ports = ports;
    this.#inForce = configuration;
    this.#isRestart = isRestart;
    this.#startedAt = this.#readAt = ports.clock.wallTime();
    const { createSpeaker, clock, log, onFatal } = ports;
    this.#keeper = new SpeakerKeeper({ createSpeaker, clock, log, onFatal, onRoutesChange: () => this.#look() });
    this.bgp = new BgpAnswers({
      speaker: () => this.#keeper.speaker,
      whyNoPeer: (address) =>
        whyNoPeer(address, this.#inForce, { file: ports.file, isRefused: this.#refused.length > 0 }),
      ownRoute: (asked) => {
        const own = longestAround(this.#inForce.originated, asked);
        return own === undefined ? undefined : `tells ${formatPrefix(own.prefix)}: ${own.reason}`;
      },
      kernelRoute: () => undefined,
    });
  }

  start(): void {
    this.#apply();
  }

  /** Reads the file again. Only what differs is touched; a file with a problem changes nothing. */
  reload(): void {
    if (this.#isClosed) return;
    const { load, clock, log, file } = this.#ports;
    const before = this.#inForce;
    try {
      this.#inForce = kept(before, load());
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      this.#refused = error.problems;
      for (const problem of error.problems)
        log.error({ file, problem }, 'the configuration is wrong; the former stays in force');
      return;
    }
    this.#refused = [];
    this.#readAt = clock.wallTime();
    const changed = NAMES.filter((name) => before[name] !== this.#inForce[name]);
    log.info({ file, changed }, 'the configuration was read again');
    const late = changed.filter((name) => name === 'socketPath' || name === 'socketMode');
    if (late.length > 0) log.warn({ changed: late }, 'the socket changes with the next start');
    this.#apply();
  }

  status(): SpeakerStatus {
    const { host, version, file } = this.#ports;
    const { asn, bgpIdentifier } = this.#inForce.settings;
    const speaker = this.#keeper.speaker;
    return {
      node: host,
      version,
      pid: process.pid,
      startedAt: new Date(this.#startedAt).toISOString(),
      bgp: {
        asn,
        bgpIdentifier: formatIpv4(bgpIdentifier),
        address: '',
        converged: speaker?.isConverged() ?? false,
        peers: (speaker?.peers() ?? []).map(peerStatus),
      },
      configuration: {
        file,
        readAt: new Date(this.#readAt).toISOString(),
        ...(this.#refused.length > 0 && { refused: this.#refused }),
      },
    };
  }

  async stop(message: string): Promise<void> {
    this.#ports.log.info({ message }, 'told to leave: peers withdraw our routes now');
    await this.close({ kind: 'shutdown', message });
    this.#ports.onStopped();
  }

  async drain({ message, waitSeconds }: DrainRequest): Promise<void> {
    this.#ports.log.info({ message, waitSeconds }, 'told to drain: peers take other ways first');
    await this.close({ kind: 'drain', message, waitSeconds });
    this.#ports.onStopped();
  }

  /** Whether any peer keeps our routes while another process takes over. */
  get isRestartable(): boolean {
    const { peers, dynamicPeers } = this.#inForce;
    return [...peers, ...dynamicPeers.map(({ template }) => template)].some(
      ({ gracefulRestartSeconds }) => gracefulRestartSeconds > 0,
    );
  }

  /** A drain works on until it is over, and is hurried by a second call. */
  async close(how: CloseHow): Promise<void> {
    if (how.kind !== 'drain') this.#isClosed = true;
    await this.#keeper.close(how);
    this.#isClosed = true;
  }

  #apply(): void {
    const { settings, peers, dynamicPeers, originated, logLevel } = this.#inForce;
    this.#ports.onLogLevel(logLevel);
    const gracefulRestart = { ...settings.gracefulRestart, restarting: this.#isRestart };
    this.#keeper.update({ settings: { ...settings, gracefulRestart }, peers, dynamicPeers, originated });
  }

  #look(): void {
    const { speaker } = this.#keeper;
    if (speaker === this.#speaker) return;
    this.#speaker = speaker;
    if (speaker !== undefined) this.#ports.onListening();
  }
}

const NAMES = [
  ...(['settings', 'peers', 'dynamicPeers', 'originated', 'socketPath', 'socketMode', 'logLevel'] as const),
] as const satisfies readonly (keyof SpeakerConfiguration)[];

/** `next`, with the very parts of `before` where they say the same: what is the same object need not be applied. */
function kept(before: SpeakerConfiguration, next: SpeakerConfiguration): SpeakerConfiguration {
  const parts = NAMES.map((name) => [
    name,
    JSON.stringify(before[name]) === JSON.stringify(next[name]) ? before[name] : next[name],
  ]);
  return Object.fromEntries(parts) as SpeakerConfiguration;
}
