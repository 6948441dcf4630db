import { expect, test, vi } from 'vitest';
import { RoutePlan } from '../../../felix/calc/route-plan.ts';
import { RouteList } from '../../../felix/routes/route-list.ts';
import { prefixId } from '../../../felix/routes/route-id.ts';
import { RouteMap } from '../../../felix/routes/route-map.ts';
import { RouteTable } from '../../../felix/routes/route-table.ts';
import type { RouteChange } from '../../../felix/routes/kernel-route.ts';
import { kernelRoute } from '../../support/dataplane-rig.ts';

const route = (ifindex: number) => kernelRoute('10.65.0.2/32', { hops: [{ ifindex, onlink: false }] });
const { prefix, ...body } = route(7);
const id = prefixId(prefix);
const nothingWanted = new RoutePlan({ programmed: new RouteMap(), unresolved: [], hasMeanwhile: false });

/** A kernel whose answers the test gives. */
function slowKernel() {
  const waiting: (() => void)[] = [];
  const written: string[] = [];
  const writeRoutes = vi.fn((changes: Iterable<RouteChange>) => {
    const all = [...changes];
    written.push(...all.map(({ op }) => op));
    return new Promise<readonly undefined[]>((resolve) => waiting.push(() => resolve(all.map(() => undefined))));
  });
  const turns = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
  const answer = async (): Promise<void> => {
    waiting.shift()?.();
    await turns();
  };
  return { kernel: { writeRoutes }, written, turns, answer };
}

test('a list that the kernel began before the route was written does not make it missing', async () => {
  const { kernel, answer } = slowKernel();
  const table = new RouteTable(kernel);
  table.beginListing();
  const writing = table.writeAhead(new Map([[id, body]]), 0);
  await answer();
  await writing;
  await table.setActual(RouteList.of([]));
  expect(table.actual.has(id)).toBe(true);
  table.beginListing();
  await table.setActual(RouteList.of([]));
  expect(table.actual.has(id)).toBe(false);
});

test('waits for a removal of the address’s older route, which would take the new one away', async () => {
  const { kernel, written, turns, answer } = slowKernel();
  const table = new RouteTable(kernel);
  await table.setActual(RouteList.of([route(3)]));
  table.setDesired(nothingWanted, new Map());
  const pass = table.reconcile(0, true);
  const writing = table.writeAhead(new Map([[id, body]]), 0);
  await turns();
  expect(written).toEqual(['remove']);
  await answer();
  await pass;
  await answer();
  await writing;
  expect(written).toEqual(['remove', 'replace']);
  expect(table.actual.get(id)).toEqual(body);
});
