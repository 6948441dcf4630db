import type { Daemon } from '../daemon.ts';
import { bird } from './bird.ts';
import { exabgp } from './exabgp.ts';
import { frr } from './frr.ts';
import { gobgp } from './gobgp.ts';
import { openbgpd } from './openbgpd.ts';

/** Every daemon that can be recorded; one row each. */
export const daemons: readonly Daemon[] = [bird, frr, gobgp, openbgpd, exabgp];
