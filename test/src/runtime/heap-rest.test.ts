import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { HeapRest, LOOK_MS, PAUSE_MS, SETTLE_MS } from '../../../src/runtime/heap-rest.ts';
import type { HeapChurn } from '../../support/heap-churn.ts';
import { nodeProgram } from '../../support/lab-processes.ts';

let cpuMs = 0;
let heapOctets = 0;
let collections = 0;
let givenBack = 0;
let now = 0;
let due: (() => void) | undefined;
let pause: (() => void) | undefined;
let settle: (() => void) | undefined;

/** A look after so much processor time. */
function pass(usedMs: number): void {
  cpuMs += usedMs;
  const look = due;
  due = undefined;
  look?.();
}

/** So many looks, in each of which it used so much. */
function passes(times: number, usedMs: number): void {
  for (let i = 0; i < times; i++) pass(usedMs);
}

/** The same for the looks for a pause. */
function wait(usedMs: number): void {
  cpuMs += usedMs;
  const look = pause;
  pause = undefined;
  look?.();
}

/** Some work is done, and a little later all that follows from it, too. */
function work(rest: HeapRest, usedMs: number): void {
  cpuMs += usedMs;
  rest.worked();
  const settled = settle;
  settle = undefined;
  settled?.();
}

function start(onSize?: (isLarge: boolean) => void): HeapRest {
  return new HeapRest({
    clock: {
      now: () => now,
      after: (ms, callback) => {
        if (ms === PAUSE_MS) {
          pause = callback;
          return () => (pause = undefined);
        }
        if (ms === SETTLE_MS) {
          settle = callback;
          return () => (settle = undefined);
        }
        expect(ms).toBe(LOOK_MS);
        due = callback;
        return () => (due = undefined);
      },
    },
    cpuMs: () => cpuMs,
    heapOctets: () => heapOctets,
    mostOctets: 96 * 2 ** 20,
    collect: () => {
      collections++;
      cpuMs += 2 * LOOK_MS;
    },
    giveBack: () => {
      givenBack++;
      cpuMs += 15;
    },
    ...(onSize && { onSize }),
  });
}

beforeEach(() => {
  [cpuMs, heapOctets, collections, givenBack, now] = [0, 1e6, 0, 0, 0];
  [pause, settle] = [undefined, undefined];
});

test('collects once after the start, when it has been over for three looks', () => {
  start();
  pass(300);
  passes(2, 10);
  expect(collections).toBe(0);
  pass(10);
  expect(collections).toBe(1);
  // Its own work does not count as a busy time.
  passes(100, 19);
  expect(collections).toBe(1);
});

test('collects after each busy time, and never within one', () => {
  start();
  passes(10, LOOK_MS);
  expect(collections).toBe(0);
  passes(3, 0);
  expect(collections).toBe(1);
  passes(26, 0);
  pass(LOOK_MS);
  passes(3, 0);
  expect(collections).toBe(2);
});

test('whoever is busy now and then collects every half minute at most', () => {
  start();
  for (let i = 0; i < 60; i++) {
    pass(LOOK_MS);
    passes(4, 0);
  }
  expect([collections > 5, collections <= 10]).toEqual([true, true]);
});

test('what works for a moment now and then is not busy, and may rest between', () => {
  start();
  const nowAndThen = (): void => [50, 0, 0, 0, 0].forEach(pass);
  for (let i = 0; i < 20; i++) nowAndThen();
  expect(collections).toBe(0);
  pass(LOOK_MS);
  for (let i = 0; i < 20; i++) nowAndThen();
  expect(collections).toBe(1);
});

test('does not collect where work has just begun', () => {
  start();
  pass(LOOK_MS);
  passes(2, 0);
  pass(40);
  expect(collections).toBe(0);
});

test('what was given up goes back in the first pause, once', () => {
  const rest = start();
  rest.giveBackSoon();
  rest.giveBackSoon();
  wait(PAUSE_MS);
  wait(25);
  expect(givenBack).toBe(0);
  wait(24);
  expect([givenBack, pause]).toEqual([1, undefined]);
  rest.giveBackSoon();
  rest.close();
  wait(0);
  expect(givenBack).toBe(1);
});

test('until the first rest what is free goes back after each piece of work, five times a second at most', () => {
  const rest = start();
  for (const at of [0, 100, 199, 200, 399, 1000]) {
    now = at;
    work(rest, 100);
  }
  expect(givenBack).toBe(3);
  pass(300);
  passes(3, 0);
  expect([collections, givenBack]).toEqual([1, 4]);
  now = 2000;
  work(rest, 100);
  expect(givenBack).toBe(4);
  // The start was only waiting for somebody.
  pass(LOOK_MS);
  work(rest, 100);
  expect(givenBack).toBe(5);
});

test('a little work now and then waits until it is 100 ms together', () => {
  const rest = start();
  work(rest, 0);
  const counts = [40, 59, 1, 99, 1].map((usedMs, i) => {
    now = 1000 * (i + 1);
    work(rest, usedMs);
    return givenBack;
  });
  expect(counts).toEqual([1, 1, 2, 2, 3]);
});

test('not in the turn of the work, once for what is done until then, and not after the end', () => {
  const rest = start();
  rest.worked();
  rest.worked();
  expect(givenBack).toBe(0);
  work(rest, 0);
  expect([givenBack, settle]).toEqual([1, undefined]);
  now = 1000;
  cpuMs += 100;
  rest.worked();
  rest.close();
  expect([givenBack, settle]).toEqual([1, undefined]);
});

test('who never rests does so in the first minute', () => {
  now = 5000;
  const rest = start();
  for (const at of [64_999, 65_000, 100_000]) {
    now = at;
    work(rest, 100);
  }
  expect(givenBack).toBe(1);
});

test('leaves a large heap alone, and does it when it has become small', () => {
  start();
  heapOctets = 97 * 2 ** 20;
  pass(300);
  passes(3, 0);
  expect(collections).toBe(0);
  heapOctets = 96 * 2 ** 20;
  pass(0);
  expect(collections).toBe(1);
});

test('tells when the heap has become large, and when it is so no more, once each', () => {
  const told: boolean[] = [];
  start((isLarge) => told.push(isLarge));
  for (const megabytes of [96, 97, 200, 97, 96, 1, 97]) {
    heapOctets = megabytes * 2 ** 20;
    pass(LOOK_MS);
  }
  expect(told).toEqual([true, false, true]);
});

test('a heap that is to stay small is collected sooner, and its nursery does not grow', () => {
  const program = join(import.meta.dirname, '../../support/heap-churn.ts');
  const churn = (...args: readonly string[]): HeapChurn =>
    JSON.parse(
      execFileSync(nodeProgram(), ['--max-semi-space-size=16', program, ...args], { encoding: 'utf8' }),
    ) as HeapChurn;
  const [usual, small, grown] = [churn(), churn('small'), churn('grown')];
  expect(usual.collections).toBeGreaterThan(0);
  expect(small.collections).toBeGreaterThan(1.5 * usual.collections);
  expect(small.nurseryOctets).toBeLessThan(usual.nurseryOctets / 3);
  expect(grown.collections).toBeLessThan(1.5 * usual.collections);
  expect(grown.nurseryOctets).toBe(usual.nurseryOctets);
});

test('looks no more when it is closed', () => {
  const rest = start();
  rest.close();
  expect(due).toBeUndefined();
});
