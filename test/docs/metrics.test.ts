import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { beforeAll, describe, expect, test } from 'vitest';
import { CATALOGUE, FAMILIES } from '../../src/metrics/catalogue.ts';
import { loadExposition } from '../../src/metrics/exposition.ts';
import { readExposition } from '../support/exposition.ts';
import type { ReadFamily } from '../support/exposition.ts';
import { MOMENT } from '../support/moment.ts';
import { ALERTS, EXAMPLE, GENERATED, metricsReference, PAGE } from './metrics-reference.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Readonly<Record<string, string>>;
}

const page = readFileSync(PAGE, 'utf8');
const alerts = readFileSync(ALERTS, 'utf8');
const { groups } = parse(alerts) as { readonly groups: readonly { readonly rules: readonly Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

/** PromQL's own words, as far as the rules use them. */
const WORDS = ['sum', 'by', 'increase', 'or', 'unless'];
/** What Prometheus itself adds: the series of its own scrapes, and two labels to each of ours. */
const [OF_PROMETHEUS, ADDED] = ['up', ['instance', 'job']];

let exported: ReadonlyMap<string, ReadFamily>;
beforeAll(async () => {
  exported = readExposition((await (await loadExposition())(MOMENT)).text);
});

test('the tables are made of the catalogue: node test/docs/metrics-reference.ts', () => {
  expect(GENERATED.exec(page)?.[2]).toBe(metricsReference());
  expect(CATALOGUE.flatMap(([, families]) => families)).toEqual(FAMILIES);
});

test('the alerts stand in the page as they are in the file', () => {
  expect(EXAMPLE.exec(page)?.[2]).toBe(alerts);
});

test.each([PAGE, 'docs/operations.md'])('everything that %s calls a metric is one', (path) => {
  const named = readFileSync(path, 'utf8').match(/\b(calico_ts|felix|process|nodejs)_[a-z_]+\b/g) ?? [];
  expect([...new Set(named)].filter((name) => !exported.has(name))).toEqual([]);
});

describe.each(rules.map((rule) => [rule.alert, rule] as const))('%s', (_, { expr, annotations }) => {
  const bare = expr.replaceAll(/\{[^}]*\}|\[[^\]]*\]|by \([^)]*\)/g, ' ');
  const names = (bare.match(/[a-z_]+/g) ?? []).filter((word) => !WORDS.includes(word));

  test('asks for metrics that are exported', () => {
    expect(names).not.toEqual([]);
    expect(names.filter((name) => name !== OF_PROMETHEUS && !exported.has(name))).toEqual([]);
  });

  test('asks for labels, and values of them, that there are', () => {
    const known = names
      .flatMap((name) => [...(exported.get(name)?.samples.values() ?? [])])
      .map(({ labels }) => labels);
    const labels = new Set([...ADDED, ...known.flatMap((each) => Object.keys(each))]);
    const by = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/));
    const matched = [...expr.matchAll(/[{,]\s*([a-z_]+)="([^"]*)"/g)];
    const told = [
      ...Object.values(annotations)
        .join(' ')
        .matchAll(/\$labels\.([a-z_]+)/g),
    ];
    const asked = [...by, ...[...matched, ...told].map(([, label = '']) => label)];
    expect(asked.filter((label) => !labels.has(label))).toEqual([]);
    for (const [, label = '', value] of matched.filter(([, name = '']) => !ADDED.includes(name))) {
      expect(known.map((each) => each[label])).toContain(value);
    }
  });

  test('tells labels that are left after a sum', () => {
    const left = /^sum by \(([^)]*)\)/.exec(expr)?.[1]?.split(/,\s*/);
    const told = [
      ...Object.values(annotations)
        .join(' ')
        .matchAll(/\$labels\.([a-z_]+)/g),
    ].map(([, label]) => label);
    expect(told.filter((label) => left !== undefined && !left.includes(label ?? ''))).toEqual([]);
  });
});
