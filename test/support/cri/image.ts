/** An image of one static program, made by hand: no registry, and nothing to download. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** As `ctr` and the CRI name it. */
export const IMAGE = 'calico-ts.test/busybox:1';
export const BUSYBOX = '/bin/busybox';

const APPLETS = ['sh', 'sleep', 'ping', 'wget', 'httpd', 'ip'];
const FOREVER = '2000000000';

const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Writes an OCI image layout (image-spec, v1) as a tar into `directory` and gives its path. */
export function makeImage(directory: string): string {
  const layer = makeLayer(directory);
  const layout = join(directory, 'layout');
  mkdirSync(join(layout, 'blobs', 'sha256'), { recursive: true });
  const put = (bytes: Buffer, mediaType: string): object => {
    writeFileSync(join(layout, 'blobs', 'sha256', digestOf(bytes)), bytes);
    return { mediaType, digest: `sha256:${digestOf(bytes)}`, size: bytes.length };
  };
  const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));
  const config = put(
    json({
      ...{ architecture: process.arch === 'x64' ? 'amd64' : process.arch, os: 'linux' },
      config: { Entrypoint: ['/bin/sleep', FOREVER], Env: ['PATH=/bin'] },
      rootfs: { type: 'layers', diff_ids: [`sha256:${digestOf(layer)}`] },
    }),
    'application/vnd.oci.image.config.v1+json',
  );
  const manifest = put(
    json({
      ...{ schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json' },
      ...{ config, layers: [put(layer, 'application/vnd.oci.image.layer.v1.tar')] },
    }),
    'application/vnd.oci.image.manifest.v1+json',
  );
  const annotations = { 'io.containerd.image.name': IMAGE, 'org.opencontainers.image.ref.name': '1' };
  writeFileSync(join(layout, 'index.json'), json({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }));
  writeFileSync(join(layout, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
  const file = join(directory, 'image.tar');
  execFileSync('tar', ['-C', layout, '-cf', file, '.']);
  return file;
}

function makeLayer(directory: string): Buffer {
  const root = join(directory, 'root');
  for (const name of ['bin', 'etc', 'proc', 'sys', 'dev', 'tmp', 'www'])
    mkdirSync(join(root, name), { recursive: true });
  copyFileSync(BUSYBOX, join(root, 'bin', 'busybox'));
  for (const name of APPLETS) symlinkSync('busybox', join(root, 'bin', name));
  writeFileSync(join(root, 'www', 'index.html'), 'a pod\n');
  const file = join(directory, 'layer.tar');
  execFileSync('tar', ['-C', root, '--owner=0', '--group=0', '--mtime=@0', '--sort=name', '-cf', file, '.']);
  return readFileSync(file);
}
