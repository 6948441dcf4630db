import type { Json } from '../../datastore/store.ts';
import type { Cluster } from '../cluster.ts';

/** What a check found: for people line by line, for machines as data. */
export interface Finding {
  readonly ok: boolean;
  readonly lines: readonly string[];
  readonly data: Json;
}

export interface Check {
  /** For machines: `ping-matrix`. */
  readonly name: string;
  /** What holds where it passes, in one line. */
  readonly title: string;
  readonly run: (cluster: Cluster) => Promise<Finding>;
}

export interface CheckResult extends Finding {
  readonly name: string;
  readonly title: string;
  readonly seconds: number;
}

/** Runs one check; what it throws is its finding. An abort is not: it ends the demo. */
export async function runCheck(check: Check, cluster: Cluster): Promise<CheckResult> {
  const start = performance.now();
  const { name, title } = check;
  const finding = await check.run(cluster).catch((error: unknown): Finding => {
    cluster.signal.throwIfAborted();
    return { ok: false, lines: [(error as Error).message], data: { error: (error as Error).message } };
  });
  return { name, title, ...finding, seconds: Math.round((performance.now() - start) / 100) / 10 };
}
