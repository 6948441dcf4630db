/** What is wrong with a configuration: one sentence each, the path and the value in it. Pure. */
import type { z } from 'zod';
import { didYouMean } from './fields.ts';

/** A configuration that cannot be used, with every problem in it. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

type Path = readonly PropertyKey[];

/** `peers[2].asn`, `filters.customers[0].cidr`; empty for the whole. */
export const formatPath = (path: Path): string =>
  path.map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${String(part)}`)).join('');

/** `peers[2].asn = 'abc': is not an AS number`; without a value where none is there. */
export function problem(path: Path, value: unknown, reason: string): string {
  const where = formatPath(path) || 'the file';
  if (value === undefined) return `${where} is missing`;
  if (value === null) return `${where} has no value`;
  return `${where} = '${path.at(-1) === SECRET ? '***' : shown(value)}': ${reason}`;
}

/** Without its value: of a misspelled password that is nobody's business. */
const unknownKey = (path: Path, reason: string): Sentence => [formatPath(path), `${formatPath(path)}: ${reason}`];

const SECRET = 'password';

/** What zod found in `input`. A value that breaks several rules is told once, by the first of them. */
export function schemaProblems(error: z.ZodError, input: unknown): readonly string[] {
  const told = new Map<string, string>();
  for (const [place, sentence] of error.issues.flatMap((issue) => sentences(issue, [], input))) {
    if (!told.has(place)) told.set(place, sentence);
  }
  return [...told.values()];
}

type Sentence = readonly [place: string, sentence: string];

function sentences(issue: z.core.$ZodIssue, above: Path, input: unknown): readonly Sentence[] {
  const path = [...above, ...issue.path];
  const value = at(input, path);
  const wrong = (reason: string): readonly Sentence[] => [[formatPath(path), problem(path, value, reason)]];
  if (value === undefined || value === null) return wrong('');
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key, i) => unknownKey([...path, key], issue.message.split('\n')[i] ?? ''));
    case 'invalid_key':
      return issue.issues.map(({ message }) => [formatPath(path), problem(path.slice(0, -1), path.at(-1), message)]);
    case 'invalid_union':
      return ofUnion(issue, path, input);
    case 'invalid_value':
      return wrong(notOneOf(value, issue.values.map(String)));
    default:
      return wrong(issue.code === 'invalid_type' ? notA(issue) : issue.message);
  }
}

/** What the alternatives say that fit the value's type; where none fits, which types there are. */
function ofUnion(issue: z.core.$ZodIssueInvalidUnion, path: Path, input: unknown): readonly Sentence[] {
  const isAnotherType = (one: z.core.$ZodIssue): boolean => one.code === 'invalid_type' && one.path.length === 0;
  const fitting = issue.errors.filter((branch) => !branch.some(isAnotherType));
  if (fitting.length > 0) return fitting.flatMap((branch) => branch.flatMap((one) => sentences(one, path, input)));
  const types = issue.errors.flat().flatMap((one) => (one.code === 'invalid_type' ? [wordFor(one.expected)] : []));
  return [[formatPath(path), problem(path, at(input, path), `is not ${[...new Set(types)].join(' or ')}`)]];
}

/** A message of our own stands where a schema brought one. */
const notA = (issue: z.core.$ZodIssueInvalidType): string =>
  issue.message.startsWith('is not') ? issue.message : `is not ${wordFor(issue.expected)}`;

const wordFor = (type: string): string => WORDS.get(type) ?? `a ${type}`;

const WORDS = new Map([
  ['string', 'a text'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['tuple', 'a list'],
  ['object', 'a map'],
  ['record', 'a map'],
]);

const notOneOf = (value: unknown, values: readonly string[]): string =>
  `is not one of ${values.join(', ')}${typeof value === 'string' ? didYouMean(value, values) : ''}`;

const at = (input: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, part)
        ? (value as Readonly<Record<PropertyKey, unknown>>)[part]
        : undefined,
    input,
  );

const MAX_SHOWN = 80;

/** One line, not the whole of a long one, and nothing that a terminal obeys. */
function shown(value: unknown): string {
  const text =
    typeof value === 'string'
      ? value.replaceAll(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1))
      : JSON.stringify(value, (key, part: unknown) => (key === SECRET ? '***' : part));
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
