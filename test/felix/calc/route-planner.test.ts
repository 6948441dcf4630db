import { expect, test } from 'vitest';
import { RoutePlanner } from '../../../felix/calc/route-planner.ts';
import { planRoutes } from '../../../felix/calc/routes.ts';
import { host, inputs, learned } from '../../support/dataplane-inputs.ts';

const wanted = inputs({ learned: [learned('192.168.2.0/26', '172.30.1.12')] });

test('the same inputs on a host that looks the same have the very same plan', () => {
  const planner = new RoutePlanner();
  const plan = planner.plan(wanted, host());
  expect(plan).toEqual(planRoutes(wanted, host()));
  expect(planner.plan(wanted, host())).toBe(plan);
});

test('other inputs or another host are planned anew', () => {
  const planner = new RoutePlanner();
  const without = { ...host(), links: new Map() };
  const plan = planner.plan(wanted, host());
  expect(planner.plan(wanted, without)).toEqual(planRoutes(wanted, without));
  expect(planner.plan(wanted, without)).not.toEqual(plan);
  expect(planner.plan(inputs(), without)).toEqual([]);
});
