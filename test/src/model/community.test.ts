import { expect, test } from 'vitest';
import { parseCommunity, readCommunity } from '../../../src/model/community.ts';

test.each<[string, ReturnType<typeof readCommunity>]>([
  ['0:0', 0],
  ['64512:100', 0xfc00_0064],
  ['65535:65535', 0xffff_ffff],
  ['0:0:0', [0, 0, 0]],
  ['4294967295:1:4294967295', [0xffff_ffff, 1, 0xffff_ffff]],
  ['65536:1', undefined],
  ['1:65536', undefined],
  ['1:1:4294967296', undefined],
  ['1', undefined],
  ['1:2:3:4', undefined],
  ['1:', undefined],
  ['-1:1', undefined],
  ['1:2 ', undefined],
])('%s is read as %j', (text, value) => {
  expect(readCommunity(text)).toEqual(value);
});

test('what is none is refused with its field and value', () => {
  expect(() => parseCommunity('65536:1', 'value')).toThrow("value = '65536:1': is not a community");
});
