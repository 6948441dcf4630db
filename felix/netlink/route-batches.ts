/** Any number of route changes, in batches as large as a request may be, and why the kernel refused which. */
import { errnoName } from '../../src/linux/errno.ts';
import { formatPrefix } from '../../src/model/ip.ts';
import { KernelError } from '../kernel.ts';
import type { RouteChange } from '../routes/kernel-route.ts';
import { formatRoute } from '../routes/kernel-route.ts';
import type { Batch } from './batch-writer.ts';
import { BatchWriter, MAX_REQUESTS } from './batch-writer.ts';
import type { Verdict } from './header.ts';
import { refusalText } from './refusal.ts';
import { writeRouteChange } from './route.ts';

/** So many batches wait for the netlink thread at most. */
const BATCHES_AHEAD = 3;

export interface RouteBatchPorts {
  /** The first of `count` sequence numbers that nobody else gets. */
  readonly number: (count: number) => number;
  /** The refusals, by place in the batch. Batches that are on their way at once keep their order. */
  readonly execute: (batch: Batch) => Promise<ReadonlyMap<number, Verdict>>;
}

/** As Kernel's writeRoutes. */
export async function writeRoutes(
  changes: Iterable<RouteChange>,
  { number, execute }: RouteBatchPorts,
): Promise<readonly (KernelError | undefined)[]> {
  const refusals = new Map<number, Verdict>();
  const underWay: Promise<void>[] = [];
  const faults: unknown[] = [];
  const write = async (batch: Batch, start: number): Promise<void> => {
    try {
      for (const [i, verdict] of await execute(batch)) refusals.set(start + i, verdict);
    } catch (error) {
      faults.push(error);
    }
  };
  let count = 0;
  for (const batch of encodeBatches(changes, number)) {
    underWay.push(write(batch, count));
    count += batch.count;
    // The thread has some to go on with while the next is encoded.
    await underWay[underWay.length - 1 - BATCHES_AHEAD];
  }
  await Promise.all(underWay);
  if (faults.length > 0) throw faults[0];
  return routeErrors(changes, refusals, count);
}

function* encodeBatches(changes: Iterable<RouteChange>, number: RouteBatchPorts['number']): Generator<Batch> {
  let writer: BatchWriter | undefined;
  for (const change of changes) {
    writer ??= new BatchWriter(number(MAX_REQUESTS));
    writeRouteChange(writer, change);
    if (writer.hasRoom) continue;
    yield writer.finish();
    writer = undefined;
  }
  if (writer !== undefined) yield writer.finish();
}

/** Most often nothing was refused, and the changes need not be looked at again. */
function routeErrors(
  changes: Iterable<RouteChange>,
  refusals: ReadonlyMap<number, Verdict>,
  count: number,
): readonly (KernelError | undefined)[] {
  const errors = new Array<KernelError | undefined>(count).fill(undefined);
  if (refusals.size === 0) return errors;
  let i = 0;
  for (const change of changes) {
    const verdict = refusals.get(i);
    if (verdict !== undefined) errors[i] = routeError(change, verdict);
    i++;
  }
  return errors;
}

function routeError(change: RouteChange, verdict: Verdict): KernelError | undefined {
  const { errno } = verdict;
  if (errno === 0 || (change.op === 'remove' && errnoName(errno) === 'ESRCH')) return undefined;
  const { prefix, metric } = change.route;
  const route = change.op === 'replace' ? formatRoute(change.route) : `${formatPrefix(prefix)} metric ${metric}`;
  return new KernelError(refusalText(`${change.op} route ${route}`, verdict), errnoName(errno));
}
