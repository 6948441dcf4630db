/** 200 kills by seed, a minute and a half on an idle machine; CHAOS_SEED=N plays one seed again. */
import { afterAll, beforeAll, describe } from 'vitest';
import { seeds, teachFabric, VXLAN } from '../support/chaos-lab.ts';
import { testKills } from '../support/chaos-kills.ts';
import { bundleDataplaneProcess } from '../support/dataplane-bundle.ts';
import { DataplaneLab, poolOf } from '../support/dataplane-lab.ts';
import { isRoot } from '../support/netns.ts';

const mustRun = isRoot || process.env['CI'] !== undefined;
const script = mustRun ? await bundleDataplaneProcess('.cache/chaos') : '';
const lab = new DataplaneLab('ctk', { pools: [poolOf({ vxlan: 'CrossSubnet' })] }, { script });

describe.runIf(mustRun)('felix killed over VXLAN', { timeout: 400_000 }, () => {
  beforeAll(async () => {
    await lab.start();
    teachFabric(lab);
  });

  afterAll(() => lab.close());

  testKills(lab, VXLAN, { seeds: seeds([1, 2, 3, 4]), kills: 50 });
});
