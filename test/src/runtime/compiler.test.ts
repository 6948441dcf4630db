import { spawnSync } from 'node:child_process';
import { setFlagsFromString } from 'node:v8';
import { afterEach, expect, test, vi } from 'vitest';
import { compileSooner } from '../../../src/runtime/compiler.ts';

vi.mock('node:v8', () => ({ setFlagsFromString: vi.fn() }));
const flags = vi.mocked(setFlagsFromString);

afterEach(() => flags.mockClear());

const told = (): readonly string[] => flags.mock.calls.map(([flag]) => flag);

test('sets the thresholds of V8 lower, and back to what they are by default', () => {
  const compileAsUsual = compileSooner('13.6.233.17-node.37');
  expect(told()).toEqual(['--invocation-count-for-maglev=30', '--minimum-invocations-after-ic-update=20']);
  flags.mockClear();
  compileAsUsual();
  expect(told()).toEqual(['--invocation-count-for-maglev=400', '--minimum-invocations-after-ic-update=500']);
});

test('leaves another V8 alone, whose flags may be others', () => {
  compileSooner('12.4.254.21-node.33')();
  expect(told()).toEqual([]);
});

test('this Node has these flags, with these defaults', () => {
  const options = spawnSync(process.execPath, ['--v8-options'], { encoding: 'utf8' }).stdout;
  if (!process.versions.v8.startsWith('13.')) return;
  expect(options).toContain('default: --invocation-count-for-maglev=400\n');
  expect(options).toContain('default: --minimum-invocations-after-ic-update=500\n');
});
