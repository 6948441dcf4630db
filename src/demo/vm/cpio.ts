/** A file for an archive; a directory where `content` is absent. Parents come before their children. */
export interface ArchiveEntry {
  readonly path: string;
  readonly mode: number;
  readonly content?: Uint8Array;
}

const DIRECTORY = 0o040000;
const REGULAR = 0o100000;

/** Packs entries as the kernel wants an initramfs: cpio "newc", linux Documentation/driver-api/early-userspace/buffer-format. */
export function packCpio(entries: readonly ArchiveEntry[]): Buffer {
  const parts = entries.map((entry, i) => packEntry(entry, i + 1));
  return Buffer.concat([...parts, packEntry({ path: 'TRAILER!!!', mode: 0, content: new Uint8Array() }, 0)]);
}

function packEntry({ path, mode, content }: ArchiveEntry, inode: number): Buffer {
  const type = inode === 0 ? 0 : content === undefined ? DIRECTORY : REGULAR;
  const name = Buffer.from(`${path}\0`);
  const size = content?.length ?? 0;
  const links = content === undefined ? 2 : 1;
  // inode, mode, uid, gid, links, mtime, size, device (2), special device (2), name length, checksum.
  const fields = [inode, type | mode, 0, 0, links, 0, size, 0, 0, 0, 0, name.length, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
  return Buffer.concat([padded(Buffer.concat([Buffer.from(header), name])), padded(Buffer.from(content ?? []))]);
}

/** Filled up with zeros to the next multiple of four. */
const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
