import { build } from 'esbuild';

/** What a bundle of the dataplane's process consists of, beside each other in one directory. */
const ENTRIES = {
  'dataplane-process': 'test/support/dataplane-process.ts',
  'calico-ts-netlink': 'felix/netlink/worker.ts',
} as const;

/**
 * Bundles the dataplane's process into a directory of the project, so that it starts in a tenth of a second; gives the
 * script. Under emulation the bundle is a must: type stripping is WebAssembly, which was seen to crash there.
 */
export async function bundleDataplaneProcess(directory: string): Promise<string> {
  await build({
    entryPoints: ENTRIES,
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    // The native one alone: looking for the files of packages takes the VM longer than to start Node.
    external: ['koffi'],
  });
  return `${process.cwd()}/${directory}/dataplane-process.mjs`;
}
