/** One live daemon's column, where it and the rights that labs need are there. */
import { spawnSync } from 'node:child_process';
import { afterAll, afterEach, test } from 'vitest';
import type { Daemon } from '../capture/daemon.ts';
import { missingForLab } from '../support/bgp-lab.ts';
import type { Feature } from './features.ts';
import { Labs } from './labs.ts';
import { interopSuite } from './suite.ts';
import type { Trial } from './suite.ts';

interface LiveSuite {
  readonly name: string;
  /** Its place in the table. */
  readonly order: number;
  readonly daemon: Daemon;
  /** The name of its labs, short. */
  readonly labs: string;
}

export function liveSuite(
  { name, order, daemon, ...of }: LiveSuite,
  trials: (labs: Labs) => Readonly<Record<Feature, Trial>>,
): void {
  const missing = missingForLab(...daemon.programs);
  if (missing !== undefined) {
    test.skip(`interoperation with ${name} ${missing}`, () => undefined);
    return;
  }
  const labs = new Labs(of.labs);
  afterEach(() => labs.closeOwn());
  afterAll(() => labs.closeAll());
  interopSuite({ order, nameAndVersion: () => `${name} ${versionOf(daemon)}` }, trials(labs));
}

/** Some print it on standard error. */
function versionOf({ version: [program, ...args] }: Daemon): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return /\d[\d.]*/.exec(stdout + stderr)?.[0] ?? 'of an unknown version';
}
