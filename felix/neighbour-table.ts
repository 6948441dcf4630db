/** Where vxlan.calico finds the other nodes: permanent neighbours and forwarding entries. All on that link is ours. */
import { formatIpAddress, sameAddress } from '../src/model/ip.ts';
import type { DesiredTunnelPeer } from './calc/tunnels.ts';
import { DeltaTracker } from './delta-tracker.ts';
import type { Kernel, KernelEvent, KernelNeighbour } from './kernel.ts';
import type { Change, PassResult } from './reconcile.ts';
import { asError, reconcile } from './reconcile.ts';
import { RepairGuard } from './repair-guard.ts';
import type { RepairObject } from './repairs.ts';
import { Repairs } from './repairs.ts';
import { RetrySchedule } from './retry.ts';

export class NeighbourTable {
  readonly #kernel: Pick<Kernel, 'listNeighbours' | 'replaceNeighbour' | 'removeNeighbour'>;
  readonly #tracker = new DeltaTracker<string, KernelNeighbour>(sameNeighbour);
  readonly #retry = new RetrySchedule<string>();
  readonly #guard: RepairGuard<KernelNeighbour>;
  /** Whose entries we know. */
  #ifindex: number | undefined;

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

  /** Reads the link's permanent entries back; what was learned comes and goes by itself and is not ours to judge. */
  async resync(ifindex: number | undefined): Promise<void> {
    this.#ifindex = ifindex;
    const all = ifindex === undefined ? [] : await this.#kernel.listNeighbours(ifindex);
    this.#tracker.setActual(new Map(all.filter(isPermanentUnicast).map((entry) => [neighbourKey(entry), entry])));
  }

  /** `ifindex` undefined: the link is not there, and nothing can be. */
  setDesired(peers: readonly DesiredTunnelPeer[], ifindex: number | undefined): void {
    const entries = ifindex === undefined ? [] : peers.flatMap((peer) => toKernelNeighbours(peer, ifindex));
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
    this.#guard.finish(now);
    return result;
  }

  /** True where the event tells us something that we did not do ourselves. */
  isSurprise({ change, neighbour }: KernelEvent & { readonly kind: 'neighbour' }): boolean {
    if (neighbour.ifindex !== this.#ifindex) return false;
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
  { tunnelAddress, mac, remote }: DesiredTunnelPeer,
  ifindex: number,
): readonly KernelNeighbour[] {
  return [
    { kind: 'neighbour', ifindex, address: tunnelAddress, mac, permanent: true },
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
