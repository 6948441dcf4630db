import { expect, test } from 'vitest';
import { routeTexts } from '../../bird/route-texts.ts';

test('communities of all kinds, each in its own form', () => {
  const { communities } = routeTexts({
    communities: [0xfc00_0064],
    largeCommunities: [[64512, 1, 2]],
    extendedCommunities: [Uint8Array.of(0, 2, 0xfc, 0, 0, 0, 0, 5), Uint8Array.of(0x43, 0, 0, 0, 0, 0, 0, 1)],
  });
  expect(communities).toEqual(['64512:100', '64512:1:2', 'target:64512:5', '0x4300000000000001']);
});
