import { nftablesCompliance } from '../../compliance/nftables.ts';
import { FakeNftables } from '../../support/fake-nftables.ts';

nftablesCompliance('the fake', () => {
  const nftables = new FakeNftables();
  return {
    nftables,
    loseTable: () => nftables.givenTable(undefined),
    eventually: () => Promise.resolve(),
    close: () => undefined,
  };
});
