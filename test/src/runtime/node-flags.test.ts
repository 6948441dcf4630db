import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CLI_NODE_FLAGS, NODE_ENVIRONMENT, NODE_FLAGS } from '../../../src/runtime/node-flags.ts';

const flags = NODE_FLAGS.join(' ');
const environment = Object.entries(NODE_ENVIRONMENT).map(([name, value]) => `${name}=${value}`);

test('what is built starts with the flags that the agent is to be started with', () => {
  expect(readFileSync('.ci/build-node', 'utf8')).toContain(
    `--banner:js="#!/usr/bin/env -S ${environment.join(' ')} node ${flags}\n`,
  );
});

test.each(['calico-node-ts', 'calico-node-ts-speaker'])('and so does the unit of systemd: %s', (name) => {
  const unit = readFileSync(`config/systemd/${name}.service`, 'utf8');
  expect(unit).toMatch(new RegExp(`^ExecStart=/opt/calico-ts/node_modules/.bin/node ${flags} `, 'm'));
  for (const each of environment) expect(unit).toContain(`\nEnvironment=${each}\n`);
});

test('and that of the CLI with its own', () => {
  expect(readFileSync('.ci/build-cli', 'utf8')).toContain(`flags='${CLI_NODE_FLAGS.join(' ')}'`);
});
