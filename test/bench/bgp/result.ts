/** What the generator says of one run, and figures out of it. Pure. */
import * as z from 'zod';

/** Numbers that did not come about are null. */
const phase = z.looseObject({ name: z.string(), ok: z.boolean() });
const lateness = z.object({
  /** How many keepalives were timed. */
  n: z.number(),
  /** How many of the sessions with hold time 3 were lost. */
  lost: z.number(),
  /** By how much the latest of them were late, the worst first, at most 50. */
  worst_ms: z.array(z.number()),
});
const schema = z.looseObject({
  ok: z.boolean(),
  errors: z.array(z.string()),
  phases: z.array(phase),
  keepalives: lateness.optional(),
});

export type LoadResult = z.infer<typeof schema>;
export type Lateness = z.infer<typeof lateness>;

/** Throws where it is not what the generator writes. */
export const parseResult = (json: string): LoadResult => schema.parse(JSON.parse(json));

export const failure = (...errors: readonly string[]): LoadResult => ({ ok: false, errors: [...errors], phases: [] });

/** A number of a phase, or of an object beside the phases: `load.converged_s`, `churn.all.p99_ms`, `at_established.rss_mb`. */
export function numberAt(result: LoadResult, path: string): number | undefined {
  const [where = '', ...keys] = path.split('.');
  let node: unknown = result.phases.find(({ name }) => name === where) ?? result[where];
  for (const key of keys) {
    node = typeof node === 'object' && node !== null ? (node as Readonly<Record<string, unknown>>)[key] : undefined;
  }
  return typeof node === 'number' ? node : undefined;
}

/** Of prefixes that should have come, the share that did in the phase where the run failed: `97%`. */
export function reached(result: LoadResult): string {
  const failed = result.phases.find(({ ok }) => !ok);
  const [present, expected] = [failed?.['present'], failed?.['expected']];
  if (typeof present !== 'number' || typeof expected !== 'number' || expected === 0) return '0%';
  return `${Math.floor((100 * present) / expected)}%`;
}

/** /proc/stat knows two ticks and no less. */
const GRAIN_SECONDS = 0.02;
const SHORTEST_SECONDS = 0.05;

/** The share of a core that others took while the times of this run were measured; of its worst phase. */
export function noiseOf(result: LoadResult): number {
  const shares = result.phases.map(({ name }) => {
    const seconds = numberAt(result, `${name}.converged_s`) ?? numberAt(result, `${name}.wall_s`) ?? 0;
    const others =
      numberAt(result, `${name}.foreign_cpu_at_convergence_s`) ?? numberAt(result, `${name}.foreign_cpu_s`) ?? 0;
    return (others - GRAIN_SECONDS) / Math.max(seconds, SHORTEST_SECONDS);
  });
  return Math.max(0, ...shares);
}
