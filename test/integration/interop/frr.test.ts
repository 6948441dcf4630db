import { describe } from 'vitest';
import { frr } from '../../interop/frr.ts';
import { interopSuite } from '../../interop/suite.ts';
import { guardedTrials } from '../../interop/trials/guarded.ts';
import { linkTrials } from '../../interop/trials/links.ts';
import { plainTrials } from '../../interop/trials/plain.ts';
import { restartTrials } from '../../interop/trials/restart.ts';
import { missingForLab } from '../../support/bgp-lab.ts';

const missing = missingForLab(...frr.programs);

describe.skipIf(missing !== undefined)(`FRR ${missing ?? ''}`, () => {
  interopSuite({ order: 2, nameAndVersion: frr.nameAndVersion }, {
    ...plainTrials(frr),
    ...guardedTrials(frr),
    ...restartTrials(frr),
    ...linkTrials(frr),
  } as never);
});
