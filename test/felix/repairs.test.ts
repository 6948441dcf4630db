import { expect, test } from 'vitest';
import { Repairs } from '../../felix/repairs.ts';

const route = { kind: 'route', name: '192.168.2.0/26' } as const;

/** Somebody undoes it every ten milliseconds, and we repair it as soon as we may; the times of our repairs. */
function fight(
  repairs: Repairs,
  { from, until }: { readonly from: number; readonly until: number },
): readonly number[] {
  const times: number[] = [];
  for (let now = from; now <= until; now += 10) {
    repairs.damaged(route, now);
    if (!repairs.isDue(route, now)) continue;
    repairs.repaired(route, now);
    times.push(now);
    repairs.endPass(now);
  }
  return times;
}

test('five repairs are made at once, then each waits, 500 ms and doubling up to 10 s', () => {
  const times = fight(new Repairs(), { from: 0, until: 60_000 });
  expect(times.slice(0, 5)).toEqual([0, 10, 20, 30, 40]);
  const waits = times.slice(5).map((time, i) => time - times[i + 4]!);
  // Ten milliseconds of each are the time until the next deed.
  expect(waits).toEqual([510, 1010, 2010, 4010, 8010, 10_010, 10_010, 10_010, 10_010]);
});

test('every repair is counted by kind, and the fight that the fifth begins is told once, with who did it', () => {
  const repairs = new Repairs();
  for (const now of [0, 10, 20, 30]) {
    repairs.damaged(route, now);
    repairs.repaired(route, now);
    expect(repairs.takeBegun()).toEqual([]);
  }
  const blame = { deed: 'deleted', port: 812 };
  repairs.noteBlame(route, blame);
  repairs.damaged(route, 40);
  repairs.repaired(route, 40);
  expect(repairs.takeBegun()).toEqual([{ ...route, since: 0, repairs: 5, blame }]);
  repairs.damaged(route, 50);
  repairs.repaired(route, 600);
  expect(repairs.takeBegun()).toEqual([]);
  expect(repairs.fights()).toEqual([{ ...route, since: 0, repairs: 6, blame }]);
  repairs.damaged({ kind: 'sysctl', name: 'net/ipv4/ip_forward' }, 700);
  repairs.repaired({ kind: 'sysctl', name: 'net/ipv4/ip_forward' }, 700);
  expect(repairs.counts()).toEqual({ route: 6, link: 0, address: 0, neighbour: 0, fdb: 0, sysctl: 1, nat: 0 });
});

test('five repairs over more than a minute are no fight', () => {
  const repairs = new Repairs();
  for (const now of [0, 16_000, 32_000, 48_000, 64_000, 80_000]) {
    repairs.damaged(route, now);
    repairs.repaired(route, now);
    repairs.endPass(now);
  }
  expect(repairs.fights()).toEqual([]);
});

test('a fight is over after a minute of peace, and the next damage is repaired at once', () => {
  const repairs = new Repairs();
  const last = fight(repairs, { from: 0, until: 100 }).at(-1)!;
  // What was done last is repaired, too.
  repairs.repaired(route, 540);
  expect(repairs.nextDueAt(540)).toBe(last + 500 + 60_000);
  expect(repairs.endPass(60_539)).toEqual([]);
  expect(repairs.endPass(60_540)).toMatchObject([{ ...route, repairs: 6 }]);
  expect(repairs.fights()).toEqual([]);
  repairs.damaged(route, 70_000);
  expect(repairs.isDue(route, 70_000)).toBe(true);
});

test('what goes with a link is repaired and counted, however often, and is no fight', () => {
  const repairs = new Repairs();
  for (let now = 0; now < 100; now += 10) {
    repairs.damaged(route, now, true);
    expect(repairs.isDue(route, now)).toBe(true);
    repairs.repaired(route, now);
    repairs.endPass(now);
  }
  expect(repairs.counts().route).toBe(10);
  expect(repairs.fights()).toEqual([]);
});

test('one damage is one repair, and a wish that changed makes it none', () => {
  const repairs = new Repairs();
  repairs.damaged(route, 0);
  repairs.damaged(route, 10);
  repairs.repaired(route, 20);
  repairs.repaired(route, 30);
  repairs.damaged(route, 40);
  repairs.withdraw(route);
  repairs.repaired(route, 50);
  expect(repairs.counts().route).toBe(1);
});

test('memory is given back: after a minute nothing is left of what was repaired', () => {
  const repairs = new Repairs();
  for (let i = 0; i < 1000; i++) {
    const object = { kind: 'route', name: `route ${i}` } as const;
    repairs.damaged(object, 0);
    repairs.repaired(object, 0);
  }
  repairs.endPass(60_000);
  expect(repairs.size).toBe(0);
});
