import { expect, test } from 'vitest';
import { CommandError } from '../../../../src/cli/io.ts';
import { jsonPath } from '../../../../src/cli/output/jsonpath.ts';

const LIST = {
  kind: 'List',
  items: [
    {
      metadata: { name: 'tor-a', labels: { 'kubernetes.io/hostname': 'a', rack: 'r1' } },
      spec: { asNumber: 65001, peerIP: '10.0.0.1' },
    },
    { metadata: { name: 'tor-b' }, spec: { asNumber: 65002, peerIP: '10.0.0.2', node: 'n1', on: true } },
    { metadata: { name: 'tor-c' }, spec: { asNumber: 64512, peerIP: '10.0.0.3', node: 'n2', on: false } },
  ],
};

/** As people type them for kubectl; what kubectl would print. */
test.each([
  ['{.kind}', 'List'],
  ['{.items[*].metadata.name}', 'tor-a tor-b tor-c'],
  ['{.items[0].metadata.name}', 'tor-a'],
  ['{.items[-1].metadata.name}', 'tor-c'],
  ['{.items[-2].metadata.name}', 'tor-b'],
  ['{.items[0:2].metadata.name}', 'tor-a tor-b'],
  ['{.items[1:].metadata.name}', 'tor-b tor-c'],
  ['{.items[:-1].metadata.name}', 'tor-a tor-b'],
  ['{.items[::2].metadata.name}', 'tor-a tor-c'],
  ['{.items[0,2].metadata.name}', 'tor-a tor-c'],
  ['{$.items[1].spec.asNumber}', '65002'],
  ['{..name}', 'tor-a tor-b tor-c'],
  ['{.items..node}', 'n1 n2'],
  ["{.items[0]['metadata.name','spec.peerIP']}", 'tor-a 10.0.0.1'],
  ["{.items[0].metadata.labels['kubernetes.io/hostname']}", 'a'],
  ['{.items[0].metadata.labels.kubernetes\\.io/hostname}', 'a'],
  ['{.items[0].metadata.labels.*}', 'a r1'],
  ['{.items[1].spec.on}', 'true'],
  ['{.items[0].metadata.labels}', '{"kubernetes.io/hostname":"a","rack":"r1"}'],
  ['{.items[?(@.spec.asNumber==65001)].metadata.name}', 'tor-a'],
  ['{.items[?(@.spec.asNumber=="65001")].metadata.name}', 'tor-a'],
  ['{.items[?(@.spec.asNumber!=65001)].metadata.name}', 'tor-b tor-c'],
  ['{.items[?(@.spec.asNumber > 65000)].metadata.name}', 'tor-a tor-b'],
  ['{.items[?(@.spec.asNumber<=65001)].metadata.name}', 'tor-a tor-c'],
  ["{.items[?(@.metadata.name=='tor-b')].spec.peerIP}", '10.0.0.2'],
  ['{.items[?(@.spec.on==true)].metadata.name}', 'tor-b'],
  ['{.items[?(@.spec.node)].metadata.name}', 'tor-b tor-c'],
  [
    '{range .items[*]}{.metadata.name}{"\\t"}{.spec.asNumber}{"\\n"}{end}',
    'tor-a\t65001\ntor-b\t65002\ntor-c\t64512\n',
  ],
  ['{range .items[*]}{.spec.node}{$.kind},{end}', 'List,n1List,n2List,'],
  ['{range .items[1:]}{range .spec}{.node}{end};{end}', 'n1;n2;'],
  ['AS {.items[0].spec.asNumber} is up\n', 'AS 65001 is up\n'],
  ['{.items[*].spec.nothing}', ''],
  ['{.nothing[0].at.all}', ''],
  ['.items[0].metadata.name', 'tor-a'],
  ['{.items.[0].metadata.name}', 'tor-a'],
  ['{ .kind }', 'List'],
  ["{'}'}", '}'],
])('%s', (template, printed) => {
  expect(jsonPath(template)(LIST)).toBe(printed);
});

test('{.} and {@} are the whole', () => {
  for (const template of ['{.}', '{@}', '{$}']) expect(jsonPath(template)({ a: 1 })).toBe('{"a":1}');
});

test.each([
  ['{.items', "jsonpath '{.items': '}' is missing (column 8)"],
  ['{.items[}', "jsonpath '{.items[}': an index, a name in quotes, * or ?( is missing (column 9)"],
  ['{.items[0}', "jsonpath '{.items[0}': ']' is missing (column 10)"],
  ['{range .items[*]}x', "jsonpath '{range .items[*]}x': {range} without {end} (column 19)"],
  ['x{end}', "jsonpath 'x{end}': {end} without {range} (column 2)"],
  ['{"x}', 'jsonpath \'{"x}\': a text in " does not end (column 2)'],
  ['{.items[?(@.a = 1)]}', 'a filter is ?(@.field OPERATOR value) with one of == != <= >= < >'],
  ['{.a[::0]}', 'a step must be above 0'],
  ['{}', 'a field is missing'],
])('%s is refused with the column', (template, message) => {
  expect(() => jsonPath(template)).toThrow(CommandError);
  expect(() => jsonPath(template)).toThrow(message);
});
