import type { Check } from './check.ts';
import { leave } from './leave.ts';
import { newPod } from './new-pod.ts';
import { nodeStatus } from './node-status.ts';
import { pingMatrix } from './ping-matrix.ts';
import { restart } from './restart.ts';
import { routes } from './routes.ts';
import { wire } from './wire.ts';

export { runCheck } from './check.ts';
export type { Check, CheckResult } from './check.ts';

/** In this order: the last one takes nodes away. A new check is one file and one row. */
export const CHECKS: readonly Check[] = [nodeStatus, pingMatrix, wire, routes, newPod, restart, leave];
