import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FakeShell } from '../../../support/cli.ts';
import { manifest } from '../../../support/resources.ts';

describe('what may stand at the cursor', () => {
  let shell: FakeShell;

  beforeEach(async () => {
    shell = new FakeShell();
    shell.files.peers = JSON.stringify(
      ['tor-a', 'tor-b', 'edge'].map((name, i) =>
        manifest('BGPPeer', name, { peerIP: `10.0.0.${i + 1}`, asNumber: 1 }),
      ),
    );
    await shell.run('apply', '-f', 'peers');
    shell.sleep = () => new Promise(() => undefined);
  });

  const complete = async (...words: readonly string[]): Promise<string> =>
    (await shell.run('__complete', '--', ...words)).stdout.trim().split('\n').join(' ');

  test.each([
    [['re'], 'replace'],
    [['ge'], 'get'],
    [['__'], ''],
    [
      ['get', 'bg'],
      'bgpconfig bgpconfigs bgpconfiguration bgpconfigurations bgpf bgpfilter bgpfilters bgpfs bgpp bgppeer bgppeers bgpps',
    ],
    [['get', 'bp', ''], 'edge tor-a tor-b'],
    [['get', 'bp', 't'], 'tor-a tor-b'],
    [['get', 'bp', 'tor-a', 't'], 'tor-b'],
    [['get', '-o', 'wide', 'bp', 'e'], 'edge'],
    [['get', 'bp', '-o', 'j'], 'json jsonpath='],
    [['get', 'bp', '--w'], '--watch'],
    [['get', '--all'], '--all-namespaces --allow-version-mismatch'],
    [['patch', 'bp', 'tor-a', ''], ''],
    [['patch', 'bp', 'tor-a', '-t', ''], 'strategic merge json'],
    [['label', 'bp', 'tor-a', ''], ''],
    [['apply', '-f', ''], ':files'],
    [['-c', ''], ':files'],
    [['-l', 'de'], 'debug'],
    [['datastore', ''], 'migrate'],
    [['datastore', 'migrate', 'un'], 'unlock'],
    [['completion', ''], 'bash zsh fish'],
    [['nothing', 'of', ''], ''],
  ])('%j', async (words, found) => {
    expect(await complete(...words)).toBe(found);
  });

  test('with nothing typed: the commands, and the plurals of the kinds', async () => {
    expect(await complete('')).toMatch(/^create apply replace .* version completion/);
    expect(await complete('get', '')).toMatch(/^bgpconfigurations bgpfilters bgppeers .* workloadendpoints$/);
  });

  test('names that do not come soon do not come', async () => {
    shell.sleep = () => Promise.resolve();
    shell.store.list = () => new Promise(() => undefined);
    expect(await complete('get', 'bp', '')).toBe('');
  });

  test('a datastore that cannot be opened has no names, and no complaint', async () => {
    shell.env.DATASTORE_TYPE = 'consul';
    expect(await shell.run('__complete', '--', 'get', 'bp', '')).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });
});

/** In CI every shell is there, or its test fails. */
const isMissing = (program: string): boolean =>
  process.env['CI'] === undefined && spawnSync(program, ['--version']).status !== 0;

/** Without names of resources: those come only where the machine is quick. */
describe('the scripts', () => {
  let directory: string;
  let env: NodeJS.ProcessEnv;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'calicoctl-ts-completion-'));
    const program = join(directory, 'calicoctl-ts');
    writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${join(process.cwd(), 'src/cli/main.ts')}' "$@"\n`);
    chmodSync(program, 0o755);
    env = {
      ...process.env,
      PATH: `${directory}${delimiter}${process.env['PATH'] ?? ''}`,
    };
    writeFileSync(
      join(directory, 'peer.json'),
      JSON.stringify(manifest('BGPPeer', 'tor-a', { peerIP: '10.0.0.1', asNumber: 1 })),
    );
  }, 60_000);

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const run = (shell: string, args: readonly string[], input: string): string =>
    execFileSync(shell, [...args], { env, input, encoding: 'utf8', cwd: directory });

  test('bash completes with them', { timeout: 60_000 }, () => {
    const words = (line: string): string =>
      `COMP_WORDS=(${line}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _calicoctl_ts; echo "\${COMPREPLY[*]}"\n`;
    const script = [
      'source <(calicoctl-ts completion bash)',
      'complete -p calicoctl-ts',
      words(`calicoctl-ts rep`),
      words(`calicoctl-ts get ippool`),
      words(`calicoctl-ts apply -f p`),
    ].join('\n');
    expect(
      run('bash', ['--norc', '-s'], script)
        .trim()
        .split('\n')
        .filter((line) => line !== ''),
    ).toEqual(['complete -F _calicoctl_ts calicoctl-ts', 'replace', 'ippool ippools', 'peer.json']);
  });

  test.skipIf(isMissing('zsh'))('zsh completes with them', { timeout: 60_000 }, () => {
    const script = [
      'compdef() { : }; compadd() { shift; print -l "${(@P)1}" }; _files() { print files }',
      'source <(calicoctl-ts completion zsh)',
      `words=(calicoctl-ts rep); CURRENT=2; _calicoctl_ts`,
      `words=(calicoctl-ts get ippool); CURRENT=3; _calicoctl_ts`,
      `words=(calicoctl-ts apply -f p); CURRENT=4; _calicoctl_ts`,
      `words=(calicoctl-ts get nothing ''); CURRENT=4; _calicoctl_ts`,
    ].join('\n');
    expect(run('zsh', ['-f', '-s'], script).trim().split('\n')).toEqual(['replace', 'ippool', 'ippools', 'files']);
  });

  test.skipIf(isMissing('fish'))('fish completes with them', { timeout: 60_000 }, () => {
    const script = [
      'calicoctl-ts completion fish | source',
      `complete -C 'calicoctl-ts rep'`,
      `complete -C 'calicoctl-ts get ippool'`,
      `complete -C 'calicoctl-ts apply -f pee'`,
    ].join('\n');
    expect(run('fish', ['--no-config', '-c', script], '').trim().split('\n')).toEqual([
      'replace',
      'ippool',
      'ippools',
      'peer.json',
    ]);
  });
});
