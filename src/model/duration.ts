import { InvalidValueError } from './invalid.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g;

/** Parses a duration as Go writes it (`120s`, `2m0s`, `1.5h`) into milliseconds. Throws InvalidValueError. */
export function parseDuration(text: string, field = 'duration'): number {
  if (text === '0') return 0;
  const parts = [...text.matchAll(PART)];
  // No gap between the parts and nothing around them.
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) {
    throw new InvalidValueError(field, text, 'is not a duration such as 120s or 2m0s');
  }
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNIT_MS[unit!]!, 0);
}

/** Formats milliseconds as Go's `time.Duration` does: `2m0s`, `1.5s`, `250ms`, `0s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  if (ms < 0.001) return `${trim(ms * 1e6)}ns`;
  if (ms < 1) return `${trim(ms * 1e3)}µs`;
  if (ms < 1000) return `${trim(ms)}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = `${trim((ms % 60_000) / 1000)}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

/** At most nanoseconds; a double holds no more. */
const trim = (value: number): string => String(Number(value.toFixed(9)));

/** `4 s`, `3 min`, `2 h`, `5 days`: as exact as people need it. Nothing is shorter than 0 s. */
export function roughDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}
