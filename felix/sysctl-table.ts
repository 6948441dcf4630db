/** The sysctls that forwarding needs: read where in doubt, written where wrong, listened to where the kernel tells. */
import type { DesiredSysctl } from './calc/sysctls.ts';
import { DeltaTracker } from './delta-tracker.ts';
import { KernelError } from './kernel.ts';
import type { Kernel, KernelEvent, KernelLink } from './kernel.ts';
import type { Change, PassResult } from './reconcile.ts';
import { asError, reconcile } from './reconcile.ts';
import { RepairGuard } from './repair-guard.ts';
import type { RepairObject } from './repairs.ts';
import { Repairs } from './repairs.ts';
import { RetrySchedule } from './retry.ts';

type SysctlKernel = Pick<Kernel, 'readSysctls' | 'writeSysctls'>;

export class SysctlTable {
  readonly #kernel: SysctlKernel;
  readonly #tracker = new DeltaTracker<string, DesiredSysctl>(isSame);
  readonly #retry = new RetrySchedule<string>();
  readonly #guard: RepairGuard<string, DesiredSysctl>;
  /** Paths whose value is to be read before anything is written. */
  #doubtful = new Set<string>();

  constructor(kernel: SysctlKernel, repairs = new Repairs()) {
    this.#kernel = kernel;
    this.#guard = new RepairGuard(this.#tracker, repairs, {
      objectOf: (path) => ({ kind: 'sysctl', name: path }),
      linksOf: ({ ifindex }) => (ifindex === undefined ? [] : [ifindex]),
      isSame,
    });
  }

  setDesired(wanted: readonly DesiredSysctl[]): void {
    const desired = new Map(wanted.map((one) => [one.path, one]));
    for (const [path, one] of desired) {
      const known = this.#tracker.actual.get(path);
      if (known === undefined || known.ifindex !== one.ifindex) this.#doubtful.add(path);
    }
    this.#retry.keepOnly((path) => this.#tracker.isSameWish(path, desired));
    this.#tracker.setDesired(desired);
    for (const path of this.#tracker.actual.keys()) if (!desired.has(path)) this.#tracker.actual.delete(path);
    this.#doubtful = new Set([...this.#doubtful].filter((path) => desired.has(path)));
  }

  /** `isFull`: the kernel does not tell of all of them (route_localnet, accept_ra, proxy_delay), so all are read again. */
  async reconcile(now: number, isFull: boolean): Promise<PassResult<string>> {
    const doubted = isFull ? [...this.#tracker.desired.keys()] : [...this.#doubtful];
    const unread = await this.#read(doubted.filter((path) => this.#retry.isDue(path, now)));
    const result = await reconcile(this.#tracker, (changes) => this.#write(changes), {
      retry: this.#retry,
      now,
      mayDelete: () => false,
      mayUpdate: (path) => !unread.has(path) && this.#guard.mayUpdate(path, now),
    });
    for (const [path, error] of unread) this.#retry.failed(path, error, now);
    // What became of a refused write is not known.
    for (const path of result.failed.keys()) this.#doubtful.add(path);
    this.#guard.finish(now, result);
    return { changed: result.changed, failed: new Map([...unread, ...result.failed]) };
  }

  /** See RetrySchedule. */
  nextDueAt(after: number): number | undefined {
    return this.#retry.nextDueAt(after);
  }

  /** Which of ours the event says has another value than we believe; that one is read again. */
  surprise(event: KernelEvent & { readonly kind: 'sysctl' }, links: readonly KernelLink[]): RepairObject | undefined {
    const path = pathOf(event, links);
    const known = path === undefined ? undefined : this.#tracker.actual.get(path);
    if (path === undefined || known === undefined || known.value === String(event.value)) return undefined;
    this.#doubtful.add(path);
    return { kind: 'sysctl', name: path };
  }

  /** What cannot be read, with the reason; that which the kernel does not have and need not is as wanted. */
  async #read(paths: readonly string[]): Promise<ReadonlyMap<string, Error>> {
    const unread = new Map<string, Error>();
    const wanted = paths.flatMap((path) => this.#tracker.desired.get(path) ?? []);
    if (wanted.length === 0) return unread;
    const values = await this.#kernel.readSysctls(wanted.map(({ path }) => path)).catch(asError);
    for (const [i, one] of wanted.entries()) {
      const { path } = one;
      const value = values instanceof Error ? values : values[i]!;
      const isAbsent = value instanceof KernelError && value.code === 'ENOENT';
      if (typeof value === 'string') this.#tracker.actual.set(path, { ...one, value });
      else if (isAbsent && one.isOptional === true) this.#tracker.actual.set(path, one);
      else unread.set(path, value);
      if (typeof value === 'string' || isAbsent) this.#doubtful.delete(path);
    }
    return unread;
  }

  #write(changes: readonly Change<string, DesiredSysctl>[]): Promise<readonly (Error | undefined)[]> {
    return this.#kernel
      .writeSysctls(changes.map(({ key, value }) => ({ path: key, value: value.value })))
      .catch((error: unknown) => changes.map(() => asError(error)));
  }
}

const isSame = (a: DesiredSysctl, b: DesiredSysctl): boolean => a.value === b.value && a.ifindex === b.ifindex;

/** net/ipv4/ip_forward is the kernel's other name for forwarding of `all`. */
function pathOf(
  { family, ifindex, name }: KernelEvent & { readonly kind: 'sysctl' },
  links: readonly KernelLink[],
): string | undefined {
  if (ifindex === 'all' && family === 4 && name === 'forwarding') return 'net/ipv4/ip_forward';
  const scope = typeof ifindex === 'string' ? ifindex : links.find(({ index }) => index === ifindex)?.name;
  return scope === undefined ? undefined : `net/ipv${family}/conf/${scope}/${name}`;
}
