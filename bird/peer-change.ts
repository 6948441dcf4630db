/** What a new set of peers means for those that are there: who is who, and what a change costs. Pure. */
import { isSame } from '../src/model/same.ts';
import { callerName } from './incoming.ts';
import type { PeerSettings } from './settings.ts';

/**
 * `light`: the session goes on, or there is none to disturb. `new session`: what was agreed on is another, with the same
 * peer. `another peer`: nothing of the old one may stay.
 */
export type PeerChange = 'none' | 'light' | 'new session' | 'another peer';

/**
 * Words for people, waits before a try, what only an OPEN says that need not be said now, and what acts on the routes
 * or beside the session. Any other setting is news to both sides, or to the kernel's end of the connection.
 */
const LIGHT: ReadonlySet<string> = new Set<keyof PeerSettings>([
  'kind',
  'origin',
  'description',
  'connectDelaySeconds',
  'dialAtStart',
  'gracefulRestartSeconds',
  'notificationRestart',
  'longLivedSeconds',
  'addPath',
  'keepaliveSeconds',
  'nextHop',
  'routeReflectorClient',
  'delayOpenSeconds',
  'sendHoldSeconds',
  'shutdown',
  'allowOwnAsn',
  'enforceFirstAs',
  'asOverride',
  'removePrivateAs',
  'routeServerClient',
  'requirePolicy',
  'prefixLimits',
  'importFilters',
  'exportFilters',
  'bfd',
  'remoteAsns',
]);

/** Who dials, where to and when: no longer of interest once the session stands. */
const DIALLING: ReadonlySet<string> = new Set<keyof PeerSettings>([
  'passive',
  'port',
  'connectRetrySeconds',
  'errorWaitSeconds',
]);

export function peerChange(before: PeerSettings, after: PeerSettings, isEstablished: boolean): PeerChange {
  // Most often, and of every peer of the cluster.
  if (isSame(before, after)) return 'none';
  const names = new Set([...Object.keys(before), ...Object.keys(after)]) as ReadonlySet<keyof PeerSettings>;
  const isUnheard = (name: string): boolean => LIGHT.has(name) || (isEstablished && DIALLING.has(name));
  if ([...names].every((name) => isUnheard(name) || isSame(before[name], after[name]))) return 'light';
  return isSamePeer(before, after) ? 'new session' : 'another peer';
}

/** For each of `wanted` the one that is there already, if any: by address and port, else the same peer on another port. */
export function matchPeers<T extends { readonly settings: PeerSettings }>(
  existing: readonly T[],
  wanted: readonly PeerSettings[],
): readonly (T | undefined)[] {
  const left = new Map(existing.map((peer) => [placeOf(peer.settings), peer] as const));
  const byPlace = wanted.map((settings) => {
    const peer = left.get(placeOf(settings));
    left.delete(placeOf(settings));
    return peer;
  });
  return byPlace.map((peer, i) => {
    if (peer !== undefined) return peer;
    const moved = [...left.values()].find(({ settings }) => isSamePeer(settings, wanted[i]!));
    if (moved !== undefined) left.delete(placeOf(moved.settings));
    return moved;
  });
}

const placeOf = (settings: PeerSettings): string => `${hostOf(settings)} port ${settings.port}`;

/** A link-local address is another host on another link. RFC 4291 §2.5.6. */
const hostOf = ({ address, interface: link }: PeerSettings): string => callerName({ address, interface: link });

/** Whose routes they are: those of a session with another AS, or in other families, are not this one's. */
const isSamePeer = (a: PeerSettings, b: PeerSettings): boolean => identityOf(a) === identityOf(b);

const identityOf = (settings: PeerSettings): string =>
  [hostOf(settings), settings.remoteAsn, ...settings.families].join();
