import type { z } from 'zod';
import { InvalidValueError } from '../model/invalid.ts';

/** A resource that breaks a rule: all its faults, each with field, value and reason. Calico's wording around them. */
export class InvalidResourceError extends Error {
  override readonly name = 'InvalidResourceError';
  readonly faults: readonly InvalidValueError[];

  constructor(faults: readonly InvalidValueError[]) {
    const [only] = faults;
    super(
      faults.length === 1
        ? `error with field ${only!.message}`
        : ['error with the following fields:', ...faults.map((fault) => `-  ${fault.message}`)].join('\n'),
    );
    this.faults = faults;
  }
}

export const invalidField = (field: string, value: unknown, reason: string): InvalidResourceError =>
  new InvalidResourceError([new InvalidValueError(field, value, reason)]);

/** What zod found, in our words: the whole path of the field and the value that stood there. */
export function invalidResource(error: z.ZodError, input: unknown): InvalidResourceError {
  return new InvalidResourceError(
    error.issues.map(
      (issue) => new InvalidValueError(fieldOf(issue.path), valueAt(input, issue.path), reason(issue, input)),
    ),
  );
}

function fieldOf(path: readonly PropertyKey[]): string {
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${String(part)}`))
    .join('');
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  const value = path.reduce<unknown>(
    (at, part) => (at as Record<PropertyKey, unknown> | null | undefined)?.[part],
    input,
  );
  return value ?? '';
}

function reason(issue: z.core.$ZodIssue, input: unknown): string {
  if (issue.code === 'invalid_value') return `is not one of ${issue.values.map(String).join(', ')}`;
  if (issue.code !== 'invalid_type') return issue.message;
  const value = issue.path.reduce<unknown>(
    (at, part) => (at as Record<PropertyKey, unknown> | null | undefined)?.[part],
    input,
  );
  if (value === undefined || value === null) return 'is required';
  return `is not ${article(issue.expected === 'record' ? 'object' : issue.expected)}`;
}

const article = (noun: string): string => `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
