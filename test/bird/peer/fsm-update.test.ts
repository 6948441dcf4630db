import { expect, test } from 'vitest';
import { step } from '../../../bird/peer/fsm.ts';
import type { Effect, State } from '../../../bird/peer/vocabulary.ts';
import { agreed, localSettings, openOf } from '../../support/bgp.ts';

test.each([90, 0])(
  'an UPDATE in Established starts the hold timer again, if any (%i s), and is delivered: as Driver does it itself',
  (holdSeconds) => {
    const local = localSettings({ holdSeconds });
    const session = agreed(local, openOf(local));
    const state: State = { name: 'Established', connectRetryCounter: 0, session };
    const frame = Uint8Array.of(1);
    const hold: readonly Effect[] = [{ do: 'startTimer', timer: 'HoldTimer', seconds: holdSeconds, jitter: false }];
    const [after, effects] = step(state, { type: 'UpdateMsg', frame }, local);
    expect(after).toBe(state);
    expect(effects).toEqual([...(holdSeconds > 0 ? hold : []), { do: 'deliverUpdate', frame }]);
  },
);
