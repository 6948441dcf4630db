import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CLI_NODE_FLAGS, NODE_FLAGS } from '../../../src/runtime/node-flags.ts';

test('what is built starts with the flags that the agent is to be started with', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    readonly scripts: { readonly build: string };
  };
  expect(scripts.build).toContain(`--banner:js='#!/usr/bin/env -S node ${NODE_FLAGS.join(' ')}'`);
});

test('and that of the CLI with its own', () => {
  expect(readFileSync('.ci/build-cli', 'utf8')).toContain(`flags='${CLI_NODE_FLAGS.join(' ')}'`);
});
