import type { PeerSettings } from '../settings.ts';

export const OUR_ASN = 64_512;

type Given = Pick<PeerSettings, 'address' | 'remoteAsn' | 'families'> & Partial<PeerSettings>;

/** A peer of a rehearsal. It has what most peers have, for that is what is to be compiled. */
export const peerInPlay = (given: Given): PeerSettings => ({
  ...{ port: 179, kind: 'rehearsal', origin: 'rehearsal', localAsn: OUR_ASN, passive: true },
  ...{ holdSeconds: 90, connectRetrySeconds: 5, errorWaitSeconds: [5, 30], gracefulRestartSeconds: 120 },
  ...{ connectDelaySeconds: 0, nextHop: 'auto', routeReflectorClient: false, allowOwnAsn: 0 },
  ...given,
});

/**
 * `peer` with the properties of a real one in their order: what is compiled for one form of an object is thrown away when
 * another comes.
 */
export function inTheFormOf(real: object | undefined, peer: PeerSettings): PeerSettings {
  const names = Object.entries(real ?? {}).filter(([name]) => name in peer);
  return { ...Object.fromEntries<unknown>(names), ...peer };
}
