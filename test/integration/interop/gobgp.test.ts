import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, test } from 'vitest';
import { gobgp } from '../../capture/daemons/gobgp.ts';
import { gobgpTrials } from '../../interop/gobgp/trials.ts';
import { Labs } from '../../interop/labs.ts';
import { interopSuite } from '../../interop/suite.ts';
import { missingForLab } from '../../support/bgp-lab.ts';

const missing = missingForLab(...gobgp.programs);
const labs = new Labs('go');
afterEach(() => labs.closeOwn());
afterAll(() => labs.closeAll());

if (missing === undefined) {
  interopSuite(
    {
      order: 3,
      // `gobgpd version 3.10.0`
      nameAndVersion: () => `GoBGP ${/[\d.]+/.exec(execFileSync(...command(gobgp.version)).toString())![0]}`,
    },
    gobgpTrials(labs),
  );
} else {
  test.skip(`interoperation with GoBGP ${missing}`, () => undefined);
}

function command([program, ...args]: readonly [string, ...string[]]): [string, string[]] {
  return [program, args];
}
