import type { Operand, Operator, Part, Step } from './jsonpath-parse.ts';
import { parseJsonPath, parsePath } from './jsonpath-parse.ts';

/** A template of kubectl's jsonpath dialect as a function; a path that leads nowhere prints nothing. Throws CommandError. */
export function jsonPath(template: string): (value: unknown) => string {
  const parts = parseJsonPath(template);
  return (value) => print(parts, { root: value, here: value });
}

/** A path as a function to all that it leads to. Throws CommandError. */
export function valuesAt(path: string): (value: unknown) => readonly unknown[] {
  const steps = parsePath(path);
  return (value) => walk(steps, { root: value, here: value });
}

/** Texts bare, everything else as JSON. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

interface Place {
  /** `$` */
  readonly root: unknown;
  /** `@`: what a range or a filter is at. */
  readonly here: unknown;
}

const print = (parts: readonly Part[], place: Place): string =>
  parts
    .map((part) => {
      if (part.is === 'text') return part.text;
      const found = walk(part.path, place);
      if (part.is === 'path') return found.map(textOf).join(' ');
      return found.map((here) => print(part.body, { ...place, here })).join('');
    })
    .join('');

const walk = (path: readonly Step[], { root, here }: Place): readonly unknown[] =>
  path.reduce<readonly unknown[]>(
    (values, step) => (step.do === 'root' ? [root] : values.flatMap((value) => next(step, { root, here: value }))),
    [here],
  );

function next(step: Step, place: Place): readonly unknown[] {
  const { here } = place;
  switch (step.do) {
    case 'root':
      return [place.root];
    case 'field':
      return present([fieldOf(here, step.name)]);
    case 'all':
      return children(here);
    case 'descend':
      return descendants(here);
    case 'slice':
      return Array.isArray(here) ? here.slice(step.from, step.to).filter((_, i) => i % (step.by ?? 1) === 0) : [];
    case 'union':
      return step.of.flatMap((path) => walk(path, place));
    case 'filter':
      return children(here).filter((each) => holds(step, { ...place, here: each }));
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const present = (values: readonly unknown[]): readonly unknown[] => values.filter((value) => value !== undefined);

/** kubectl reads `['a.b']` as a path; a label of that very name comes first here, for that is what is meant. */
function fieldOf(value: unknown, name: string): unknown {
  if (!isObject(value)) return undefined;
  if (Object.hasOwn(value, name)) return value[name];
  const dot = name.indexOf('.');
  return dot < 0 ? undefined : fieldOf(fieldOf(value, name.slice(0, dot)), name.slice(dot + 1));
}

function children(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return isObject(value) ? Object.values(value) : [];
}

const descendants = (value: unknown): readonly unknown[] => [value, ...children(value).flatMap(descendants)];

function holds({ left, operator, right }: Extract<Step, { readonly do: 'filter' }>, place: Place): boolean {
  const values = operandValues(left, place);
  if (operator === undefined || right === undefined) return values.length > 0;
  const others = operandValues(right, place);
  return values.some((value) => others.some((other) => compares(value, operator, other)));
}

const operandValues = (operand: Operand, place: Place): readonly unknown[] =>
  'literal' in operand ? [operand.literal] : walk(operand.path, place);

/** Numbers as numbers; of different types, as texts: `"65001"` finds 65001. */

function compares(left: unknown, operator: Operator, right: unknown): boolean {
  const numbers = typeof left === 'number' && typeof right === 'number';
  const [a, b] = numbers ? [left, right] : [textOf(left), textOf(right)];
  switch (operator) {
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
  }
}
