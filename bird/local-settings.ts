/** What we bring to a session with one peer, out of its settings. Pure. */
import type { LocalSettings } from './peer/negotiate.ts';
import type { LocalRestart } from './peer/restart-capabilities.ts';
import type { PeerSettings } from './settings.ts';

export interface LocalSpeaker {
  readonly bgpIdentifier: number;
  /** Selection is deferred after our restart: the R bit stands. RFC 4724 §4.1. */
  readonly restarting: boolean;
  /** Its first moments. */
  readonly starting: boolean;
}

/** For so long a speaker counts as one that has just started. */
export const STARTING_SECONDS = 5;
/** Long enough for a peer that calls the moment we listen: two connections of which one must go are work for both sides. */
const PASSIVE_DELAY_SECONDS = 0.2;
/** Who turns us away may not have heard of us yet, or does not listen yet: nodes of a cluster often start together. */
const EARLY_RETRY_SECONDS = 1;

/** The settings that a session takes as they are, where they are set. */
const AS_THEY_ARE = [
  'remoteAsns',
  'keepaliveSeconds',
  'connectDelaySeconds',
  'delayOpenSeconds',
  'sendHoldSeconds',
  'shutdown',
  'addPath',
  'extendedNextHop',
  'extendedMessages',
  'role',
  'isRoleStrict',
] as const satisfies readonly (keyof PeerSettings & keyof LocalSettings)[];

export function localSettings(peer: PeerSettings, speaker: LocalSpeaker): LocalSettings {
  const gracefulRestart = localRestart(peer, speaker);
  return {
    ...set(peer, AS_THEY_ARE),
    asn: peer.localAsn,
    bgpIdentifier: speaker.bgpIdentifier,
    remoteAsn: peer.remoteAsn,
    families: peer.families,
    passive: peer.passive,
    holdSeconds: peer.holdSeconds,
    connectRetrySeconds: peer.connectRetrySeconds,
    errorWaitSeconds: peer.errorWaitSeconds,
    ...(speaker.starting && peer.dialAtStart === true && atStart(peer)),
    ...(gracefulRestart !== undefined && { gracefulRestart }),
  };
}

/** Nobody is waited for. */
const atStart = ({ passive }: PeerSettings) => ({
  passive: false,
  connectDelaySeconds: passive ? PASSIVE_DELAY_SECONDS : 0,
  earlyRetrySeconds: EARLY_RETRY_SECONDS,
});

function localRestart(peer: PeerSettings, { restarting }: LocalSpeaker): LocalRestart | undefined {
  const { gracefulRestartSeconds, longLivedSeconds = 0, notificationRestart = true } = peer;
  if (gracefulRestartSeconds === 0 && longLivedSeconds === 0) return undefined;
  return { restartSeconds: gracefulRestartSeconds, restarting, notification: notificationRestart, longLivedSeconds };
}

/** Those of `names` that are there. */
function set<T extends object, K extends keyof T>(from: T, names: readonly K[]): Partial<Pick<T, K>> {
  const entries = names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]]);
  return Object.fromEntries(entries) as Partial<Pick<T, K>>;
}
