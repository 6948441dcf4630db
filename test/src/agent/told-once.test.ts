import { expect, test, vi } from 'vitest';
import { ToldOnce } from '../../../src/agent/told-once.ts';

test('says each thing once, with its fields; and forgets rather than remember more and more', () => {
  const log = { info: vi.fn(), warn: vi.fn() };
  const once = new ToldOnce(log);
  for (let i = 0; i < 3; i++) once.say('a mistake', { of: 'one' });
  once.say('a mistake', { of: 'another' }, 'info');
  expect([log.warn.mock.calls, log.info.mock.calls]).toEqual([
    [[{ of: 'one' }, 'a mistake']],
    [[{ of: 'another' }, 'a mistake']],
  ]);
  for (let i = 0; i < 1001; i++) once.say('another', { i });
  once.say('a mistake', { of: 'one' });
  expect(log.warn).toHaveBeenCalledTimes(1 + 1001 + 1);
});
