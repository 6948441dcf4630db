/** Where the VXLAN links find the other nodes: permanent neighbours and forwarding entries. All on those links is ours. */
import { formatIpAddress, sameAddress } from '../src/model/ip.ts';
import { TUNNEL_LINKS } from './calc/encap.ts';
import type { HostLink } from './calc/host-view.ts';
import type { DesiredTunnelPeer } from './calc/tunnels.ts';
import { DeltaTracker } from './delta-tracker.ts';
import type { Kernel, KernelNeighbour } from './kernel.ts';
import type { Change, PassResult } from './reconcile.ts';
import { asError, reconcile } from './reconcile.ts';
import { RetrySchedule } from './retry.ts';

type Links = ReadonlyMap<string, HostLink>;

const VXLAN_LINKS = [TUNNEL_LINKS.vxlan, TUNNEL_LINKS['vxlan-v6']];

export class NeighbourTable {
  readonly #kernel: Pick<Kernel, 'listNeighbours' | 'replaceNeighbour' | 'removeNeighbour'>;
  readonly #tracker = new DeltaTracker<string, KernelNeighbour>(sameNeighbour);
  readonly #retry = new RetrySchedule<string>();

  constructor(kernel: Pick<Kernel, 'listNeighbours' | 'replaceNeighbour' | 'removeNeighbour'>) {
    this.#kernel = kernel;
  }

  /** Reads the links' permanent entries back; what was learned comes and goes by itself and is not ours to judge. */
  async resync(links: Links): Promise<void> {
    const all: KernelNeighbour[] = [];
    for (const name of VXLAN_LINKS) {
      const link = links.get(name);
      if (link !== undefined) all.push(...(await this.#kernel.listNeighbours(link.index)));
    }
    this.#tracker.setActual(new Map(all.filter(isPermanentUnicast).map((entry) => [neighbourKey(entry), entry])));
  }

  /** Peers over a link that is not there cannot be. */
  setDesired(peers: readonly DesiredTunnelPeer[], links: Links): void {
    const entries = peers.flatMap((peer) => toKernelNeighbours(peer, links.get(peer.interfaceName)?.index));
    const desired = new Map(entries.map((entry) => [neighbourKey(entry), entry]));
    this.#retry.keepOnly((key) => this.#tracker.isSameWish(key, desired));
    this.#tracker.setDesired(desired);
  }

  reconcile(now: number, mayDelete: boolean): Promise<PassResult<string>> {
    return reconcile(this.#tracker, (changes) => this.#write(changes), {
      retry: this.#retry,
      now,
      mayDelete: () => mayDelete,
    });
  }

  nextDueAt(): number | undefined {
    return this.#retry.nextDueAt();
  }

  async #write(changes: readonly Change<string, KernelNeighbour>[]): Promise<readonly (Error | undefined)[]> {
    const results: (Error | undefined)[] = [];
    for (const { op, value } of changes) {
      const done = op === 'replace' ? this.#kernel.replaceNeighbour(value) : this.#kernel.removeNeighbour(value);
      results.push(await done.then(() => undefined, asError));
    }
    return results;
  }
}

function toKernelNeighbours(
  { gateway, mac, remote }: DesiredTunnelPeer,
  ifindex: number | undefined,
): readonly KernelNeighbour[] {
  if (ifindex === undefined) return [];
  return [
    { kind: 'neighbour', ifindex, address: gateway, mac, permanent: true },
    { kind: 'fdb', ifindex, mac, remote, permanent: true },
  ];
}

/** The kernel's own multicast entries are permanent too (33:33:..., 01:00:5e:...): the group bit of the MAC is set. */
function isPermanentUnicast({ mac, permanent }: KernelNeighbour): boolean {
  const isGroup = (parseInt(mac.slice(0, 2), 16) & 1) === 1;
  return permanent && mac !== '' && mac !== '00:00:00:00:00:00' && !isGroup;
}

export const neighbourKey = (entry: KernelNeighbour): string =>
  entry.kind === 'fdb'
    ? `fdb ${entry.ifindex} ${entry.mac}`
    : `neighbour ${entry.ifindex} ${formatIpAddress(entry.address)}`;

function sameNeighbour(a: KernelNeighbour, b: KernelNeighbour): boolean {
  if (a.mac !== b.mac || a.ifindex !== b.ifindex || a.permanent !== b.permanent) return false;
  if (a.kind === 'fdb') return b.kind === 'fdb' && sameAddress(a.remote, b.remote);
  return b.kind === 'neighbour' && sameAddress(a.address, b.address);
}
