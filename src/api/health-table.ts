/** The answer of /liveness and /readiness, and the end of `node status`: felix's table. */
import { formatFramed } from '../cli/table.ts';
import type { HealthReport } from './contract.ts';

export const formatHealth = ({ reporters }: HealthReport): string =>
  formatFramed(
    ['component', 'liveness', 'readiness', 'detail'],
    reporters.map(({ name, live, ready, detail }) => [
      name,
      live ? 'live' : 'NOT LIVE',
      ready ? 'ready' : 'NOT READY',
      detail,
    ]),
  );
