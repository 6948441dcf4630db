import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packCpio } from '../../../../src/demo/vm/cpio.ts';
import { INIT_SCRIPT, jobScript, quote, qemuArguments, readResult } from '../../../../src/demo/vm/guest.ts';
import { withDependencies } from '../../../../src/demo/vm/image.ts';

test('a quoted word comes out of the shell as it went in', () => {
  // No NUL: a command line cannot carry one.
  const word = fc
    .string({ unit: 'binary', maxLength: 20 })
    .filter((text) => !text.includes('\0') && text.isWellFormed());
  fc.assert(
    fc.property(word, (text) => {
      expect(execFileSync('sh', ['-c', `printf %s ${quote(text)}`], { encoding: 'utf8' })).toBe(text);
    }),
    { numRuns: 30 },
  );
});

test('the job’s variables are what the init script reads', () => {
  const job = { command: "echo 'a'", workingDirectory: '/x y', modulesDirectory: '/m', path: '/bin' };
  const echo = 'printf "%s|" "$COMMAND" "$WORKING_DIRECTORY" "$MODULES" "$COMMAND_PATH"';
  expect(execFileSync('sh', ['-c', `${jobScript(job)}${echo}`], { encoding: 'utf8' })).toBe("echo 'a'|/x y|/m|/bin|");
  for (const name of ['COMMAND', 'WORKING_DIRECTORY', 'MODULES', 'COMMAND_PATH'])
    expect(INIT_SCRIPT).toContain(`$${name}`);
});

test('the init script is one that sh can read', () => {
  execFileSync('sh', ['-n'], { input: INIT_SCRIPT });
});

test('qemu gets the host’s files for reading only', () => {
  const machine = { kernel: 'k', initramfs: 'i', jobDirectory: '/job', resultFile: '/r', memoryMb: 1, cpus: 1 };
  const shares = qemuArguments(machine).filter((argument) => argument.startsWith('local,'));
  expect(shares.length).toBe(2);
  for (const share of shares) expect(share).toContain('readonly=on');
});

describe('the answer on the serial port', () => {
  test('is the output and the exit code behind it', () => {
    expect(readResult('a\nb\n@@calico-ts-vm-exit 3\n')).toEqual({ stdout: 'a\nb\n', exitCode: 3 });
    expect(readResult('no newline@@calico-ts-vm-exit 0\n')).toEqual({ stdout: 'no newline', exitCode: 0 });
  });

  test('has no exit code where the machine died first', () => {
    expect(readResult('half of i')).toEqual({ stdout: 'half of i', exitCode: undefined });
    expect(readResult('')).toEqual({ stdout: '', exitCode: undefined });
  });
});

// The one test here that needs a tool; in CI it must be there.
const noCpio = spawnSync('cpio', ['--version']).status !== 0 && process.env['CI'] === undefined;

test.skipIf(noCpio)('cpio itself unpacks the archive: directories, modes and contents of any length', () => {
  const directory = mkdtempSync(join(tmpdir(), 'cpio-'));
  try {
    const contents = [0, 1, 2, 3, 4, 5].map((length) => Buffer.alloc(length, 'x'));
    const files = contents.map((content, i) => ({ path: `dir/f${i}`, mode: 0o640, content }));
    const archive = packCpio([{ path: 'dir', mode: 0o755 }, ...files]);
    execFileSync('cpio', ['-i', '--quiet'], { cwd: directory, input: archive });
    for (const { path, content } of files) expect(readFileSync(join(directory, path))).toEqual(content);
    expect(execFileSync('stat', ['-c', '%a', join(directory, 'dir/f3')], { encoding: 'utf8' })).toBe('640\n');
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a module brings all that it needs, what it needs first, nothing twice', () => {
  const dep =
    'kernel/fs/9p.ko: kernel/net/9pnet.ko kernel/fs/netfs.ko\nkernel/net/9pnet.ko:\nkernel/fs/netfs.ko:\nkernel/x/19p.ko:\n';
  const paths = withDependencies(dep, ['9p', '9pnet']);
  expect(paths).toEqual(['kernel/net/9pnet.ko', 'kernel/fs/netfs.ko', 'kernel/fs/9p.ko']);
  expect(() => withDependencies(dep, ['overlay'])).toThrow('no module overlay');
});
