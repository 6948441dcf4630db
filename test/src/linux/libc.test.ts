import { expect, test } from 'vitest';
import { loadLibc } from '../../../src/linux/libc.ts';

test('the C library is bound once, for what koffi binds is never given back', () => {
  expect(loadLibc()).toBe(loadLibc());
});
