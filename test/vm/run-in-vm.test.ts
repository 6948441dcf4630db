import { expect, test } from 'vitest';
import { runInVm, vmObstacle } from '../../src/demo/vm/run-in-vm.ts';

const obstacle = await vmObstacle();
if (obstacle !== undefined && process.env['CI'] !== undefined) throw new Error(`CI needs the VM: ${obstacle}`);
const name = (sentence: string): string => (obstacle === undefined ? sentence : `${sentence} (skipped: ${obstacle})`);

test.skipIf(obstacle !== undefined)(
  name('a command in the VM has Debian’s kernel with tunl0, this project, this Node, and its own exit code'),
  async () => {
    const command =
      'uname -r; ip -o link show tunl0; node --version; test -e package.json && echo here; echo said >&2; exit 3';
    const result = await runInVm(command, { timeoutMs: 120_000 });
    const [kernel, link, node, here] = result.stdout.split('\n');
    expect(result.exitCode).toBe(3);
    expect(kernel).toMatch(/^\d.*-amd64$/);
    expect(link).toContain('link/ipip');
    expect(node).toBe(process.version);
    expect(here).toBe('here');
    // The serial line writes CR LF, and qemu may pass on either.
    expect(result.console).toMatch(/said\r?\n/);
    expect(result.console).not.toContain('vm: ');
  },
);

test.skipIf(obstacle !== undefined)(name('what a command writes in the VM is gone with it'), async () => {
  const result = await runInVm('echo x > package.json; cat package.json', {
    timeoutMs: 120_000,
  });
  expect(result).toMatchObject({ exitCode: 0, stdout: 'x\n' });
});

test.skipIf(obstacle !== undefined)(name('a machine that takes too long is ended, and has no exit code'), async () => {
  const result = await runInVm('sleep 600', { timeoutMs: 8_000 });
  expect(result.exitCode).toBeUndefined();
});
