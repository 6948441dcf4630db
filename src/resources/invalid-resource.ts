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
  const misread = error.issues
    .filter(({ code }) => code === 'unrecognized_keys')
    .map(({ path }) => JSON.stringify(path));
  return new InvalidResourceError(
    error.issues
      // A rule about an object as a whole has not seen the field that was misspelt.
      .filter(({ code, path }) => code !== 'custom' || !misread.includes(JSON.stringify(path)))
      .flatMap(findings)
      .map(({ path, reason }) => new InvalidValueError(fieldOf(path), valueAt(input, path), reason)),
  );
}

interface Finding {
  readonly path: readonly PropertyKey[];
  readonly reason: string;
}

/** `fields` tells of each unknown key in a line of its own. */
function findings(issue: z.core.$ZodIssue): readonly Finding[] {
  if (issue.code !== 'unrecognized_keys') return [{ path: issue.path, reason: issue.message }];
  const reasons = issue.message.split('\n');
  return issue.keys.map((key, i) => ({ path: [...issue.path, key], reason: reasons[i]! }));
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

/** How zod's own findings are told; what a schema says itself is stronger. */
export const wording: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === 'invalid_value') return `is not one of ${issue.values.map(String).join(', ')}`;
  if (issue.input === undefined || issue.input === null) return 'is required';
  // Schemas that bound a number say so themselves; what is left is a whole number beyond what JavaScript counts with.
  if (issue.code === 'too_big') return `is larger than ${issue.maximum}`;
  if (issue.code === 'too_small') return `is smaller than ${issue.minimum}`;
  if (issue.code !== 'invalid_type') return undefined;
  return `is not ${article(issue.expected === 'record' ? 'object' : issue.expected)}`;
};

const article = (noun: string): string => `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
