import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runCli } from '../../../src/cli/program.ts';
import { systemIo } from '../../../src/cli/system-io.ts';

const io = systemIo('1.2.3');
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'calicoctl-ts-'));
  await mkdir(join(directory, 'more'));
  for (const name of ['b.yaml', 'a.json', 'notes.txt', 'more/c.yml']) await writeFile(join(directory, name), name);
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

const names = async (recursive: boolean) =>
  (await io.readManifests(directory, recursive)).map(({ path, text }) => [basename(path), text]);

test('a directory is read manifest by manifest, in the order of their names', async () => {
  expect(await names(false)).toEqual([
    ['a.json', 'a.json'],
    ['b.yaml', 'b.yaml'],
  ]);
});

test('and with all that is below it where that is asked for', async () => {
  expect((await names(true)).map(([, text]) => text)).toEqual(['a.json', 'b.yaml', 'more/c.yml']);
});

test('a file is read whatever its name', async () => {
  const path = join(directory, 'notes.txt');
  expect(await io.readManifests(path, false)).toEqual([{ path, text: 'notes.txt' }]);
});

test('a file that is missing is one sentence', async () => {
  await expect(io.readManifests(join(directory, 'nowhere.yaml'), false)).rejects.toThrow(
    /^failed to execute command: ENOENT: no such file or directory, .*nowhere\.yaml'$/,
  );
});

describe('a datastore directory that is not there', () => {
  const run = async (...args: readonly string[]) => {
    let [stdout, stderr] = ['', ''];
    const exitCode = await runCli(args, {
      ...io,
      env: { CALICO_FILE_DATASTORE: join(directory, 'store') },
      stdout: (text) => void (stdout += text),
      stderr: (text) => void (stderr += text),
    });
    return { exitCode, stdout, stderr };
  };
  const PEER =
    '{apiVersion: projectcalico.org/v3, kind: BGPPeer, metadata: {name: p}, spec: {peerIP: 10.0.0.1, asNumber: 1}}';
  const peerFile = async (): Promise<string> => {
    await writeFile(join(directory, 'peer.yaml'), PEER);
    return join(directory, 'peer.yaml');
  };

  test.each([
    ['get', 'nodes'],
    ['get', 'node', 'a'],
    ['label', 'node', 'a', 'rack=a'],
    ['delete', 'node', 'a'],
    ['replace', '-f'],
  ])('%s %s is refused and makes none', async (...args) => {
    const { exitCode, stdout, stderr } = await run(...args, ...(args[0] === 'replace' ? [await peerFile()] : []));
    expect(stderr).toBe(`CALICO_FILE_DATASTORE = '${join(directory, 'store')}': there is no datastore\n`);
    expect([exitCode, stdout]).toEqual([1, '']);
    await expect(stat(join(directory, 'store'))).rejects.toThrow('ENOENT');
  });

  test.each(['apply', 'create'])('is made by %s', async (verb) => {
    expect(await run(verb, '-f', await peerFile())).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await run('get', 'bgppeers', '--no-headers')).stdout).toMatch(/^p /);
  });
});
