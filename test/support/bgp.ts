import type { PeerSettings } from '../../bird/index.ts';
import type { IpFamily } from '../../src/model/ip.ts';
import { parseIpAddress } from '../../src/model/ip.ts';

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
