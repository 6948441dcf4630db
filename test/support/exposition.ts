/**
 * Prometheus' text format, version 0.0.4, read as strictly as its page says ("Exposition formats"): a family's HELP and TYPE come
 * once and before its samples, a family's lines are together, no series comes twice. Throws a sentence with the line.
 */
export interface ReadFamily {
  readonly type: string;
  readonly help: string;
  /** By series as written: `a_metric{peer="x"}`. */
  readonly samples: ReadonlyMap<string, ReadSample>;
}

export interface ReadSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;

export function readExposition(text: string): ReadonlyMap<string, ReadFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, ReadFamily & { readonly samples: Map<string, ReadSample> }>();
  let current = '';
  const helps = new Map<string, string>();
  for (const line of text.slice(0, -1).split('\n')) {
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword === 'HELP') {
      if (!NAME.test(name) || helps.has(name) || families.has(name)) throw new Error(`HELP again or late: ${line}`);
      if (/\\(?![\\n])/.test(rest)) throw new Error(`not escaped: ${line}`);
      helps.set(name, rest);
    } else if (keyword === 'TYPE') {
      if (families.has(name) || !/^(counter|gauge)$/.test(rest)) throw new Error(`TYPE again, or none: ${line}`);
      families.set(name, { type: rest, help: helps.get(name) ?? '', samples: new Map() });
      current = name;
    } else {
      const [, family = '', labels = '', value = ''] = SAMPLE.exec(line) ?? [];
      if (family !== current || family === '') throw new Error(`not of the family before it: ${line}`);
      const { samples } = families.get(family)!;
      const series = line.slice(0, line.lastIndexOf(' '));
      if (samples.has(series)) throw new Error(`comes twice: ${line}`);
      if (!/^[+-]?(\d+(\.\d+)?(e[+-]?\d+)?|Inf)$/i.test(value)) throw new Error(`no number: ${line}`);
      samples.set(series, { labels: readLabels(labels), value: Number(value) });
    }
  }
  return families;
}

function readLabels(text: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const at = LABEL.lastIndex;
    const [, name, value] = LABEL.exec(text) ?? [];
    if (name === undefined || value === undefined) throw new Error(`no label: ${text.slice(at)}`);
    if (name in labels || name.startsWith('__')) throw new Error(`a label that may not be: ${name}`);
    labels[name] = value.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
  }
  return labels;
}

/** The value of a series as it is written; undefined where it is not told. */
export function valueOf(text: string, series: string): number | undefined {
  const family = readExposition(text).get(series.split('{')[0] ?? '');
  return family?.samples.get(series)?.value;
}
