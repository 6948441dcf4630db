/** One daemon's column: every feature is one test, and what came of it is kept for the page. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, test } from 'vitest';
import { FEATURES } from './features.ts';
import type { DaemonColumn, Feature, Outcome } from './features.ts';

/** With `partly`, what the daemon can do is tried, and `lacks` names the rest. */
export type Trial = (() => Promise<void>) | { readonly lacks: string; readonly partly?: () => Promise<void> };
export type Trials = Readonly<Partial<Record<Feature, Trial>>>;

/** Where the columns of one run meet; page.ts makes a page of them. */
const COLUMNS = join('.cache', 'interop');

/**
 * Registers the tests of one daemon. `order` is its place in the table. A feature that the daemon's version lacks is named
 * with the reason and not tested; a feature that is missing here fails: nothing is left out in silence.
 */
export function interopSuite(
  daemon: { readonly order: number; readonly nameAndVersion: () => string },
  trials: Readonly<Record<Feature, Trial>>,
): void {
  const outcomes: Partial<Record<Feature, Outcome>> = {};
  describe('interoperation', () => {
    for (const feature of Object.keys(FEATURES) as Feature[]) {
      const trial = trials[feature];
      const [tried, outcome] = planOf(trial);
      if (tried === undefined) {
        outcomes[feature] = outcome;
        continue;
      }
      test(FEATURES[feature], async () => {
        await tried();
        outcomes[feature] = outcome;
      });
    }
  });
  afterAll(() => {
    mkdirSync(COLUMNS, { recursive: true });
    const column: DaemonColumn = { daemon: daemon.nameAndVersion(), outcomes };
    writeFileSync(join(COLUMNS, `${daemon.order}.json`), JSON.stringify(column));
  });
}

function planOf(trial: Trial): readonly [(() => Promise<void>) | undefined, Outcome] {
  if (typeof trial === 'function') return [trial, 'yes'];
  const { lacks, partly } = trial;
  return partly === undefined ? [undefined, { lacks }] : [partly, { lacks, partly: true }];
}
