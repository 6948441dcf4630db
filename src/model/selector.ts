import { InvalidValueError } from './invalid.ts';

export type Labels = Readonly<Record<string, string>>;

/** A parsed selector; `&&` and `||` hold two operands or more. */
export type Selector =
  | { readonly op: 'all' | 'global' }
  | { readonly op: 'has'; readonly label: string }
  | { readonly op: Comparison; readonly label: string; readonly value: string }
  | { readonly op: 'in' | 'not in'; readonly label: string; readonly values: readonly string[] }
  | { readonly op: '!'; readonly operand: Selector }
  | { readonly op: '&&' | '||'; readonly operands: readonly Selector[] };

export type Comparison = '==' | '!=' | 'contains' | 'starts with' | 'ends with';

const MAX_CHARS = 1024;
const MAX_LABEL_CHARS = 512;

/**
 * Parses Calico's selector language; the empty text selects everything. What Calico would not read is refused: white space
 * is blanks and tabs, and nothing stands between a function and its parenthesis.
 * `!` binds closer than `&&`, and that closer than `||`. Throws InvalidValueError with the position of the fault.
 */
export function parseSelector(text: string, field = 'selector'): Selector {
  if (text.length > MAX_CHARS) throw new InvalidValueError(field, text, `is longer than ${MAX_CHARS} characters`);
  const cursor = new Cursor(text, field);
  if (cursor.atEnd()) return { op: 'all' };
  const selector = either(cursor);
  if (!cursor.atEnd()) throw cursor.expected('"&&", "||" or the end');
  return selector;
}

/** `!=` and `not in` hold where the label is absent; every other comparison needs it. */
export function matchesSelector(selector: Selector, labels: Labels): boolean {
  switch (selector.op) {
    case 'all':
      return true;
    case 'global': // Means something only in a namespace selector: what has no namespace.
      return false;
    case '!':
      return !matchesSelector(selector.operand, labels);
    case '&&':
      return selector.operands.every((operand) => matchesSelector(operand, labels));
    case '||':
      return selector.operands.some((operand) => matchesSelector(operand, labels));
    default:
      return matchesLabel(selector, Object.hasOwn(labels, selector.label) ? labels[selector.label] : undefined);
  }
}

type LabelSelector = Extract<Selector, { readonly label: string }>;

function matchesLabel(selector: LabelSelector, actual: string | undefined): boolean {
  switch (selector.op) {
    case 'has':
      return actual !== undefined;
    case '==':
      return actual === selector.value;
    case '!=':
      return actual !== selector.value;
    case 'contains':
      return actual?.includes(selector.value) ?? false;
    case 'starts with':
      return actual?.startsWith(selector.value) ?? false;
    case 'ends with':
      return actual?.endsWith(selector.value) ?? false;
    case 'in':
      return actual !== undefined && selector.values.includes(actual);
    case 'not in':
      return actual === undefined || !selector.values.includes(actual);
  }
}

function either(cursor: Cursor): Selector {
  const operands = [both(cursor)];
  while (cursor.take(/\|\|/y)) operands.push(both(cursor));
  return operands.length === 1 ? operands[0]! : { op: '||', operands };
}

function both(cursor: Cursor): Selector {
  const operands = [single(cursor)];
  while (cursor.take(/&&/y)) operands.push(single(cursor));
  return operands.length === 1 ? operands[0]! : { op: '&&', operands };
}

function single(cursor: Cursor): Selector {
  if (cursor.take(/!/y)) return { op: '!', operand: single(cursor) };
  if (cursor.take(/\(/y)) {
    const inner = either(cursor);
    if (!cursor.take(/\)/y)) throw cursor.expected('")"');
    return inner;
  }
  const call = cursor.take(/(all|global)\([ \t]*\)/y);
  if (call) return { op: call[1] as 'all' | 'global' };
  const has = cursor.take(/has\([ \t]*([\w./-]+)[ \t]*\)/y);
  if (has) return { op: 'has', label: cursor.label(has[1]!) };
  const label = cursor.take(/[\w./-]+/y);
  if (!label) throw cursor.expected('a label, "has(…)", "all()" or "("');
  return comparison(cursor, cursor.label(label[0]));
}

function comparison(cursor: Cursor, label: string): Selector {
  if (cursor.take(/not[ \t]*in(?![\w./-])/y)) return { op: 'not in', label, values: set(cursor) };
  if (cursor.take(/in(?![\w./-])/y)) return { op: 'in', label, values: set(cursor) };
  const match = cursor.take(/==|!=|contains|(starts|ends)[ \t]*with/y);
  if (!match) throw cursor.expected(`an operator after "${label}"`);
  const op = (match[1] === undefined ? match[0] : `${match[1]} with`) as Comparison;
  return { op, label, value: literal(cursor) };
}

function set(cursor: Cursor): readonly string[] {
  if (!cursor.take(/\{/y)) throw cursor.expected('"{"');
  const values: string[] = [];
  while (!cursor.take(/\}/y)) {
    values.push(literal(cursor));
    if (!cursor.take(/,/y) && !cursor.sees(/\}/y)) throw cursor.expected('"," or "}"');
  }
  return values;
}

/** No escapes: a text holds either kind of quote, not both. */
function literal(cursor: Cursor): string {
  const match = cursor.take(/"([^"]*)"|'([^']*)'/y);
  if (!match) throw cursor.expected('a quoted text');
  return match[1] ?? match[2]!;
}

/** Where the parser stands in the text; skips white space before every token. */
class Cursor {
  readonly #text: string;
  readonly #field: string;
  #at = 0;

  constructor(text: string, field: string) {
    this.#text = text;
    this.#field = field;
    this.#skipSpace();
  }

  /** `token` is sticky; moves past it where it stands here. */
  take(token: RegExp): RegExpExecArray | undefined {
    const match = this.#match(token);
    if (!match) return undefined;
    this.#at += match[0].length;
    this.#skipSpace();
    return match;
  }

  sees(token: RegExp): boolean {
    return this.#match(token) !== undefined;
  }

  atEnd(): boolean {
    return this.#at === this.#text.length;
  }

  label(name: string): string {
    if (name.length <= MAX_LABEL_CHARS) return name;
    throw new InvalidValueError(this.#field, this.#text, `has a label longer than ${MAX_LABEL_CHARS} characters`);
  }

  expected(what: string): InvalidValueError {
    const found = this.atEnd() ? 'the end' : `"${this.#text.slice(this.#at, this.#at + 12)}"`;
    const reason = `is not a selector: expected ${what} at position ${this.#at + 1}, found ${found}`;
    return new InvalidValueError(this.#field, this.#text, reason);
  }

  #match(token: RegExp): RegExpExecArray | undefined {
    token.lastIndex = this.#at;
    return token.exec(this.#text) ?? undefined;
  }

  #skipSpace(): void {
    while (/[ \t]/.test(this.#text.charAt(this.#at))) this.#at++;
  }
}

/** The labels that a selector asks about, each once, in its order. */
export function selectorLabels(selector: Selector): readonly string[] {
  if ('label' in selector) return [selector.label];
  if ('operand' in selector) return selectorLabels(selector.operand);
  if ('operands' in selector) return [...new Set(selector.operands.flatMap(selectorLabels))];
  return [];
}
