import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { NODE_FLAGS } from '../../../src/runtime/node-flags.ts';

test('what is built starts with the flags that the agent is to be started with', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    readonly scripts: { readonly build: string };
  };
  expect(scripts.build).toContain(`--banner:js='#!/usr/bin/env -S node ${NODE_FLAGS.join(' ')}'`);
});
