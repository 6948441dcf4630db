import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeLink, encodeLinkDump } from '../../felix/netlink/link.ts';
import { openMonitorSocket } from '../../felix/netlink/monitor.ts';
import { NetlinkSocket } from '../../felix/netlink/socket.ts';
import { NetlinkThread, NetlinkThreadError } from '../../felix/netlink/thread.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { loadLibc } from '../../src/linux/libc.ts';

/** Asks for our own namespace's links, and changes nothing. */
const linkNames = async (socket: NetlinkSocket): Promise<readonly string[]> => {
  const links = await socket.dump(encodeLinkDump(), decodeLink);
  return 'errno' in links ? expect.fail(`errno ${links.errno}`) : links.map(({ name }) => name);
};

describe('the netlink thread', () => {
  test('answers questions that are asked at once, each its own', async () => {
    const thread = new NetlinkThread();
    thread.take();
    const sockets = [1, 2, 3].map(() => new NetlinkSocket(loadLibc(), thread));
    const answers = await Promise.all(sockets.map(linkNames));
    for (const names of answers) expect(names).toContain('lo');
    await Promise.all(sockets.map((socket) => socket.close()));
    await thread.release();
  });

  test('that died by a fault refuses what it had, tells its watchers of an overrun, and lives again with the next question', async () => {
    const thread = new NetlinkThread();
    thread.take();
    const socket = new NetlinkSocket(loadLibc(), thread);
    const heard: unknown[] = [];
    const libc = loadLibc();
    const monitor = openMonitorSocket(libc, socket.port);
    await thread.watch(monitor, (what) => Promise.resolve(void heard.push(what)));
    expect(await linkNames(socket)).toContain('lo');
    expect(heard).not.toContain('overrun');
    const underWay = linkNames(socket).then(
      () => 'answered',
      (error: unknown) => error,
    );
    // No task has that name: whatever a fault of ours may be, it ends the thread.
    await expect(thread.perform({ do: 'fault' } as never)).rejects.toThrow(NetlinkThreadError);
    expect(await underWay).toBe('answered');
    expect(heard).toContain('overrun');
    expect(await linkNames(socket)).toContain('lo');
    await thread.forget(monitor);
    libc.close(monitor);
    await socket.close();
    await thread.release();
  });

  /** A process that listens and asks, and then does `end`; what it printed. */
  const runProcess = (linuxKernel: string, end: string): string => {
    const program = [
      `import { createLinuxKernel } from '${linuxKernel}';`,
      'const kernel = createLinuxKernel();',
      'await kernel.watch(() => undefined, new AbortController().signal);',
      'console.log((await kernel.listLinks()).length > 0);',
      end,
    ].join('\n');
    const options = { encoding: 'utf8', timeout: 20_000 } as const;
    return execFileSync(process.execPath, ['--input-type=module', '--eval', program], options);
  };

  test.each([
    ['has nothing more to do', ''],
    ['calls process.exit', 'process.exit(0);'],
    ['calls it with a question on its way', 'void kernel.listLinks(); process.exit(0);'],
    ['closes the port', 'await kernel.close();'],
  ])('lets a process end that %s', (_, end) => {
    expect(runProcess(resolve('felix/linux-kernel.ts'), end)).toBe('true\n');
  });

  test('is found beside the bundle, as the build makes it', () => {
    const directory = resolve('.cache', `netlink-bundle-${process.pid}`);
    mkdirSync(directory, { recursive: true });
    try {
      const thread = packageJson.scripts.build.split(' ').find((word) => word.startsWith('calico-ts-netlink='));
      expect(thread).toBeDefined();
      const options = [
        '--bundle',
        '--platform=node',
        '--format=esm',
        '--packages=external',
        '--out-extension:.js=.mjs',
      ];
      const words = ['door=felix/linux-kernel.ts', thread!, ...options, '--log-level=warning', `--outdir=${directory}`];
      execFileSync(join('node_modules', '.bin', 'esbuild'), words);
      expect(runProcess(join(directory, 'door.mjs'), '')).toBe('true\n');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
