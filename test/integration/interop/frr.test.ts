import { describe } from 'vitest';
import { frr } from '../../interop/frr.ts';
import { interopSuite } from '../../interop/suite.ts';
import { allTrials } from '../../interop/trials/all.ts';
import { missingForLab } from '../../support/bgp-lab.ts';

const missing = missingForLab(...frr.programs);

describe.skipIf(missing !== undefined)(`with a real FRR ${missing ?? ''}`, () => {
  interopSuite({ order: 2, nameAndVersion: frr.nameAndVersion }, allTrials(frr));
});
