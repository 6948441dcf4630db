import { onHost } from '../layout.ts';
import { readPing } from '../ping-output.ts';
import { run } from '../process.ts';
import { OFFICE } from '../topology.ts';
import { mapBounded } from '../wait.ts';
import type { Check } from './check.ts';

interface Ping {
  readonly from: string;
  readonly to: string;
  readonly ok: boolean;
}

/** Every pod to every other pod, and the office, which runs no agent, to every pod. */
export const pingMatrix: Check = {
  name: 'ping-matrix',
  title: 'every pod reaches every other pod, and the office reaches every pod without NAT',
  run: async ({ layout, pods }) => {
    const sources = [...pods.map(({ host }) => host), OFFICE.name];
    const pairs = sources.flatMap((from) => pods.filter(({ host }) => host !== from).map((pod) => ({ from, pod })));
    const pings = await mapBounded(pairs, 8, async ({ from, pod }): Promise<Ping> => {
      const { stdout } = await run(onHost(layout, from, ['ping', '-n', '-c', '1', '-W', '5', pod.address]));
      return { from, to: pod.host, ok: readPing(stdout).received === 1 };
    });
    const answered = pings.filter(({ ok }) => ok).length;
    return {
      ok: answered === pings.length && pings.length > 0,
      lines: [`${answered} of ${pings.length} pings answered`, ...matrix(sources, pings)],
      data: {
        answered,
        asked: pings.length,
        lost: pings.filter(({ ok }) => !ok).map(({ from, to }) => ({ from, to })),
      },
    };
  },
};

/** One row per source, one column per pod. */
function matrix(sources: readonly string[], pings: readonly Ping[]): readonly string[] {
  const width = Math.max(...sources.map((name) => name.length));
  const columns = sources.filter((name) => pings.some(({ to }) => to === name));
  const short = (name: string): string => name.replace('pod-node-', '');
  const cell = (from: string, to: string): string => {
    const ping = pings.find((one) => one.from === from && one.to === to);
    return (ping === undefined ? '·' : ping.ok ? 'ok' : 'LOST').padEnd(5);
  };
  return [
    `${''.padEnd(width)}  ${columns.map((name) => short(name).padEnd(5)).join('')}`,
    ...sources.map((from) => `${from.padEnd(width)}  ${columns.map((to) => cell(from, to)).join('')}`.trimEnd()),
  ];
}
