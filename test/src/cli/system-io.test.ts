import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
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
