/** What `ping -D` says at its end and for each answer. */
export interface PingSummary {
  readonly transmitted: number;
  readonly received: number;
  /** Milliseconds since 1970 of each answer. */
  readonly answeredAt: readonly number[];
}

export function readPing(text: string): PingSummary {
  const summary = /(\d+) packets transmitted, (\d+) (?:packets )?received/.exec(text);
  const answeredAt = [...text.matchAll(/^\[(\d+\.\d+)\] \d+ bytes from /gm)].map(
    ([, seconds]) => Number(seconds) * 1000,
  );
  return { transmitted: Number(summary?.[1] ?? 0), received: Number(summary?.[2] ?? 0), answeredAt };
}
