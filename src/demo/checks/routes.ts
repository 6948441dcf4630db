import type { RouteReport } from '../../api/contract.ts';
import { agentClient } from '../agents.ts';
import { cliOnNode } from '../datastore.ts';
import { mustRun } from '../process.ts';
import type { Check, Finding } from './check.ts';

const NODE = 'node-a1';
const ROUTE_PROTOCOL = 80;

/** What the kernel has and what the agent says about it, side by side; neither may know a route that the other lacks. */
export const routes: Check = {
  name: 'routes',
  title: `ip route of ${NODE}, and the reason of each route from calicoctl-ts routes`,
  run: async ({ layout, choice }) => {
    const query = ['-4', 'route', 'show', 'table', 'all', 'proto', String(ROUTE_PROTOCOL)];
    const kernel = await mustRun(['ip', '-n', `${layout.prefix}${NODE}`, ...query]);
    const reports = await agentClient(layout, NODE).get<readonly RouteReport[]>('/v1/routes');
    const told = await cliOnNode(layout, NODE, choice.project)(['routes']);
    return compareRoutes(kernel, reports, told);
  },
};

/** Pure: pairs the kernel's lines with the agent's reports, and looks for each reason in what the CLI printed. */
export function compareRoutes(kernel: string, reports: readonly RouteReport[], cli: string): Finding {
  const lines = new Map(
    kernel
      .split('\n')
      .filter(Boolean)
      .map((line) => [destination(line), line.trim()]),
  );
  const byPrefix = new Map(reports.map((report) => [report.prefix, report]));
  const untold = [...lines].filter(([prefix]) => !byPrefix.has(prefix)).map(([, line]) => line);
  // What the agent itself says it does not write, and why, is an answer; an announced subnet of our own is such a one.
  const unwritten = reports.filter(({ state }) => state === 'unresolved');
  const missing = reports.filter(
    ({ prefix, state }) => state !== 'unresolved' && (state !== 'programmed' || !lines.has(prefix)),
  );
  const unprinted = reports.filter(({ prefix, reason }) => !cli.includes(prefix) || !cli.includes(reason));
  return {
    ok:
      lines.size > 0 &&
      unwritten.every(({ error }) => error !== undefined) &&
      untold.length + missing.length + unprinted.length === 0,
    lines: [
      `${lines.size} routes of protocol ${ROUTE_PROTOCOL} in the kernel, ${reports.length} told by the agent`,
      ...[...lines].flatMap(([prefix, line]) => [line, `    ${byPrefix.get(prefix)?.reason ?? 'no reason'}`]),
      ...unwritten.map(({ prefix, error }) => `left out: ${prefix} (${error ?? 'no reason'})`),
      ...missing.map(
        ({ prefix, state, error }) => `not in the kernel: ${prefix} (${state}${error ? `, ${error}` : ''})`,
      ),
      ...unprinted.map(({ prefix }) => `not printed by calicoctl-ts routes: ${prefix}`),
    ],
    data: {
      routes: [...lines].map(([prefix, line]) => ({
        prefix,
        kernel: line,
        reason: byPrefix.get(prefix)?.reason ?? null,
      })),
      withoutReason: untold,
      notInKernel: missing.map(({ prefix, state }) => ({ prefix, state })),
    },
  };
}

/** `blackhole 10.0.0.0/26 proto 80`, `10.0.0.1 dev cali0 …`: the prefix, host routes with their /32. */
function destination(line: string): string {
  const words = line.trim().split(' ');
  const first = /^[a-z]+$/.test(words[0]!) && words[0] !== 'default' ? words[1]! : words[0]!;
  if (first === 'default') return '0.0.0.0/0';
  return first.includes('/') ? first : `${first}/32`;
}
