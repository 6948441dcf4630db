import { expect, test } from 'vitest';
import { parseAsn } from '../../../src/model/asn.ts';

test.each([
  ['64512', 64512],
  [4294967295, 4294967295],
  ['1.10', 65546],
  ['0.1', 1],
])('%j is AS %d', (text, asn) => {
  expect(parseAsn(text)).toBe(asn);
});

test.each(['0', '4294967296', '-1', '1.65536', '65536.1', '1.2.3', 'x', '', '0.0'])(
  '%j is not an AS number',
  (text) => {
    expect(() => parseAsn(text, 'spec.asNumber')).toThrow(`spec.asNumber = '${text}'`);
  },
);
