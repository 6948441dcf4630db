import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

/** Who may knock on which doors. The longest matching path owns a file; a room may always import itself. */
const DOORS = new Map<string, readonly string[]>([
  ['src/model', []],
  ['src/runtime', ['src/model']],
  ['src/linux', []],
  ['bird/bgp-ts', []],
  ['bird/bgp-ts/mrt', ['bird/bgp-ts']],
  ['bird/bgp-ts/bmp', ['bird/bgp-ts']],
  ['bird/wire.ts', ['bird/bgp-ts/index.ts', 'src/model']],
  ['bird/bfd', ['bird/settings.ts', 'src/model', 'src/runtime', 'src/linux']],
  ['bird', ['bird/wire.ts', 'bird/bfd/index.ts', 'src/model', 'src/runtime', 'src/linux']],
  ['felix', ['src/model', 'src/runtime', 'src/linux']],
  ['src/datastore', ['src/model', 'src/runtime']],
  ['src/resources', ['src/model', 'src/runtime', 'src/datastore']],
  ['src/ipam', ['src/model', 'src/runtime', 'src/datastore']],
  ['src/config', ['src/model', 'src/runtime', 'src/datastore']],
  ['src/cni', ['src', 'felix/index.ts']],
  ['src/health', ['src', 'felix/index.ts']],
  ['src/metrics', ['src', 'bird/index.ts', 'felix/index.ts']],
  ['src/host', ['src', 'felix/index.ts']],
  ['src/speaker', ['src', 'bird/index.ts']],
  ['src/agent', ['src', 'bird/index.ts', 'felix/index.ts']],
  ['src/plan', ['src', 'bird/index.ts', 'felix/index.ts']],
  ['src/demo', ['src', 'bird/index.ts', 'felix/index.ts']],
  ['src', ['src']],
]);

/** What only an edge may touch: sockets, files, processes, clocks, chance. Each edge is named here with its reason. */
const EDGES = new Map<RegExp, readonly string[]>([
  [
    /\bDate\.now\(|\bnew Date\(\)|\bsetTimeout\(|\bsetInterval\(|\bperformance\.now\(/,
    ['src/runtime/clock.ts', 'bird/peer/tcp-connection.ts', 'src/demo/'],
  ],
  [/\bMath\.random\(/, ['src/runtime/random.ts']],
  [
    /from 'node:(net|dgram)'/,
    [
      'bird/peer/tcp.ts',
      'bird/peer/tcp-connection.ts',
      'bird/peer/tcp-listener.ts',
      'src/demo/',
      'src/agent/reach.ts',
      'src/api/server.ts',
      'src/host/probe/dial.ts',
    ],
  ],
  [/from 'node:child_process'/, ['src/demo/', 'src/cni/install/plugin-versions.ts']],
  [/from 'koffi'/, ['src/linux/libc.ts', 'bird/bfd/libc.ts', 'felix/nat/libnftables.ts', 'src/datastore/']],
]);

const within = (file: string, path: string): boolean => file === path || file.startsWith(`${path}/`);
const room = (file: string): string =>
  [...DOORS.keys()].filter((path) => within(file, path)).reduce((a, b) => (b.length > a.length ? b : a), '');

const sources: readonly (readonly [string, string])[] = ['src', 'bird', 'felix']
  .filter((root) => existsSync(root))
  .flatMap((root) => readdirSync(root, { recursive: true, encoding: 'utf8' }).map((name) => join(root, name)))
  .filter((name) => name.endsWith('.ts') && !/node_modules|\/dist\//.test(name))
  .map((name) => [name, readFileSync(name, 'utf8')] as const);

test('imports flow downhill', () => {
  const wrong: string[] = [];
  for (const [file, text] of sources) {
    for (const [, specifier = ''] of text.matchAll(/(?:from|import) '(\.[^']+)'/g)) {
      const target = normalize(join(dirname(file), specifier));
      const doors = DOORS.get(room(file)) ?? [];
      const allowed =
        target === 'package.json' || room(target) === room(file) || doors.some((door) => within(target, door));
      if (!allowed) wrong.push(`${file} must not import ${target}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(sources.length).toBeGreaterThan(20);
});

test('no file leads back to itself: imports have no circles, types included', () => {
  const edges = new Map(
    sources.map(([file, text]) => [
      file,
      [...text.matchAll(/(?:from|import) '(\.[^']+)'/g)].map(([, specifier = '']) =>
        normalize(join(dirname(file), specifier)),
      ),
    ]),
  );
  const circles = new Set<string>();
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.add([...path.slice(path.indexOf(file)), file].join(' -> '));
    if (path.includes(file) || done.has(file)) return;
    for (const next of edges.get(file) ?? []) walk(next, [...path, file]);
    done.add(file);
  };
  for (const file of edges.keys()) walk(file, []);
  expect([...circles]).toEqual([]);
});

test('clocks, chance, sockets and processes are touched only at the named edges', () => {
  const wrong: string[] = [];
  for (const [file, text] of sources) {
    for (const [pattern, edges] of EDGES) {
      const isEdge = edges.some((edge) => (edge.endsWith('/') ? file.startsWith(edge) : file === edge));
      if (!isEdge && pattern.test(text)) wrong.push(`${file} uses ${pattern.source}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('no default exports, no mutable module state, no file over 600 lines', () => {
  const wrong: string[] = [];
  for (const [file, text] of sources) {
    if (/^export default /m.test(text)) wrong.push(`${file}: default export`);
    if (/^(export )?let /m.test(text)) wrong.push(`${file}: mutable module state`);
    if (text.split('\n').length > 600) wrong.push(`${file}: over 600 lines`);
  }
  expect(wrong).toEqual([]);
});

test('MRT and BMP stand on the wire codec, and not on each other', () => {
  const across = sources.flatMap(([file, text]) => {
    const other = file.startsWith('bird/bgp-ts/mrt/') ? '/bmp/' : '/mrt/';
    if (!/^bird\/bgp-ts\/(mrt|bmp)\//.test(file)) return [];
    return [...text.matchAll(/from '(\.[^']+)'/g)]
      .filter(([, specifier = '']) => specifier.includes(other))
      .map(() => file);
  });
  expect(across).toEqual([]);
});

test('the wire codec is a package without dependencies', () => {
  const outside = sources
    .filter(([file]) => file.startsWith('bird/bgp-ts/'))
    .flatMap(([file, text]) =>
      [...text.matchAll(/from '([^.'][^']*)'/g)].map(([, specifier]) => `${file}: ${specifier}`),
    );
  expect(outside).toEqual([]);
});
