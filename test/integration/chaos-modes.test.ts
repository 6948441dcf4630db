/** Changes of mode under traffic: half a minute. */
import { afterAll, beforeAll, describe } from 'vitest';
import { seeds, teachFabric, VXLAN } from '../support/chaos-lab.ts';
import { testModes } from '../support/chaos-modes.ts';
import { DataplaneLab, poolOf } from '../support/dataplane-lab.ts';
import { isRoot } from '../support/netns.ts';

const lab = new DataplaneLab('ctm', { pools: [poolOf({ vxlan: 'CrossSubnet' })] });

describe.runIf(isRoot || process.env['CI'] !== undefined)('modes of VXLAN', () => {
  beforeAll(async () => {
    await lab.start();
    teachFabric(lab);
  });

  afterAll(() => lab.close());

  testModes(lab, VXLAN, seeds([1, 2]));
});
