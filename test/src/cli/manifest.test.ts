import { describe, expect, test } from 'vitest';
import { parseManifest } from '../../../src/cli/manifest/manifest.ts';

const YAML = `# peers
apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata:
  name: a
  labels:
    example.com/rack.row: x
    plain: y
spec:
  peerIP: 10.0.0.1
  filters: [f, g]
  password:
    secretKeyRef: {name: n,
      key: k}
---
- kind: One
  spec: &shared
    node: n
- kind: Two
  spec: *shared
---
kind: List
items:
  - kind: Three
    rules:
      - action: allow
      -
        action: deny
`;

const documents = parseManifest({ path: 'f.yaml', text: YAML });
const at = (n: number, field?: string): string => documents[n]!.where(field);

describe('the line of a field', () => {
  test.each([
    ['', 2],
    ['kind', 3],
    ['metadata', 4],
    ['metadata.name', 5],
    ['metadata.labels.example.com/rack.row', 7],
    ['metadata.labels.plain', 8],
    ['spec.peerIP', 10],
    ['spec.filters[1]', 11],
    ['spec.password.secretKeyRef.key', 14],
  ])('%s', (field, line) => {
    expect(at(0, field)).toBe(`f.yaml:${line}`);
  });

  test.each([
    ['spec.nothing', 9],
    ['metadata.labels.nothing', 6],
    ['spec.filters[7]', 11],
    ['status', 2],
    ['spec.password.secretKeyRef.name.deeper', 13],
  ])('of %s, which is not there, is its parent’s', (field, line) => {
    expect(at(0, field)).toBe(`f.yaml:${line}`);
  });

  test('in arrays, lists, later documents and through an alias', () => {
    expect(documents.map(({ value }) => (value as { kind: string }).kind)).toEqual(['BGPPeer', 'One', 'Two', 'Three']);
    expect([at(1), at(2), at(3)]).toEqual(['f.yaml:16', 'f.yaml:19', 'f.yaml:24']);
    expect(at(2, 'spec.node')).toBe('f.yaml:18');
    expect(at(3, 'rules[1].action')).toBe('f.yaml:28');
  });

  test('is that of the longest key that fits, whichever comes first', () => {
    const labels = '{"labels": {"example": {"com": 1},\n"example.com": 2,\n"example.com/x": 3}}';
    const [json] = parseManifest({ path: 'f.json', text: labels });
    expect(json!.where('labels.example.com')).toBe('f.json:2');
    expect(json!.where('labels.example.com/x')).toBe('f.json:3');
  });

  test('in JSON, and with Windows’ line ends', () => {
    const json = parseManifest({ path: 'f.json', text: '{\r\n "kind": "X",\r\n "spec": {\r\n  "a": 1}}' });
    expect(json[0]!.where('spec.a')).toBe('f.json:4');
  });
});

test.each([
  ['a: 1\nb: [', 'f:2: Flow sequence in block collection must be sufficiently indented and end with a ]'],
  ['a: 1\na: 2', 'f:2: Map keys must be unique'],
  ['{"a": 1,\n "b": }x', 'f:2: '],
])('%j is refused with its line', (text, message) => {
  expect(() => parseManifest({ path: 'f', text })).toThrow(`failed to execute command: ${message}`);
});
