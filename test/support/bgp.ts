import type { DynamicPeers, PeerSettings } from '../../bird/index.ts';
import { localOpen, negotiate } from '../../bird/peer/negotiate.ts';
import type { LocalSettings, Negotiated } from '../../bird/peer/negotiate.ts';
import type { Open } from '../../bird/wire.ts';
import type { IpFamily } from '../../src/model/ip.ts';
import { parseIpAddress, parsePrefix } from '../../src/model/ip.ts';

/** A peer as a test writes it: addresses as text, and only what it cares about. */
export interface PeerText extends Partial<Omit<PeerSettings, 'address' | 'localAddress'>> {
  readonly address: string;
  readonly localAddress?: string;
}

const IPV4_ONLY: readonly IpFamily[] = [4];

/** Peer settings with Calico's timers, but for short retries that keep tests quick. */
export function peerSettings({ address, localAddress, ...given }: PeerText): PeerSettings {
  return {
    address: parseIpAddress(address),
    ...(localAddress !== undefined && { localAddress: parseIpAddress(localAddress) }),
    port: 179,
    kind: 'global',
    origin: 'test',
    remoteAsn: 64512,
    localAsn: 64512,
    families: IPV4_ONLY,
    passive: false,
    holdSeconds: 90,
    connectRetrySeconds: 1,
    errorWaitSeconds: [1, 4],
    gracefulRestartSeconds: 120,
    nextHop: 'auto',
    routeReflectorClient: false,
    allowOwnAsn: 0,
    ...given,
  };
}

/** Whoever calls from `cidr`, ten at most. */
export const dynamicPeers = (
  cidr: string,
  template: Partial<PeerText> = {},
  more: Partial<DynamicPeers> = {},
): DynamicPeers => ({
  prefix: parsePrefix(cidr),
  limit: 10,
  template: peerSettings({ address: '0.0.0.0', ...template }),
  ...more,
});

/** What our side brings to an iBGP session in AS 64512 with graceful restart. */
export const localSettings = (changes: Partial<LocalSettings> = {}): LocalSettings => ({
  asn: 64512,
  bgpIdentifier: 0x0a000001,
  remoteAsn: 64512,
  families: IPV4_ONLY,
  passive: false,
  holdSeconds: 90,
  connectRetrySeconds: 5,
  errorWaitSeconds: [5, 30],
  gracefulRestart: { restartSeconds: 120, restarting: false },
  ...changes,
});

/** The OPEN of the peer that `local` expects. */
export const openOf = (local: LocalSettings, bgpIdentifier = 0x0a000002): Open =>
  localOpen({ ...local, asn: local.remoteAsn, remoteAsn: local.asn, bgpIdentifier });

export function agreed(local: LocalSettings, open: Open): Negotiated {
  const outcome = negotiate(open, local);
  if (outcome.kind === 'refused') throw new Error(outcome.fault.text);
  return outcome.session;
}

export function withoutRestart(local: LocalSettings): LocalSettings {
  const copy: { gracefulRestart?: unknown } & LocalSettings = { ...local };
  delete copy.gracefulRestart;
  return copy;
}
