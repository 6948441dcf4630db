import { expect, test } from 'vitest';
import { NftablesUnavailableError } from '../../../felix/nat/nftables.ts';
import { removeNatTable } from '../../../felix/nat/remove.ts';
import { fullTable } from '../../compliance/nftables.ts';
import { FakeNftables } from '../../support/fake-nftables.ts';

test('removes our table and says so; where there is none it only looks', async () => {
  const nftables = new FakeNftables();
  expect(await removeNatTable(nftables)).toBe(false);
  expect(nftables.journal).toEqual(['read']);
  nftables.givenTable(fullTable());
  expect(await removeNatTable(nftables)).toBe(true);
  expect(nftables.listing).toBeUndefined();
});

test('without libnftables nobody can tell, which is an error in words', async () => {
  const nftables = new FakeNftables();
  nftables.failNext('read', new NftablesUnavailableError('install libnftables'));
  await expect(removeNatTable(nftables)).rejects.toThrow('install libnftables');
});
