import { describe } from 'vitest';
import { bird } from '../../interop/bird.ts';
import { interopSuite } from '../../interop/suite.ts';
import { guardedTrials } from '../../interop/trials/guarded.ts';
import { linkTrials } from '../../interop/trials/links.ts';
import { plainTrials } from '../../interop/trials/plain.ts';
import { restartTrials } from '../../interop/trials/restart.ts';
import { missingForLab } from '../../support/bgp-lab.ts';

const missing = missingForLab(...bird.programs);

describe.skipIf(missing !== undefined)(`BIRD 2 ${missing ?? ''}`, () => {
  interopSuite({ order: 1, nameAndVersion: bird.nameAndVersion }, {
    ...plainTrials(bird),
    ...guardedTrials(bird),
    ...restartTrials(bird),
    ...linkTrials(bird),
  } as never);
});
