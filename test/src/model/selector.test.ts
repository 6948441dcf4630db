import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvalidValueError } from '../../../src/model/invalid.ts';
import type { Labels, Selector } from '../../../src/model/selector.ts';
import { matchesSelector, parseSelector } from '../../../src/model/selector.ts';

const matches = (text: string, labels: Labels): boolean => matchesSelector(parseSelector(text), labels);

describe('a selector', () => {
  test.each<[string, Labels, boolean]>([
    ['', {}, true],
    ['  ', { a: 'b' }, true],
    ['all()', {}, true],
    ['all( )', {}, true],
    ['global()', { a: 'b' }, false],
    ['has(rack)', { rack: '' }, true],
    ['has( rack )', {}, false],
    ['!has(rack)', {}, true],
    ['!!has(rack)', {}, false],
    ["rack == 'a'", { rack: 'a' }, true],
    ['rack=="a"', { rack: 'b' }, false],
    ["rack == 'a'", {}, false],
    ["rack != 'a'", {}, true],
    ["rack != 'a'", { rack: 'a' }, false],
    ["rack in {'a', 'b'}", { rack: 'b' }, true],
    ["rack in {'a', 'b'}", {}, false],
    ["rack in{'a'}", { rack: 'a' }, true],
    ['rack in {}', { rack: 'a' }, false],
    ["rack not in {'a'}", {}, true],
    ["rack not in {'a'}", { rack: 'a' }, false],
    ["rack notin {'a'}", { rack: 'b' }, true],
    ["rack contains 'ck'", { rack: 'jacks' }, true],
    ["rack contains 'ck'", {}, false],
    ["rack starts with 'ja'", { rack: 'jacks' }, true],
    ["rack starts  with 'x'", { rack: 'jacks' }, false],
    ["rack startswith 'ja'", { rack: 'jacks' }, true],
    ["rack endswith'ks'", { rack: 'jacks' }, true],
    ["rack in {'a', 'b',}", { rack: 'b' }, true],
    ["\track\t==\t'a'\t", { rack: 'a' }, true],
    ["rack == 'a\nb'", { rack: 'a\nb' }, true],
    ["rack ends with 'ks'", { rack: 'jacks' }, true],
    ["rack ends with 'ja'", { rack: 'jacks' }, false],
    ["projectcalico.org/zone-1.x_Y == 'it''s'".replace("''", ''), { 'projectcalico.org/zone-1.x_Y': 'its' }, true],
    [`a == "it's"`, { a: "it's" }, true],
    ["in == 'x' && not == 'y'", { in: 'x', not: 'y' }, true],
    ["all == 'x'", { all: 'x' }, true],
    ["constructor == 'x' || has(toString)", {}, false],
  ])('%s on %j is %s', (text, labels, expected) => {
    expect(matches(text, labels)).toBe(expected);
  });

  test('binds ! closer than &&, and && closer than ||', () => {
    const labels = { a: '' };
    expect(matches('has(a) || has(b) && has(c)', labels)).toBe(true);
    expect(matches('(has(a) || has(b)) && has(c)', labels)).toBe(false);
    expect(matches('!has(b) && has(a)', labels)).toBe(true);
    expect(matches('!(has(b) && has(a))', labels)).toBe(true);
    expect(matches('!has(a) || has(a)', labels)).toBe(true);
  });

  test.each([
    ["rack = 'a'", 6, 'an operator after "rack"', `"= 'a'"`],
    ['rack == a', 9, 'a quoted text', '"a"'],
    ["rack == 'a", 9, 'a quoted text', `"'a"`],
    ["(rack == 'a'", 13, '")"', 'the end'],
    ["rack == 'a' rack", 13, '"&&", "||" or the end', '"rack"'],
    ['has(a) &&', 10, 'a label, "has(…)", "all()" or "("', 'the end'],
    ["rack in {'a' 'b'}", 14, '"," or "}"', `"'b'}"`],
    ["rack in {'a'", 13, '"," or "}"', 'the end'],
    ["rack in 'a'", 9, '"{"', `"'a'"`],
    ['rack in {,}', 10, 'a quoted text', '",}"'],
    ['has()', 4, 'an operator after "has"', '"()"'],
    ['has (rack)', 5, 'an operator after "has"', '"(rack)"'],
    ['all ()', 5, 'an operator after "all"', '"()"'],
    ['!global ()', 9, 'an operator after "global"', '"()"'],
    ["rack\n== 'a'", 5, 'an operator after "rack"', `"\n== 'a'"`],
    ['all()\n', 6, '"&&", "||" or the end', '"\n"'],
    ["rack containsx 'a'", 14, 'a quoted text', `"x 'a'"`],
    ["rack insidious {'a'}", 6, 'an operator after "rack"', '"insidious {\'"'],
    ["!= 'a'", 2, 'a label, "has(…)", "all()" or "("', `"= 'a'"`],
  ])('%s is refused at position %d', (...row) => {
    const [text, position, expected, found] = row;
    expect(() => parseSelector(text, 'spec.nodeSelector')).toThrow(
      `spec.nodeSelector = '${text}': is not a selector: expected ${expected} at position ${position}, found ${found}`,
    );
  });

  test('is at most 1024 characters long, and a label at most 512', () => {
    expect(() => parseSelector(`a == '${'x'.repeat(1018)}'`)).toThrow('is longer than 1024 characters');
    expect(() => parseSelector(`has(${'x'.repeat(513)})`)).toThrow('has a label longer than 512 characters');
    expect(parseSelector(`has(${'x'.repeat(512)})`).op).toBe('has');
  });
});

const label = fc.constantFrom('a', 'b', 'has', 'in', 'not', 'x.y/z-1');
const value = fc.constantFrom('', 'a', 'ab', 'b', "it's", 'say "x"', '&& ||');
const leaf: fc.Arbitrary<Selector> = fc.oneof(
  fc.constantFrom<Selector>({ op: 'all' }, { op: 'global' }),
  label.map((name): Selector => ({ op: 'has', label: name })),
  fc.record({ op: fc.constantFrom('==', '!=', 'contains', 'starts with', 'ends with'), label, value }),
  fc.record({ op: fc.constantFrom('in', 'not in'), label, values: fc.array(value, { maxLength: 3 }) }),
);
const { tree } = fc.letrec<{ tree: Selector }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    leaf,
    tie('tree').map((operand): Selector => ({ op: '!', operand })),
    fc.record({ op: fc.constantFrom('&&', '||'), operands: fc.array(tie('tree'), { minLength: 2, maxLength: 3 }) }),
  ),
}));

const STRENGTH = { '||': 0, '&&': 1, '!': 2 } as const;

/** Writes a selector with as few parentheses as it can. */
function write(selector: Selector, gap: string, around = -1): string {
  const quote = (text: string): string => (text.includes("'") ? `"${text}"` : `'${text}'`);
  switch (selector.op) {
    case 'all':
    case 'global':
      return `${selector.op}(${gap})`;
    case 'has':
      return `has(${gap}${selector.label}${gap})`;
    case '!':
      return `!${gap}${write(selector.operand, gap, 2)}`;
    case '&&':
    case '||': {
      const own = STRENGTH[selector.op];
      const inner = selector.operands.map((operand) => write(operand, gap, own)).join(`${gap}${selector.op}${gap}`);
      return own <= around ? `(${gap}${inner}${gap})` : inner;
    }
    case 'in':
    case 'not in':
      return `${selector.label} ${selector.op}${gap}{${selector.values.map(quote).join(`${gap},${gap}`)}}`;
    default:
      return `${selector.label} ${selector.op}${gap}${quote(selector.value)}`;
  }
}

describe('every selector', () => {
  test('is read back as it was written, whatever the white space', () => {
    fc.assert(
      fc.property(tree, fc.constantFrom('', ' ', '\t  \t'), (selector, gap) => {
        const text = write(selector, gap);
        fc.pre(text.length <= 1024);
        expect(parseSelector(text)).toEqual(selector);
      }),
    );
  });

  test('is a selector or refused with InvalidValueError, never anything else', () => {
    const pieces = fc.constantFrom(
      'all()',
      'has(',
      ')',
      '(',
      'a',
      "'v'",
      '"',
      '{',
      '}',
      ',',
      '!',
      '&&',
      '||',
      '==',
      'in',
      'not',
      ' ',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((list) => list.join('')),
        ),
        (text) => {
          try {
            expect(typeof matches(text, { a: 'v' })).toBe('boolean');
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidValueError);
          }
        },
      ),
    );
  });

  test('and its negation divide all label sets', () => {
    const labels = fc.dictionary(label, value);
    fc.assert(
      fc.property(tree, labels, (selector, set) => {
        expect(matchesSelector({ op: '!', operand: selector }, set)).toBe(!matchesSelector(selector, set));
        const opposite = selector.op === '==' ? '!=' : selector.op === 'in' ? 'not in' : undefined;
        if (opposite === undefined) return;
        expect(matchesSelector({ ...selector, op: opposite } as Selector, set)).toBe(!matchesSelector(selector, set));
      }),
    );
  });
});
