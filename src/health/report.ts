/** What each part of the agent says of itself, in one answer. */
import type { HealthReport, ReporterReport } from '../api/contract.ts';

export type Verdict = Omit<ReporterReport, 'name'>;

/** One part of the agent that can be asked how it is. */
export interface Reporter {
  readonly name: string;
  /** `now`: the clock's milliseconds. */
  check(now: number): Verdict;
}

/** Live and ready where every reporter is; what is not live is not ready either. */
export function reportHealth(reporters: readonly Reporter[], now: number): HealthReport {
  const reports = reporters.map((reporter) => {
    const { live, ready, detail } = reporter.check(now);
    return { name: reporter.name, live, ready: live && ready, detail };
  });
  return {
    live: reports.every(({ live }) => live),
    ready: reports.every(({ ready }) => ready),
    reporters: reports,
  };
}

export const ready = (detail: string): Verdict => ({ live: true, ready: true, detail });
export const notReady = (detail: string): Verdict => ({ live: true, ready: false, detail });
export const notLive = (detail: string): Verdict => ({ live: false, ready: false, detail });

/** `0.4 s`, `12 s`, `2 min`. */
export function duration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}
