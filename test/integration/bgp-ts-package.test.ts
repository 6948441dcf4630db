/** bgp-ts as somebody takes it from npm: packed, installed where nothing else is, its README's examples compiled and run. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runIn } from '../support/run-in.ts';

const directory = mkdtempSync(join(tmpdir(), 'bgp-ts-package-'));
const consumer = join(directory, 'consumer');
const local = resolve('node_modules/.bin');
const environment = { ...process.env, PATH: `${local}:${process.env['PATH'] ?? ''}` };
const node = join(local, 'node');

/** The examples of a README, in order. */
const examplesOf = (readme: string): readonly string[] =>
  [...readFileSync(join('bird/bgp-ts', readme), 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);

beforeAll(() => {
  const source = join(directory, 'source');
  cpSync('bird/bgp-ts', source, { recursive: true, filter: (path) => !path.endsWith('/dist') });
  runIn(source, environment, 'npm', 'pack', '--silent');
  mkdirSync(consumer);
  writeFileSync(join(consumer, 'package.json'), JSON.stringify({ name: 'consumer', type: 'module', private: true }));
  const tarball = readdirSync(source).find((name) => name.endsWith('.tgz'))!;
  const quiet = ['--offline', '--no-audit', '--no-fund', '--silent'];
  runIn(consumer, environment, 'npm', 'install', ...quiet, join(source, tarball));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('the package', () => {
  test('brings JavaScript, types, a licence and its pages, and no other package', () => {
    const installed = join(consumer, 'node_modules/bgp-ts');
    expect(readdirSync(join(consumer, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['bgp-ts']);
    expect(readdirSync(installed).sort()).toEqual(['LICENSE', 'README.md', 'bmp', 'dist', 'mrt', 'package.json']);
    for (const file of ['index.js', 'index.d.ts', 'mrt/index.js', 'mrt/index.d.ts', 'bmp/index.js', 'bmp/index.d.ts'])
      expect(readFileSync(join(installed, 'dist', file), 'utf8')).not.toBe('');
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Record<string, unknown>;
    expect(manifest).not.toHaveProperty('dependencies');
  });

  test('opens by its three doors, and by no other', () => {
    const script = `
      const [bgp, mrt, bmp] = await Promise.all(['bgp-ts', 'bgp-ts/mrt', 'bgp-ts/bmp'].map((door) => import(door)));
      console.log(typeof bgp.decodeMessage, typeof mrt.decodeMrt, typeof bmp.decodeBmp);
      console.log(await import('bgp-ts/dist/index.js').catch((error) => error.code));`;
    expect(runIn(consumer, environment, node, '--input-type=module', '-e', script)).toBe(
      'function function function\nERR_PACKAGE_PATH_NOT_EXPORTED\n',
    );
  });
});

describe('the examples of its pages', () => {
  const examples = ['README.md', 'mrt/README.md', 'bmp/README.md'].flatMap(examplesOf);

  test('compile under strict settings', () => {
    for (const [i, code] of examples.entries()) writeFileSync(join(consumer, `example-${i}.ts`), code);
    const options = {
      strict: true,
      noEmit: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      target: 'es2024',
      module: 'nodenext',
      types: ['node'],
      typeRoots: [resolve('node_modules/@types')],
    };
    writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include: ['*.ts'] }));
    expect(examples).toHaveLength(4);
    expect(runIn(consumer, environment, 'tsc', '-p', '.')).toBe('');
  });

  test('print what they say', () => {
    const said = [...examples[1]!.matchAll(/console\.log\([^\n]*(?: |\n)\/\/ ([^\n]+)/g)].map(([, line]) => line);
    expect(said).toHaveLength(3);
    expect(runIn(consumer, environment, node, 'example-1.ts').trim().split('\n')).toEqual(said);
  });

  test('the first one reads a peer, and answers what is malformed', async () => {
    const child = spawn(node, ['example-0.ts'], { cwd: consumer, stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const keepalive = Buffer.from(`${'ff'.repeat(16)}001304`, 'hex');
      const socket = await connected(1179);
      socket.write(keepalive);
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      expect(line.toString()).toBe('KEEPALIVE\n');
      socket.write(Buffer.alloc(19));
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString('hex')).toBe(`${'ff'.repeat(16)}0015030101`);
      // What comes behind is not read, and does not end the process.
      socket.write(keepalive);
      await once(socket, 'end');
      expect(child.exitCode).toBeNull();
      socket.destroy();
    } finally {
      child.kill();
      await once(child, 'exit');
    }
  });
});

/** A connection to our own child, which listens a moment after it was started. */
async function connected(port: number): Promise<ReturnType<typeof connect>> {
  for (let tries = 100; ; tries--) {
    const socket = connect(port, '127.0.0.1');
    const opened = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    if (opened) return socket;
    if (tries === 0) throw new Error(`nobody listens on port ${port}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
