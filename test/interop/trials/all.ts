import type { Feature } from '../features.ts';
import type { Labs } from '../labs.ts';
import type { ForeignKind } from '../router.ts';
import type { Trial } from '../suite.ts';
import { guardedTrials } from './guarded.ts';
import { linkTrials } from './links.ts';
import { plainTrials } from './plain.ts';
import { restartTrials } from './restart.ts';

/** The whole column of a daemon that has everything. */
export const allTrials = (kind: ForeignKind, labs: Labs): Readonly<Record<Feature, Trial>> => ({
  ...plainTrials(kind, labs),
  ...guardedTrials(kind, labs),
  ...restartTrials(kind, labs),
  ...linkTrials(kind, labs),
});
