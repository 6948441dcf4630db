/** The edge that fetches Debian's kernel and packs it so that qemu can boot it; kept in a directory for the next time. */
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { mustRun, run } from '../process.ts';
import { packCpio } from './cpio.ts';
import type { ArchiveEntry } from './cpio.ts';
import { BOOT_MODULES, INITRAMFS_DIRECTORIES, INIT_SCRIPT } from './guest.ts';

export interface VmImage {
  readonly kernel: string;
  readonly initramfs: string;
  /** Holds one directory named after the kernel's release, as /lib/modules does. */
  readonly modulesDirectory: string;
}

/** Why the VM cannot be had here, in one sentence. */
export class VmUnavailableError extends Error {
  override readonly name = 'VmUnavailableError';
}

/** The stock kernel's meta package; it depends on the newest one. */
const KERNEL_META_PACKAGE = 'linux-image-amd64';

/** Of the 400 MB of a kernel package, what the demo's hosts may ask for. */
const WANTED = [
  './boot/vmlinuz-*',
  './lib/modules/*/modules.order',
  './lib/modules/*/modules.builtin*',
  ...['net', 'lib', 'crypto', 'arch', 'fs/9p', 'fs/netfs', 'fs/fscache', 'fs/overlayfs', 'drivers/virtio'].map(
    (path) => `./lib/modules/*/kernel/${path}/*`,
  ),
  ...['dummy', 'veth', 'tun', 'tap', 'vrf', 'ifb', 'net_failover', 'vxlan/vxlan', 'wireguard/wireguard'].map(
    (name) => `./lib/modules/*/kernel/drivers/net/${name}.ko`,
  ),
  './lib/modules/*/kernel/net/core/failover.ko',
];

/** Changes with whatever decides how an image looks, other than the kernel. */
const RECIPE = createHash('sha256')
  .update(JSON.stringify([INIT_SCRIPT, WANTED, BOOT_MODULES]))
  .digest('hex')
  .slice(0, 8);

/**
 * The image under `cacheDirectory`, built where the newest kernel was not packed before; an older one where there is
 * no way to the newest. Throws VmUnavailableError.
 */
export async function ensureVmImage(cacheDirectory: string, progress: (line: string) => void): Promise<VmImage> {
  if (process.arch !== 'x64')
    throw new VmUnavailableError(`the VM knows only x64 machines, and this one is ${process.arch}`);
  await mkdir(cacheDirectory, { recursive: true });
  const kept = (await readdir(cacheDirectory)).filter((name) => name.endsWith(`-${RECIPE}`));
  try {
    const kernelPackage = await newestKernelPackage();
    const name = `${kernelPackage}-${RECIPE}`;
    if (!kept.includes(name)) {
      progress(`packing ${kernelPackage} for qemu into ${cacheDirectory}`);
      await packImage(kernelPackage, join(cacheDirectory, name));
    }
    return imageIn(join(cacheDirectory, name));
  } catch (error) {
    const [older] = kept;
    if (!(error instanceof VmUnavailableError) || older === undefined) throw error;
    progress(`${error.message}; taking ${older}`);
    return imageIn(join(cacheDirectory, older));
  }
}

const imageIn = (directory: string): VmImage => ({
  kernel: join(directory, 'vmlinuz'),
  initramfs: join(directory, 'initramfs.gz'),
  modulesDirectory: join(directory, 'modules'),
});

/** Whole or not at all, and alone: what was packed before is of no use any more. */
async function packImage(kernelPackage: string, directory: string): Promise<void> {
  const cacheDirectory = dirname(directory);
  const work = await mkdtemp(join(cacheDirectory, 'building-'));
  try {
    await build(kernelPackage, work);
    for (const old of await readdir(cacheDirectory)) {
      if (!old.startsWith('building-')) await rm(join(cacheDirectory, old), { recursive: true });
    }
    await rename(join(work, 'image'), directory);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function newestKernelPackage(): Promise<string> {
  const ask = (): Promise<{ stdout: string }> => run(['apt-cache', 'depends', '--important', KERNEL_META_PACKAGE]);
  const find = (text: string): string | undefined => /Depends: (linux-image-\S+)/.exec(text)?.[1];
  const known = find((await ask()).stdout);
  if (known !== undefined) return known;
  await run(['apt-get', 'update', '-qq'], { timeoutMs: 300_000 });
  const found = find((await ask()).stdout);
  if (found === undefined) throw new VmUnavailableError(`apt knows no kernel package ${KERNEL_META_PACKAGE}`);
  return found;
}

async function build(kernelPackage: string, work: string): Promise<void> {
  const download = await run(['apt-get', 'download', '-qq', kernelPackage, 'busybox-static'], {
    cwd: work,
    timeoutMs: 600_000,
  });
  if (download.exitCode !== 0) {
    throw new VmUnavailableError(
      `apt-get cannot download ${kernelPackage} and busybox-static: ${download.stderr.trim()}`,
    );
  }
  const files = (await readdir(work)).filter((name) => name.endsWith('.deb'));
  const kernelFile = files.find((name) => name.startsWith('linux-image'))!;
  const busyboxFile = files.find((name) => name.startsWith('busybox'))!;
  const unpacked = join(work, 'unpacked');
  await mkdir(unpacked);
  const patterns = WANTED.map((pattern) => `'${pattern}'`).join(' ');
  // Not every kernel has every one of them; what the boot really needs is checked below.
  await run([
    'sh',
    '-c',
    `dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --wildcards ${patterns} 2>/dev/null; dpkg-deb --fsys-tarfile "$3" | tar -x -C "$2" ./bin/busybox`,
    'sh',
    ...[join(work, kernelFile), unpacked, join(work, busyboxFile)],
  ]);
  await assemble(unpacked, join(work, 'image'));
}

async function assemble(unpacked: string, image: string): Promise<void> {
  const busybox = join(unpacked, 'bin/busybox');
  const modules = join(unpacked, 'lib/modules');
  const [release] = await readdir(modules);
  await mustRun([busybox, 'depmod', '-b', unpacked, release!]);
  await mkdir(image);
  await rename(join(unpacked, 'boot', `vmlinuz-${release!}`), join(image, 'vmlinuz'));
  const dependencies = await readFile(join(modules, release!, 'modules.dep'), 'utf8');
  const entries: ArchiveEntry[] = INITRAMFS_DIRECTORIES.map((path) => ({ path, mode: 0o755 }));
  entries.push({ path: 'init', mode: 0o755, content: Buffer.from(INIT_SCRIPT) });
  entries.push({ path: 'bin/busybox', mode: 0o755, content: await readFile(busybox) });
  const bootFiles = withDependencies(dependencies, BOOT_MODULES);
  const directories = new Set(bootFiles.flatMap((file) => parents(`lib/modules/${release!}/${file}`)));
  for (const path of directories) entries.push({ path, mode: 0o755 });
  for (const file of [...bootFiles, 'modules.dep']) {
    const content = await readFile(join(modules, release!, file));
    entries.push({ path: `lib/modules/${release!}/${file}`, mode: 0o644, content });
  }
  await writeFile(join(image, 'initramfs.gz'), gzipSync(packCpio(entries), { level: 6 }));
  await rename(modules, join(image, 'modules'));
}

/** Paths of the named modules and of all they need, from the text of modules.dep. Throws where one is missing. */
export function withDependencies(modulesDep: string, names: readonly string[]): readonly string[] {
  const lines = modulesDep.split('\n').map((line) => line.split(/:\s*/));
  const paths = names.flatMap((name) => {
    const line = lines.find(([path = '']) => path.endsWith(`/${name}.ko`) || path.endsWith(`/${name}.ko.xz`));
    if (line === undefined) throw new VmUnavailableError(`the kernel package has no module ${name}`);
    return [...(line[1] ?? '').split(' ').filter((path) => path !== ''), line[0]!];
  });
  return [...new Set(paths)];
}

/** The directories above a file, outermost first, below lib/modules. */
function parents(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join('/')).slice(2);
}
