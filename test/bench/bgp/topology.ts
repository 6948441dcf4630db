/** Who speaks with the daemon under load: addresses and AS numbers, as the generator counts them. Pure. */
import type { Load } from './loads.ts';

export type Family = 4 | 6;
/** `watcher`: hold time 3 and no routes; its keepalives are timed. */
export type PeerRole = 'injector' | 'monitor' | 'watcher';

export const DAEMON_ASN = 64512;
export const FIRST_ASN: Readonly<Record<PeerRole, number>> = { injector: 100_000, monitor: 65_001, watcher: 70_000 };
export const PORT = 179;
export const ROUTER_ID = '198.18.0.1';
export const WATCHERS = 10;

export interface Addresses extends Readonly<Record<PeerRole, string>> {
  readonly daemon: string;
}

/** Of RFC 2544's range for benchmarks, and a private one. The first of each role; the next are counted up from it. */
export const ADDRESSES: Readonly<Record<Family, Addresses>> = {
  4: { daemon: '198.18.0.1', injector: '198.19.0.1', monitor: '198.19.128.1', watcher: '198.19.192.1' },
  6: {
    ...{ daemon: 'fd00:bb::c612:1', injector: 'fd00:bb::c613:1' },
    ...{ monitor: 'fd00:bb::c613:8001', watcher: 'fd00:bb::c613:c001' },
  },
};

export interface LoadPeer {
  readonly address: string;
  readonly asn: number;
  readonly role: PeerRole;
  /** Of the routes that it may tell and hear; a watcher's is the other one than the transport's. */
  readonly family: Family;
  readonly isReflectorClient: boolean;
}

/** All neighbours that the daemon must accept; none is dialled. */
export function peersOf(load: Load): readonly LoadPeer[] {
  const { injectors = 1, monitors = 1, late = 0 } = load.options;
  const peers = (role: PeerRole, count: number): readonly LoadPeer[] =>
    Array.from({ length: count }, (_, i) => ({
      address: addressAt(ADDRESSES[load.family][role], i),
      asn: isInternal(load, role) ? DAEMON_ASN : FIRST_ASN[role] + i,
      role,
      family: role === 'watcher' ? otherFamily(load.family) : load.family,
      isReflectorClient: load.role === 'reflector' && role !== 'watcher',
    }));
  return [
    ...peers('injector', Number(injectors)),
    ...peers('monitor', Number(monitors) + Number(late)),
    ...peers('watcher', load.watched ? WATCHERS : 0),
  ];
}

const otherFamily = (family: Family): Family => (family === 4 ? 6 : 4);

function isInternal(load: Load, role: PeerRole): boolean {
  if (role === 'watcher') return false;
  return load.role === 'reflector' || (load.role === 'mesh' && role === 'injector');
}

/** The address `n` above this one; only its last 16 bits are counted. */
function addressAt(base: string, n: number): string {
  if (base.includes(':')) {
    const at = base.lastIndexOf(':') + 1;
    return base.slice(0, at) + (parseInt(base.slice(at), 16) + n).toString(16);
  }
  const [a, b, c, d] = base.split('.').map(Number) as [number, number, number, number];
  const low = c * 256 + d + n;
  return `${a}.${b}.${low >> 8}.${low & 255}`;
}
