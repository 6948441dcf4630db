import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SecretFiles } from '../../../src/agent/secret-files.ts';
import { FakeClock } from '../../support/fake-clock.ts';

let directory: string;
let clock: FakeClock;
let changes: number;
let files: SecretFiles;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'secrets-'));
  clock = new FakeClock();
  changes = 0;
  files = new SecretFiles({ directory, clock, onChange: () => changes++ });
});
afterEach(() => {
  files.close();
  rmSync(directory, { recursive: true, force: true });
});

const SECRET = { name: 'bgp', key: 'tor-a' };
const path = (): string => join(directory, 'bgp', 'tor-a');

/** As the kubelet does: a new directory behind one symbolic link. */
function mount(version: number, password: string): void {
  const data = join(directory, `version-${version}`);
  mkdirSync(data);
  writeFileSync(join(data, 'tor-a'), password);
  symlinkSync(data, join(directory, 'next'));
  renameSync(join(directory, 'next'), join(directory, 'bgp'));
}

describe('a password', () => {
  test('is the content of NAME/KEY, without the newline at its end', () => {
    mount(1, 'secret');
    expect(files.lookup()(SECRET)).toEqual({ password: 'secret' });
    mount(2, ' with spaces \n');
    expect(files.lookup()(SECRET)).toEqual({ password: ' with spaces ' });
  });

  test('is missing, with the reason', () => {
    expect(files.lookup()(SECRET)).toEqual({ missing: `${path()} does not exist` });
    mount(1, '\n');
    expect(files.lookup()(SECRET)).toEqual({ missing: `${path()} is empty` });
    mount(2, 'x'.repeat(81));
    expect(files.lookup()(SECRET)).toEqual({
      missing: `the password in ${path()} has 81 octets, TCP MD5 takes 80 at most`,
    });
    expect(files.lookup()({ ...SECRET, name: 'bgp', key: '.' })).toMatchObject({
      missing: expect.stringContaining('cannot be read: EISDIR'),
    });
    const nowhere = new SecretFiles({ directory: undefined, clock, onChange: () => undefined });
    expect(nowhere.lookup()(SECRET)).toEqual({
      missing: 'key tor-a of Secret bgp is not to be had: CALICO_BGP_PASSWORDS is not set',
    });
    nowhere.close();
  });

  test('is read once in a computation, so that all peers have the same', () => {
    mount(1, 'old');
    const lookup = files.lookup();
    expect(lookup(SECRET)).toEqual({ password: 'old' });
    mount(2, 'new');
    expect(lookup(SECRET)).toEqual({ password: 'old' });
  });
});

describe('a change', () => {
  test('is noticed within five seconds: appears, changes, goes', async () => {
    files.lookup()(SECRET);
    await clock.advance(5_000);
    expect(changes).toBe(0);
    mount(1, 'one');
    await clock.advance(5_000);
    expect(changes).toBe(1);
    expect(files.lookup()(SECRET)).toEqual({ password: 'one' });
    await clock.advance(5_000);
    expect(changes).toBe(1);
    mount(2, 'two');
    await clock.advance(5_000);
    expect(changes).toBe(2);
    files.lookup()(SECRET);
    rmSync(join(directory, 'bgp'));
    await clock.advance(5_000);
    expect(changes).toBe(3);
  });

  test('of what is no longer asked for is of no interest, and after the end none is', async () => {
    mount(1, 'one');
    files.lookup()(SECRET);
    files.lookup();
    mount(2, 'two');
    await clock.advance(20_000);
    expect(changes).toBe(0);
    files.lookup()(SECRET);
    files.close();
    mount(3, 'three');
    await clock.advance(20_000);
    expect(changes).toBe(0);
  });
});
