import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addSpeakerCommand } from '../../../src/speaker/command.ts';
import { loadConfiguration } from '../../../src/speaker/load.ts';
import { ConfigurationError } from '../../../src/speaker/problems.ts';
import { jsonSchema } from '../../../src/speaker/schema.ts';

const GOOD = `
asn: 64512
bgpIdentifier: 10.0.0.1
originate: [203.0.113.0/24]
peers:
  - { address: 10.0.0.2, asn: 65001, passwordFile: secrets/tor.key }
`;

let directory = '';
const at = (name: string): string => join(directory, name);
const write = (text: string): string => {
  writeFileSync(at('speaker.yaml'), text);
  return at('speaker.yaml');
};

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'calico-ts-speaker-'));
  mkdirSync(at('secrets'));
  writeFileSync(at('secrets/tor.key'), 'swordfish\n');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const problemsOf = (file: string): readonly string[] => {
  try {
    loadConfiguration(file);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems;
  }
};

test('a password is read from beside the file, without the end of its line', () => {
  expect(loadConfiguration(write(GOOD)).peers[0]?.password).toBe('swordfish');
});

test.each<[string, string]>([
  ['', 'the file is empty'],
  ['# nothing yet\n', 'the file is empty'],
  ['asn: 1\n---\nasn: 2\n', 'the file holds 2 documents instead of one'],
  ['asn: 1\nasn: 2\n', 'Map keys must be unique at line 2, column 1'],
  [
    'a: &a [*a, *a]\nb: [*a',
    'Flow sequence in block collection must be sufficiently indented and end with a ] at line 2, column 7',
  ],
  ['text', "the file = 'text': is not a map"],
])('%j is told with its place', (text, problem) => {
  expect(problemsOf(write(text))).toContain(problem);
});

test('aliases that would fill the memory are refused', () => {
  const levels = Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join()}]`);
  expect(problemsOf(write(`a0: &a0 [x]\n${levels.join('\n')}\n`))).toEqual([expect.stringContaining('alias')]);
});

test('files that cannot be read', () => {
  expect(problemsOf(at('absent.yaml'))).toEqual(['the file cannot be read: there is no such file']);
  expect(problemsOf(directory)).toEqual(['the file cannot be read: it is a directory']);
  const where = "peers[0].passwordFile = 'secrets/tor.key'";
  writeFileSync(at('secrets/tor.key'), '\n');
  expect(problemsOf(write(GOOD))).toEqual([`${where}: is empty`]);
  writeFileSync(at('secrets/tor.key'), 'ä'.repeat(41));
  expect(problemsOf(write(GOOD))).toEqual([`${where}: has more than 80 octets, which TCP MD5 cannot take`]);
  rmSync(at('secrets/tor.key'));
  expect(problemsOf(write(GOOD))).toEqual([`${where}: cannot be read: there is no such file`]);
});

interface Said {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

async function command(...args: readonly string[]): Promise<Said> {
  let [stdout, stderr] = ['', ''];
  let exitCode: number | undefined;
  const program = new Command('calico-node-ts')
    .exitOverride()
    .configureOutput({ writeErr: (text) => void (stderr += text), writeOut: (text) => void (stdout += text) });
  addSpeakerCommand(program, {
    stdout: (text) => void (stdout += text),
    stderr: (text) => void (stderr += text),
    ports: () => {
      throw new Error('nothing shall run here');
    },
    exit: (code) => (exitCode = code),
  });
  await program.parseAsync(['speaker', ...args], { from: 'user' }).catch((error: unknown) => {
    exitCode = (error as { readonly exitCode: number }).exitCode;
  });
  return { exitCode, stdout, stderr };
}

test('--check says what a good file holds, and all that is wrong with another', async () => {
  const file = write(GOOD);
  const summary = `${file} is good: AS 64512, 1 peer, 1 route\n`;
  expect(await command('--config', file, '--check')).toEqual({ exitCode: 0, stdout: summary, stderr: '' });
  write(`${GOOD}lisen: []\nclusterId: x\n`);
  const { exitCode, stdout, stderr } = await command('-c', file, '--check');
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(stderr.split('\n').filter(Boolean).sort()).toEqual([
    `${file}: clusterId = 'x': is not four numbers with dots such as 10.0.0.1, other than 0.0.0.0`,
    `${file}: lisen: is not known here; did you mean "listen"?`,
  ]);
  expect(await command('-c', file)).toMatchObject({ exitCode: 2, stderr });
});

test('--schema prints the JSON schema; without a file there is nothing to do', async () => {
  expect(JSON.parse((await command('--schema')).stdout)).toEqual(jsonSchema());
  expect(await command()).toMatchObject({ exitCode: 2, stderr: 'error: --config FILE is missing\n' });
  expect((await command('--schema', '--check')).stderr).toContain("cannot be used with option '--check'");
});
