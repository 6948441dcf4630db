import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { RouteStatus } from '../../../felix/index.ts';
import { RouteWaiters } from '../../../src/agent/route-waiters.ts';
import { parsePrefix } from '../../../src/model/ip.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** A dataplane whose routes a test sets. */
class Routes {
  statuses: readonly RouteStatus[] = [];
  asked = 0;
  readonly #listeners = new Set<() => void>();

  routes(): readonly RouteStatus[] {
    this.asked++;
    return this.statuses;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  become(statuses: readonly RouteStatus[]): void {
    this.statuses = statuses;
    for (const listener of this.#listeners) listener();
  }
}

const status = (prefix: string, state: RouteStatus['state'], error?: string): RouteStatus => ({
  route: { prefix: parsePrefix(prefix), class: 'local-workload', target: { kind: 'blackhole' }, reason: '' },
  state,
  ...(error !== undefined && { error }),
});

const address = (i: number): string => `10.65.0.${i}/32`;

test('a burst of pods that wait looks at the routes once for each pass, not once for each pod', async () => {
  const routes = new Routes();
  const clock = new FakeClock();
  const waiters = new RouteWaiters(routes, clock);
  const all = Array.from({ length: 100 }, (_, i) => waiters.programmed([address(i)]));
  await nextTurn();
  expect(routes.asked).toBe(1);
  routes.asked = 0;
  const statuses = Array.from({ length: 100 }, (_, i) => status(address(i), 'programmed'));
  routes.become(statuses.slice(0, 60));
  await Promise.all(all.slice(0, 60));
  routes.become(statuses);
  await Promise.all(all);
  expect(routes.asked).toBe(2);
  expect([routes.listeners, clock.pending]).toEqual([0, 0]);
});

test('a route that is there already is waited for no longer than a turn', async () => {
  const routes = new Routes();
  const clock = new FakeClock();
  routes.statuses = [status(address(1), 'programmed')];
  await new RouteWaiters(routes, clock).programmed([address(1)]);
  expect([routes.listeners, clock.pending]).toEqual([0, 0]);
});

test('all addresses of a pod must be there, and in the kernel', async () => {
  const routes = new Routes();
  const waiters = new RouteWaiters(routes, new FakeClock());
  let isDone = false;
  const waiting = waiters.programmed([address(1), address(2)]).then(() => (isDone = true));
  routes.become([status(address(1), 'programmed'), status(address(2), 'pending')]);
  await Promise.resolve();
  expect(isDone).toBe(false);
  routes.become([status(address(1), 'programmed'), status(address(2), 'programmed')]);
  expect(await waiting).toBe(true);
});

test('what is not there after ten seconds is told with its reason, and stops no other', async () => {
  const routes = new Routes();
  const clock = new FakeClock();
  const waiters = new RouteWaiters(routes, clock);
  const failing = expect(waiters.programmed([address(1), address(2)])).rejects.toThrow(
    'the route of 10.65.0.2/32 is not in the kernel: interface cali2 does not exist',
  );
  await clock.advance(5000);
  const later = waiters.programmed([address(3)]);
  routes.become([status(address(1), 'programmed'), status(address(2), 'unresolved', 'interface cali2 does not exist')]);
  await clock.advance(5000);
  await failing;
  expect(routes.listeners).toBe(1);
  routes.become([status(address(3), 'programmed')]);
  await later;
  await expect(Promise.race([waiters.programmed([address(9)]), clock.advance(10_000)])).rejects.toThrow(
    'it is not computed yet',
  );
});
