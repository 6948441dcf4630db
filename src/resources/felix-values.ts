import * as z from 'zod';
import { formatDuration, parseDuration } from '../model/duration.ts';
import { InvalidValueError } from '../model/invalid.ts';
import { checkedText, fields, text, wholeNumber } from './fields.ts';
import { portOrRange } from './traffic-fields.ts';

/**
 * The kinds of values that FelixConfiguration has. All may be absent; `absent` is what Felix takes then. It is told, not filled
 * in: a value that is filled in would hide that of a weaker FelixConfiguration.
 */

const noted = (absent: unknown, description: string | undefined): Record<string, unknown> => ({
  ...(description === undefined ? {} : { description }),
  ...(absent === undefined ? {} : { absent }),
});

export const flag = (absent?: boolean, description?: string) =>
  z.boolean().meta(noted(absent, description)).exactOptional();

export const words = (absent?: string, description?: string) =>
  z.string().meta(noted(absent, description)).exactOptional();

export const matching = ([pattern, reason]: readonly [RegExp, string], absent?: string, description?: string) =>
  z.string().regex(pattern, reason).meta(noted(absent, description)).exactOptional();

export const number = ([min, max]: readonly [number, number], absent?: number, description?: string) =>
  wholeNumber(min, max).meta(noted(absent, description)).exactOptional();

/** Any case is understood, Calico's own is stored. */
export const caseless = <T extends string>(values: readonly T[]) => text((value) => meant(values, value));

function meant<T extends string>(values: readonly T[], value: string): T {
  const found = values.find((candidate) => candidate.toLowerCase() === value.toLowerCase());
  if (found !== undefined) return found;
  throw new InvalidValueError('', value, `is not one of ${values.join(', ')}`);
}

/** Calico's tools write an empty text where they mean none. */
export const choice = <T extends string>(values: readonly T[], absent?: T, description?: string) =>
  text((value): T | '' => (value === '' ? value : meant(values, value)))
    .meta({ enum: [...values], ...noted(absent, description) })
    .exactOptional();

export const ENABLED = ['Enabled', 'Disabled'] as const;

/** Calico's schema knows nothing shorter than a millisecond. */
export const anyDuration = text((value) => {
  const ms = parseDuration(value);
  if (ms === 0 || ms >= 1) return formatDuration(ms);
  throw new InvalidValueError('', value, 'is shorter than 1ms, and not 0');
});

export const duration = (absent?: string, description?: string) =>
  anyDuration.meta({ samples: ['1m30s'], ...noted(absent, description) }).exactOptional();

export const durationOrAuto = (absent: string) =>
  checkedText((value) => value === 'Auto' || parseDuration(value))
    .meta({ samples: ['1m30s', 'Auto'], absent: absent })
    .exactOptional();

export const ports = (absent?: number | string, description?: string) =>
  portOrRange.meta(noted(absent, description)).exactOptional();

export const list = <T extends z.ZodType>(entry: T, absent?: readonly unknown[], description?: string) =>
  z.array(entry).meta(noted(absent, description)).exactOptional();

/** Ports that no policy closes: `protocol` absent is TCP, `net` absent is everybody. */
export const failsafePorts = (owner: string, absent: readonly string[]) =>
  list(
    fields(`FelixConfiguration.spec.${owner}`, {
      protocol: caseless(['TCP', 'UDP', 'SCTP'])
        .meta({ enum: ['TCP', 'UDP', 'SCTP'], absent: 'TCP' })
        .exactOptional(),
      port: wholeNumber(0, 65_535),
      net: z.string().exactOptional(),
    }),
    absent.map((each) => {
      const [protocol = '', port = ''] = each.split(' ');
      return { protocol, port: Number(port) };
    }),
    'ports of host endpoints that no policy closes; an empty list: none',
  );
