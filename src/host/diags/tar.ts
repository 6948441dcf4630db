import { gzipSync } from 'node:zlib';

export interface ArchiveFile {
  /** At most 100 octets. */
  readonly path: string;
  readonly text: string;
}

const BLOCK = 512;

/** A gzipped tar in the ustar format (POSIX.1-1988), which every tar reads. `mtime`: seconds since 1970. */
export function packTarGz(files: readonly ArchiveFile[], mtime: number): Uint8Array {
  const parts = files.flatMap(({ path, text }) => {
    const body = Buffer.from(text);
    return [header(path, body.length, mtime), body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)];
  });
  return gzipSync(Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]));
}

function header(path: string, size: number, mtime: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const field = (at: number, text: string): void => void block.write(text, at);
  const octal = (value: number, digits: number): string => `${Math.floor(value).toString(8).padStart(digits, '0')}\0`;
  if (Buffer.byteLength(path) > 100) throw new Error(`${path}: is too long for a name in an archive`);
  field(0, path);
  field(100, octal(0o600, 7));
  field(108, octal(0, 7));
  field(116, octal(0, 7));
  field(124, octal(size, 11));
  field(136, octal(mtime, 11));
  // The checksum is taken as if it were blanks.
  field(148, ' '.repeat(8));
  field(156, '0');
  field(257, 'ustar\u000000');
  field(
    148,
    `${octal(
      block.reduce((sum, octet) => sum + octet, 0),
      6,
    )} `,
  );
  return block;
}
