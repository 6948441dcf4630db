/** Files of the runtime's, put in place so that whoever reads or starts them sees the old one or the new one, whole. */
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

export interface PlacedFile {
  readonly path: string;
  readonly content: Buffer;
  readonly mode: number;
}

/** Hidden, and with no ending that a runtime takes for a configuration. */
const unfinished = (path: string): string => `.${basename(path)}.new-`;

/** What is right already is left alone: false. Throws where it cannot; the old file is there then. */
export function place(file: PlacedFile): boolean {
  const { path, content, mode } = file;
  if (isRight(file)) return false;
  const directory = dirname(path);
  mkdirSync(directory, { recursive: true });
  const temporary = join(directory, `${unfinished(path)}${process.pid}`);
  try {
    const fd = openSync(temporary, 'w', mode);
    try {
      writeFileSync(fd, content);
      // The umask does not decide.
      fchmodSync(fd, mode);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    // A plugin that runs at this moment keeps the file that it was started from.
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncDirectory(directory);
  return true;
}

function isRight({ path, content, mode }: PlacedFile): boolean {
  try {
    const { size, mode: has } = statSync(path);
    return size === content.length && (has & 0o7777) === mode && readFileSync(path).equals(content);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Removes what an installation that was killed left beside `path`, but for what is younger than `ageMs`. */
export function removeUnfinished(path: string, { now, ageMs }: { readonly now: number; readonly ageMs: number }): void {
  const directory = dirname(path);
  for (const name of namesIn(directory).filter((each) => each.startsWith(unfinished(path)))) {
    const old = join(directory, name);
    // Another installation may be at it, or may have ended in between.
    if (now - (statSync(old, { throwIfNoEntry: false })?.mtimeMs ?? now) > ageMs) rmSync(old, { force: true });
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** A name is there after a power failure only once its directory is on the disk. */
function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
