import { describe } from 'vitest';
import { bird } from '../../interop/bird.ts';
import { interopSuite } from '../../interop/suite.ts';
import { allTrials } from '../../interop/trials/all.ts';
import { missingForLab } from '../../support/bgp-lab.ts';

const missing = missingForLab(...bird.programs);

describe.skipIf(missing !== undefined)(`with a real BIRD 2 ${missing ?? ''}`, () => {
  interopSuite({ order: 1, nameAndVersion: bird.nameAndVersion }, allTrials(bird));
});
