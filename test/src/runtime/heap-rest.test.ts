import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { HeapRest, LOOK_MS } from '../../../src/runtime/heap-rest.ts';
import { nodeProgram } from '../../support/lab-processes.ts';

let cpuMs = 0;
let heapOctets = 0;
let collections = 0;
let due: (() => void) | undefined;

/** A look after so much processor time. */
function pass(usedMs: number): void {
  cpuMs += usedMs;
  const look = due;
  due = undefined;
  look?.();
}

function start(): HeapRest {
  return new HeapRest({
    clock: {
      after: (ms, callback) => {
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
  });
}

beforeEach(() => {
  [cpuMs, heapOctets, collections] = [0, 1e6, 0];
});

test('collects once after the start, when it is over', () => {
  start();
  pass(300);
  expect(collections).toBe(0);
  pass(10);
  expect(collections).toBe(1);
  // Its own work does not count as a busy time.
  for (let i = 0; i < 100; i++) pass(99);
  expect(collections).toBe(1);
});

test('collects after each busy time, and never within one', () => {
  start();
  for (let i = 0; i < 10; i++) pass(LOOK_MS);
  expect(collections).toBe(0);
  pass(0);
  pass(LOOK_MS);
  pass(0);
  expect(collections).toBe(2);
});

test('leaves a large heap alone, and does it when it has become small', () => {
  start();
  heapOctets = 97 * 2 ** 20;
  pass(300);
  pass(0);
  expect(collections).toBe(0);
  heapOctets = 96 * 2 ** 20;
  pass(0);
  expect(collections).toBe(1);
});

test('a heap that is to stay small is collected sooner', () => {
  const program = join(import.meta.dirname, '../../support/heap-churn.ts');
  const collectionsOf = (...args: readonly string[]): number =>
    Number(execFileSync(nodeProgram(), ['--max-semi-space-size=16', program, ...args], { encoding: 'utf8' }));
  const usual = collectionsOf();
  expect(usual).toBeGreaterThan(0);
  expect(collectionsOf('small')).toBeGreaterThan(1.5 * usual);
});

test('looks no more when it is closed', () => {
  const rest = start();
  rest.close();
  expect(due).toBeUndefined();
});
