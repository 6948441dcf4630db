/** Where the VXLAN links find the other nodes: permanent neighbours and forwarding entries. All on those links is ours. */
import { formatIpAddress, sameAddress } from '../src/model/ip.ts';
import { TUNNEL_LINKS } from './calc/encap.ts';
import type { HostLink } from './calc/host-view.ts';
import type { DesiredTunnelPeer } from './calc/tunnels.ts';
import { DeltaTracker } from './delta-tracker.ts';
import type { Kernel, KernelEvent, KernelNeighbour } from './kernel.ts';
import type { Change, PassResult } from './reconcile.ts';
import { asError, reconcile } from './reconcile.ts';
import { RepairGuard } from './repair-guard.ts';
import type { RepairObject } from './repairs.ts';
import { Repairs } from './repairs.ts';
import { RetrySchedule } from './retry.ts';

type Links = ReadonlyMap<string, HostLink>;

const VXLAN_LINKS = [TUNNEL_LINKS.vxlan, TUNNEL_LINKS['vxlan-v6']];

export class NeighbourTable {
  readonly #kernel: Pick<Kernel, 'listNeighbours' | 'replaceNeighbour' | 'removeNeighbour'>;
  readonly #tracker = new DeltaTracker<string, KernelNeighbour>(sameNeighbour);
  readonly #retry = new RetrySchedule<string>();
  readonly #guard: RepairGuard<string, KernelNeighbour>;
  /** Whose entries we know. */
  #ifindexes: readonly number[] = [];
  /** What the desired entries follow from: the peers, and the index of each link that is there. */
  #wish: { readonly peers: readonly DesiredTunnelPeer[]; readonly links: string } | undefined;

  constructor(
    kernel: Pick<Kernel, 'listNeighbours' | 'replaceNeighbour' | 'removeNeighbour'>,
    repairs = new Repairs(),
  ) {
    this.#kernel = kernel;
    this.#guard = new RepairGuard(this.#tracker, repairs, {
      objectOf: (_, entry) => neighbourObject(entry),
      linksOf: ({ ifindex }) => [ifindex],
      isSame: sameNeighbour,
    });
  }

  /** Reads the links' permanent entries back; what was learned comes and goes by itself and is not ours to judge. */
  async resync(links: Links): Promise<void> {
    const indexes = VXLAN_LINKS.flatMap((name) => links.get(name)?.index ?? []);
    this.#ifindexes = indexes;
    const all: KernelNeighbour[] = [];
    for (const index of indexes) all.push(...(await this.#kernel.listNeighbours(index)));
    this.#tracker.setActual(new Map(all.filter(isPermanentUnicast).map((entry) => [neighbourKey(entry), entry])));
  }

  /** Peers over a link that is not there cannot be. The same peers over the same links cost nothing. */
  setDesired(peers: readonly DesiredTunnelPeer[], links: Links): void {
    const indexes = VXLAN_LINKS.map((name) => links.get(name)?.index).join();
    if (this.#wish?.peers === peers && this.#wish.links === indexes) return;
    this.#wish = { peers, links: indexes };
    const entries = peers.flatMap((peer) => toKernelNeighbours(peer, links.get(peer.interfaceName)?.index));
    const desired = new Map(entries.map((entry) => [neighbourKey(entry), entry]));
    this.#retry.keepOnly((key) => this.#tracker.isSameWish(key, desired));
    this.#tracker.setDesired(desired);
  }

  async reconcile(now: number, mayDelete: boolean): Promise<PassResult<string>> {
    const result = await reconcile(this.#tracker, (changes) => this.#write(changes), {
      retry: this.#retry,
      now,
      mayDelete: () => mayDelete,
      mayUpdate: (key) => this.#guard.mayUpdate(key, now),
    });
    this.#guard.finish(now, result);
    return result;
  }

  /** True where the event tells us something that we did not do ourselves. */
  isSurprise({ change, neighbour }: KernelEvent & { readonly kind: 'neighbour' }): boolean {
    if (!this.#ifindexes.includes(neighbour.ifindex)) return false;
    const isThere = change === 'set' && isPermanentUnicast(neighbour);
    return this.#tracker.isSurprise(neighbourKey(neighbour), isThere ? neighbour : undefined);
  }

  /** See RetrySchedule. */
  nextDueAt(after: number): number | undefined {
    return this.#retry.nextDueAt(after);
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

export const neighbourObject = (entry: KernelNeighbour): RepairObject =>
  entry.kind === 'fdb' ? { kind: 'fdb', name: entry.mac } : { kind: 'neighbour', name: formatIpAddress(entry.address) };

export const neighbourKey = (entry: KernelNeighbour): string =>
  entry.kind === 'fdb'
    ? `fdb ${entry.ifindex} ${entry.mac}`
    : `neighbour ${entry.ifindex} ${formatIpAddress(entry.address)}`;

function sameNeighbour(a: KernelNeighbour, b: KernelNeighbour): boolean {
  if (a.mac !== b.mac || a.ifindex !== b.ifindex || a.permanent !== b.permanent) return false;
  if (a.kind === 'fdb') return b.kind === 'fdb' && sameAddress(a.remote, b.remote);
  return b.kind === 'neighbour' && sameAddress(a.address, b.address);
}
