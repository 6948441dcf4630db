import type { LoadedDaemon } from '../daemon.ts';
import { bird } from './bird.ts';
import { calicoTs } from './calico-ts.ts';
import { frr } from './frr.ts';
import { gobgpd } from './gobgpd.ts';
import { openbgpd } from './openbgpd.ts';
import { relay, sink } from './relay.ts';

/** In the order in which they run and are shown; ratios are to the first. */
export const DAEMONS: readonly LoadedDaemon[] = [bird, calicoTs, frr, openbgpd, gobgpd, relay, sink];
