import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { manifest } from '../../support/resources.ts';

interface Metafile {
  readonly outputs: Readonly<
    Record<string, { readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>> }>
  >;
}

interface Coverage {
  readonly result: readonly { readonly url: string }[];
}

/** Inside of the project: what is not in the bundle lies in node_modules above it. */
let directory = '';
let packagesIn: (file: string) => readonly string[] = () => [];

const packageOf = (path: string): readonly string[] => {
  const [, name] = /.*\/?node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? [];
  return name === undefined ? [] : [name];
};

beforeAll(() => {
  mkdirSync('.cache', { recursive: true });
  directory = mkdtempSync(resolve('.cache', 'startup-'));
  const metafile = join(directory, 'meta.json');
  const { status, stderr } = spawnSync('sh', ['.ci/build-cli', directory, `--metafile=${metafile}`], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  const { outputs } = JSON.parse(readFileSync(metafile, 'utf8')) as Metafile;
  packagesIn = (file) =>
    Object.entries(outputs[join(relative('.', directory), file)]?.inputs ?? {})
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .flatMap(([path]) => packageOf(path));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Runs the built program; returns the packages of which it ran anything, as V8's coverage tells. */
function packagesOf(args: readonly string[], exitCode = 0): readonly string[] {
  const coverage = mkdtempSync(join(directory, 'coverage-'));
  const env = { ...process.env, NODE_V8_COVERAGE: coverage, CALICO_FILE_DATASTORE: join(directory, 'store') };
  const { status, stderr } = spawnSync(process.execPath, [join(directory, 'calicoctl-ts.mjs'), ...args], {
    env,
    encoding: 'utf8',
  });
  expect([stderr, status]).toEqual([exitCode === 0 ? '' : expect.anything(), exitCode]);
  const urls = readdirSync(coverage).flatMap((file) =>
    (JSON.parse(readFileSync(join(coverage, file), 'utf8')) as Coverage).result.map(({ url }) => url),
  );
  return [...new Set(urls.flatMap((url) => [...packageOf(url), ...packagesIn(basename(url))]))].sort();
}

// Not times, which are the machine's; `npm run bench -- startup` has those.
describe('a command loads no package that it does not need', () => {
  const LIGHT = ['commander'];
  const READING = ['commander', 'ip-num', 'zod'];

  test('the first write needs the lock of the file datastore and YAML, and no etcd', () => {
    const file = join(directory, 'node.json');
    writeFileSync(file, JSON.stringify(manifest('Node', 'node-a1', { bgp: { ipv4Address: '10.0.0.1/24' } })));
    const loaded = packagesOf(['apply', '-f', file]);
    expect(loaded).toEqual(expect.arrayContaining([...READING, 'koffi', 'yaml']));
    expect(loaded).not.toContain('etcd3');
  });

  test.each([
    [['--help'], LIGHT],
    [['get', '--help'], READING],
    [['version', '--client'], LIGHT],
    [['version'], READING],
    [['completion', 'bash'], LIGHT],
    [['get', 'nodes'], READING],
    [['get', 'nodes', '-o', 'wide'], READING],
    [['get', 'nodes', '-o', 'json'], READING],
    [
      ['get', 'nodes', '-o', 'yaml'],
      [...READING, 'yaml'],
    ],
    [['ipam', 'show'], READING],
    [['__complete', '--', 'get', 'nodes', ''], READING],
  ])('%j', (args, packages) => {
    expect(packagesOf(args)).toEqual([...packages].sort());
  });

  test('the commit that it was built from is in it', () => {
    const run = (command: string, ...args: readonly string[]) => spawnSync(command, args, { encoding: 'utf8' }).stdout;
    const commit = run('git', 'rev-parse', '--short', 'HEAD').trim() || 'unknown';
    expect(run(process.execPath, join(directory, 'calicoctl-ts.mjs'), 'version', '--client')).toContain(
      `\nGit commit:        ${commit}\n`,
    );
  });

  test('node status, where nobody answers', () => {
    expect(packagesOf(['node', 'status', '--socket', join(directory, 'nobody.sock')], 2)).toEqual(READING);
  });
});
