import { expect, test } from 'vitest';
import { FakeShell } from '../../support/cli.ts';

const SETTINGS = [
  { name: 'FELIX_IPINIPMTU', field: 'ipipMTU', value: '1400', origin: 'FelixConfiguration(node.a)' },
  { name: 'FELIX_NATPORTRANGE', field: 'natPortRange', value: '', origin: 'default' },
  { name: 'FELIX_VXLANVNI', value: '9', origin: 'environment', note: 'stronger than 5 of FelixConfiguration(default)' },
];

test('node settings: each setting with its value, who says so, and who says something else', async () => {
  const shell = new FakeShell();
  shell.answers['GET /v1/settings'] = SETTINGS;
  const { exitCode, stdout } = await shell.run('node', 'settings');
  expect(exitCode).toBe(0);
  expect(stdout.split('\n').map((line) => line.trimEnd())).toEqual([
    'SETTING              VALUE   FROM                         NOTE',
    'FELIX_IPINIPMTU      1400    FelixConfiguration(node.a)',
    'FELIX_NATPORTRANGE   -       default',
    'FELIX_VXLANVNI       9       environment                  stronger than 5 of FelixConfiguration(default)',
    '',
  ]);
  expect(JSON.parse((await shell.run('node', 'settings', '-o', 'json')).stdout)).toEqual(SETTINGS);
});
