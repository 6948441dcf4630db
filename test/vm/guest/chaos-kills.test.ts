/** kill -9 in the middle of an apply over a real tunl0; CHAOS_SEED=N plays one seed. */
import { afterAll, beforeAll, describe } from 'vitest';
import { IPIP, seeds, teachFabric } from '../../support/chaos-lab.ts';
import { testKills } from '../../support/chaos-kills.ts';
import { DataplaneLab, poolOf } from '../../support/dataplane-lab.ts';

const lab = new DataplaneLab('ctk', { pools: [poolOf({ ipip: 'CrossSubnet' })] });

describe('felix killed over IPIP', { timeout: 700_000 }, () => {
  beforeAll(async () => {
    await lab.start();
    teachFabric(lab);
  });

  afterAll(() => lab.close());

  // A process takes an emulated machine seconds to start, of those of a busy one a minute.
  testKills(lab, IPIP, { seeds: seeds([1]), kills: 20, orAfter: { ms: 240_000, kills: 8 } });
});
