import { expect, test } from 'vitest';
import { RoutePlanner } from '../../../felix/routes/route-planner.ts';
import { planRoutes, planRoutesInSteps } from '../../../felix/calc/routes.ts';
import { host, inputs, learned } from '../../support/dataplane-inputs.ts';

const wanted = inputs({ learned: [learned('192.168.2.0/26', '172.30.1.12')] });

test('the same inputs on a host that looks the same have the very same plan', async () => {
  const planner = new RoutePlanner();
  const plan = await planner.plan(wanted, host());
  expect([...plan]).toEqual([...planRoutes(wanted, host())]);
  expect(await planner.plan(wanted, host())).toBe(plan);
});

test('other inputs or another host are planned anew', async () => {
  const planner = new RoutePlanner();
  const without = { ...host(), links: new Map() };
  const plan = await planner.plan(wanted, host());
  const another = await planner.plan(wanted, without);
  expect([...another]).toEqual([...planRoutes(wanted, without)]);
  expect([...another]).not.toEqual([...plan]);
  expect([...(await planner.plan(inputs(), without))]).toEqual([]);
});

test('a long list is planned in turns, and others have theirs between', async () => {
  const many = Array.from({ length: 10_000 }, (_, i) => learned(`10.${i >> 8}.${i & 255}.0/26`, '172.30.1.12'));
  const wide = inputs({ learned: many });
  let turns = 0;
  const turn = setInterval(() => turns++, 0);
  const plan = await new RoutePlanner().plan(wide, host());
  clearInterval(turn);
  expect([...plan]).toEqual([...planRoutes(wide, host())]);
  expect([...plan]).toHaveLength(10_000);
  expect([...planRoutesInSteps(wide, host())].length).toBeGreaterThan(5);
  expect(turns).toBeGreaterThan(0);
});
