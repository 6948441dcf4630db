import { expect, test } from 'vitest';
import { Writer } from '../../../bird/bgp-ts/writer.ts';

test('an octet that makes the buffer grow is not lost', () => {
  const out = new Writer();
  for (let i = 0; i < 3000; i++) out.u8(1 + (i % 255));
  expect(out.finish().every((octet, i) => octet === 1 + (i % 255))).toBe(true);
});

test('a length that does not fit its field is refused', () => {
  const out = new Writer();
  expect(() => out.prefixed(1, (content) => content.bytes(new Uint8Array(256)))).toThrow(
    '256 octets do not fit a length field of 1',
  );
});
