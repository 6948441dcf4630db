import { UsageError } from '../io.ts';

/** One step of a path. Indices and slices count from the end where negative, as in kubectl. */
export type Step =
  | { readonly do: 'root' }
  | { readonly do: 'field'; readonly name: string }
  | { readonly do: 'all' | 'descend' }
  | { readonly do: 'slice'; readonly from?: number; readonly to?: number; readonly by?: number }
  | { readonly do: 'union'; readonly of: readonly (readonly Step[])[] }
  | { readonly do: 'filter'; readonly left: Operand; readonly operator?: Operator; readonly right?: Operand };

export type Operator = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type Operand = { readonly path: readonly Step[] } | { readonly literal: string | number | boolean | null };

/** A template: text, paths in braces, and ranges around more of the same. */
export type Part =
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'path'; readonly path: readonly Step[] }
  | { readonly is: 'range'; readonly path: readonly Step[]; readonly body: readonly Part[] };

/**
 * Reads what kubectl takes after `-o jsonpath=`: text outside of braces stands for itself, `{.a.b[0]}` is a path, `{"\n"}` a
 * text, `{range PATH} … {end}` repeats. Without any brace the whole is a path. Throws UsageError with the column.
 */
export function parseJsonPath(template: string): readonly Part[] {
  return template.includes('{') ? new TemplateReader(template).template() : [bare(template)];
}

/** `.metadata.name` or `metadata.name`, without braces or in one pair: what custom columns hold. */
export function parsePath(text: string): readonly Step[] {
  const inner = /^\{(.*)\}$/s.exec(text)?.[1] ?? text;
  const reader = new TemplateReader(inner);
  const path = reader.path();
  reader.expectEnd();
  return path;
}

const bare = (template: string): Part => ({ is: 'path', path: parsePath(template) });

const OPERATORS: readonly Operator[] = ['==', '!=', '<=', '>=', '<', '>'];
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

class TemplateReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  template(): readonly Part[] {
    const parts = this.#parts();
    if (this.#at < this.#text.length) throw this.#fault('{end} without {range}');
    return parts;
  }

  /** Until the end of the text, or a `{end}`, which is left. */
  #parts(): readonly Part[] {
    const parts: Part[] = [];
    while (this.#at < this.#text.length && !this.#looksAt(/^\{\s*end\s*\}/)) {
      if (this.#text[this.#at] === '{') parts.push(this.#braces());
      else parts.push({ is: 'text', text: this.#match(/^[^{]+/) ?? '' });
    }
    return parts;
  }

  #braces(): Part {
    this.#at++;
    this.#skipBlanks();
    if (this.#match(/^range(?=[\s.$@[])/) !== undefined) return this.#range();
    const text = this.#quoted();
    const part: Part = text === undefined ? { is: 'path', path: this.path() } : { is: 'text', text };
    this.#closeBrace();
    return part;
  }

  #range(): Part {
    this.#skipBlanks();
    const path = this.path();
    this.#closeBrace();
    const body = this.#parts();
    if (this.#match(/^\{\s*end\s*\}/) === undefined) throw this.#fault('{range} without {end}');
    return { is: 'range', path, body };
  }

  #closeBrace(): void {
    this.#skipBlanks();
    if (this.#match(/^\}/) === undefined) throw this.#fault(`'}' is missing`);
  }

  path(): readonly Step[] {
    const steps: Step[] = [];
    if (this.#match(/^\$/) !== undefined) steps.push({ do: 'root' });
    else if (this.#match(/^@/) === undefined && !this.#looksAt(/^[.[]/)) steps.push(this.#field());
    for (;;) {
      if (this.#match(/^\.\./) !== undefined) {
        steps.push({ do: 'descend' });
        if (!this.#looksAt(/^\[/)) steps.push(this.#field());
      } else if (this.#match(/^\./) !== undefined) {
        // `{.}` is the whole; `.items.[0]` is what some write for `.items[0]`.
        if (this.#looksAt(/^[^\s}\])=!<>[]/)) steps.push(this.#field());
      } else if (this.#match(/^\[/) !== undefined) steps.push(this.#bracket());
      else return steps;
    }
  }

  expectEnd(): void {
    if (this.#at < this.#text.length) throw this.#fault(`'${this.#text.slice(this.#at)}' is not understood`);
  }

  #field(): Step {
    if (this.#match(/^\*/) !== undefined) return { do: 'all' };
    // A dot inside of a name is written `\.`, as in kubernetes\.io/hostname.
    const name = this.#match(/^(\\.|[^\s.[\](){}'",=!<>*?@$\\])+/);
    if (name === undefined) throw this.#fault('a field is missing');
    return { do: 'field', name: name.replace(/\\(.)/g, '$1') };
  }

  #bracket(): Step {
    this.#skipBlanks();
    const step = this.#match(/^\?\(/) === undefined ? this.#selection() : this.#filter();
    this.#skipBlanks();
    if (this.#match(/^\]/) === undefined) throw this.#fault(`']' is missing`);
    return step;
  }

  #selection(): Step {
    if (this.#match(/^\*/) !== undefined) return { do: 'all' };
    const of: (readonly Step[])[] = [];
    do {
      this.#skipBlanks();
      of.push([this.#selected()]);
      this.#skipBlanks();
    } while (this.#match(/^,/) !== undefined);
    const [[only] = []] = of;
    return of.length === 1 && only !== undefined ? only : { do: 'union', of };
  }

  #selected(): Step {
    const name = this.#quoted();
    if (name !== undefined) return { do: 'field', name };
    const numbers = this.#match(/^-?\d*(:-?\d*){0,2}/) ?? '';
    if (numbers === '') throw this.#fault('an index, a name in quotes, * or ?( is missing');
    const [from, to, by] = numbers.split(':').map((text) => (text === '' ? undefined : Number(text)));
    if (by !== undefined && by <= 0) throw this.#fault('a step must be above 0');
    if (!numbers.includes(':')) return { do: 'slice', from: from!, ...(from === -1 ? {} : { to: from! + 1 }) };
    return {
      do: 'slice',
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      ...(by !== undefined && { by }),
    };
  }

  #filter(): Step {
    const left = this.#operand();
    this.#skipBlanks();
    const operator = OPERATORS.find((one) => this.#text.startsWith(one, this.#at));
    let right: Operand | undefined;
    if (operator !== undefined) {
      this.#at += operator.length;
      right = this.#operand();
      this.#skipBlanks();
    }
    if (this.#match(/^\)/) === undefined) {
      throw this.#fault(`a filter is ?(@.field OPERATOR value) with one of ${OPERATORS.join(' ')}; ')' is missing`);
    }
    return { do: 'filter', left, ...(operator !== undefined && right !== undefined && { operator, right }) };
  }

  #operand(): Operand {
    this.#skipBlanks();
    const text = this.#quoted();
    if (text !== undefined) return { literal: text };
    const word = this.#match(/^(-?\d+(\.\d+)?|true|false|null)(?=[\s)=!<>])/);
    return word === undefined ? { path: this.path() } : { literal: JSON.parse(word) as number | boolean | null };
  }

  /** What stands in quotes of either kind; undefined where none begin here. */
  #quoted(): string | undefined {
    const quote = this.#text[this.#at];
    if (quote !== '"' && quote !== "'") return undefined;
    const whole = this.#match(quote === '"' ? /^"(\\.|[^"\\])*"/s : /^'(\\.|[^'\\])*'/s);
    if (whole === undefined) throw this.#fault(`a text in ${quote} does not end`);
    return whole.slice(1, -1).replace(/\\(.)/gs, (_, letter: string) => ESCAPES[letter] ?? letter);
  }

  #skipBlanks(): void {
    this.#match(/^\s+/);
  }

  #looksAt(pattern: RegExp): boolean {
    return pattern.test(this.#text.slice(this.#at));
  }

  #match(pattern: RegExp): string | undefined {
    const found = pattern.exec(this.#text.slice(this.#at))?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #fault(reason: string): UsageError {
    return new UsageError(`jsonpath '${this.#text}': ${reason} (column ${this.#at + 1})`);
  }
}
