import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { open, rename, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { JournalHeader, Line } from './journal.ts';
import {
  changesOf,
  encodeChanges,
  encodeEntry,
  encodeLine,
  JOURNAL_VERSION,
  JOURNAL_VERSION_OF_SINGLES,
  lineAt,
  readLines,
} from './journal.ts';
import { changeRevision } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import type { Change } from './store.ts';
import { UnavailableError } from './store.ts';

export interface JournalLimits {
  /** The journal is rewritten when it holds more changes than this, */
  readonly maxChanges: number;
  /** or grew by more octets than this beyond twice its snapshot. */
  readonly maxOctets: number;
  /** So many of the last changes survive, for those who watch from an older revision; at most `maxOctets` / 8 of them. */
  readonly keepChanges: number;
}

interface OpenJournal {
  readonly handle: FileHandle;
  readonly inode: number;
  readonly header: JournalHeader;
  /** Where the snapshot ends. */
  readonly bodyEnd: number;
  /** Everything before is in the ledger. */
  offset: number;
}

/**
 * The journal file of one directory, read into a Ledger. Only the holder of the directory's lock calls `append`,
 * `compact` and `createIfMissing`; everybody reads. A rewritten journal is another inode: the reader first drains the
 * old one, which nobody appends to any more, and goes on in the new one without a gap.
 */
export class JournalFile {
  readonly #directory: string;
  readonly #path: string;
  readonly #ledger: Ledger;
  readonly #limits: JournalLimits;
  #open: OpenJournal | undefined;

  constructor(directory: string, ledger: Ledger, limits: JournalLimits) {
    this.#directory = directory;
    this.#path = join(directory, 'journal');
    this.#ledger = ledger;
    this.#limits = limits;
  }

  /** Reads what others wrote. Returns how many octets of a torn line follow. Throws UnavailableError when damaged. */
  async catchUp(): Promise<number> {
    // Two microseconds at hand; by way of a pool thread it takes twenty times as long, and most looks find nothing new.
    const { ino, size } = statSync(this.#path);
    if (this.#open?.inode === ino) return this.#drain(this.#open, size);
    if (this.#open !== undefined) {
      await this.#drain(this.#open, (await this.#open.handle.stat()).size);
      await this.close();
    }
    this.#open = await this.#load();
    return this.#drain(this.#open, (await this.#open.handle.stat()).size);
  }

  /**
   * Appends changes, a line for each write, and makes them durable, all by one append and one sync; the ledger takes them. The
   * lock is held, and catchUp() was called under it. Where the disk takes only some of the lines whole (it is full), those stand, for others may have
   * read them by now: the ledger takes them, and what stopped the others is returned. Throws where it takes none, and where
   * the sync fails: then all of them may or may not have happened.
   */
  async append(writes: readonly (readonly Change[])[], torn: number): Promise<{ readonly stoppedBy?: Error }> {
    // Whoever reads such lines only reads on where the header says so.
    if (this.#open!.header.version !== JOURNAL_VERSION) await this.compact();
    else if (torn > 0) await this.#open!.handle.truncate(this.#open!.offset);
    const journal = this.#open!;
    const lines = writes.map(encodeChanges);
    const { written, stoppedBy } = await writeUntilRefused(journal.handle, Buffer.concat(lines), journal.offset);
    const whole = wholeLines(lines, written);
    if (stoppedBy !== undefined) {
      // A part of a line is no line to any reader, so it may be taken back; a whole one may not.
      await journal.handle.truncate(journal.offset + whole.octets).catch(() => undefined);
      if (whole.count === 0) throw stoppedBy;
    }
    await journal.handle.datasync();
    journal.offset += whole.octets;
    for (const change of writes.slice(0, whole.count).flat()) this.#ledger.apply(change);
    return { ...(stoppedBy !== undefined && { stoppedBy }) };
  }

  isDueForCompaction(): boolean {
    const { bodyEnd, offset } = this.#open!;
    const changes = this.#ledger.revision - this.#ledger.compacted;
    return changes > this.#limits.maxChanges || offset - bodyEnd > this.#limits.maxOctets + bodyEnd * 2;
  }

  /** Writes the state and the last changes as a new journal, then puts it in the old one's place. The lock is held. */
  async compact(): Promise<void> {
    const { history } = this.#open!.header;
    await this.#write(history, this.#recentChanges());
    await this.catchUp();
  }

  async createIfMissing(): Promise<void> {
    const exists = await stat(this.#path).then(
      () => true,
      (cause: unknown) => {
        if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false;
        throw cause;
      },
    );
    if (!exists) await this.#write(randomUUID(), []);
  }

  async close(): Promise<void> {
    const journal = this.#open;
    this.#open = undefined;
    await journal?.handle.close();
  }

  #recentChanges(): readonly Buffer[] {
    const changes = this.#ledger.changesAfter(this.#ledger.compacted).slice(-this.#limits.keepChanges);
    const lines: Buffer[] = [];
    let octets = 0;
    for (const change of changes.reverse()) {
      const line = encodeChanges([change]);
      octets += line.length;
      if (octets > this.#limits.maxOctets / 8) break;
      lines.unshift(line);
    }
    return lines;
  }

  async #write(history: string, changes: readonly Buffer[]): Promise<void> {
    const entries = this.#ledger.entries().map(encodeEntry);
    const body = Buffer.concat([...entries, ...changes]);
    const { revision } = this.#ledger;
    const header: JournalHeader = {
      version: JOURNAL_VERSION,
      history,
      compacted: revision - changes.length,
      revision,
      entries: entries.length,
      bodyOctets: body.length,
    };
    const draft = `${this.#path}.new`;
    const handle = await open(draft, 'w', 0o600);
    try {
      await writeAll(handle, Buffer.concat([encodeLine(header), body]), 0);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, this.#path);
    await syncDirectory(this.#directory);
  }

  async #load(): Promise<OpenJournal> {
    const handle = await openForBoth(this.#path);
    try {
      const { ino, size } = await handle.stat();
      const octets = await readRange(handle, 0, size);
      const first = lineAt(octets, 0);
      const header = first?.json as JournalHeader | undefined;
      const versions: readonly (number | undefined)[] = [JOURNAL_VERSION, JOURNAL_VERSION_OF_SINGLES];
      if (first === undefined || header === undefined || !versions.includes(header.version)) throw this.#damaged(0);
      const bodyEnd = first.end + header.bodyOctets;
      const { lines, end } = readLines(octets.subarray(0, bodyEnd), first.end);
      if (end !== bodyEnd) throw this.#damaged(end);
      this.#adopt(header, lines);
      return { handle, inode: ino, header, bodyEnd, offset: bodyEnd };
    } catch (cause) {
      await handle.close();
      throw cause;
    }
  }

  /** Goes on from where the ledger is if the new journal still knows that place; starts anew if not. */
  #adopt(header: JournalHeader, lines: readonly Line[]): void {
    const changes = lines.slice(header.entries).flatMap(changesOf);
    const { revision } = this.#ledger;
    const sameHistory = this.#history === header.history;
    if (sameHistory && revision >= header.compacted && revision <= header.revision) {
      for (const change of changes) if (changeRevision(change) > revision) this.#ledger.apply(change);
      this.#ledger.compact(header.compacted);
    } else {
      const entries = lines.slice(0, header.entries).flatMap(changesOf);
      const puts = entries.flatMap((change) => (change.type === 'put' ? [change.entry] : []));
      this.#ledger.replace(puts, header.compacted, changes);
    }
    this.#history = header.history;
  }
  #history: string | undefined;

  async #drain(journal: OpenJournal, size: number): Promise<number> {
    if (size === journal.offset) return 0;
    if (size < journal.offset) throw this.#damaged(size);
    let read = readLines(await readRange(journal.handle, journal.offset, size), 0);
    // A reader may meet a writer that is cutting off a torn line: look twice before crying.
    if (read.damaged) read = readLines(await readRange(journal.handle, journal.offset, size), 0);
    for (const change of read.lines.flatMap(changesOf)) {
      if (changeRevision(change) !== this.#ledger.revision + 1) throw this.#damaged(journal.offset);
      this.#ledger.apply(change);
    }
    journal.offset += read.end;
    if (read.damaged) throw this.#damaged(journal.offset);
    return size - journal.offset;
  }

  #damaged(offset: number): UnavailableError {
    return new UnavailableError(
      `datastore journal ${this.#path} is damaged at octet ${offset}: restore it from a copy`,
    );
  }
}

/** Who may only read gets to read. */
async function openForBoth(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') return open(path, 'r');
    throw cause;
  }
}

async function readRange(handle: FileHandle, start: number, end: number): Promise<Buffer> {
  const octets = Buffer.allocUnsafe(end - start);
  let filled = 0;
  while (filled < octets.length) {
    const { bytesRead } = await handle.read(octets, filled, octets.length - filled, start + filled);
    if (bytesRead === 0) break; // Cut off meanwhile: the torn line is gone.
    filled += bytesRead;
  }
  return octets.subarray(0, filled);
}

async function writeAll(handle: FileHandle, octets: Buffer, position: number): Promise<void> {
  const { stoppedBy } = await writeUntilRefused(handle, octets, position);
  if (stoppedBy !== undefined) throw stoppedBy;
}

/** How many octets are written, and what stopped it where these are not all. */
async function writeUntilRefused(
  handle: FileHandle,
  octets: Buffer,
  position: number,
): Promise<{ readonly written: number; readonly stoppedBy?: Error }> {
  let written = 0;
  try {
    while (written < octets.length) {
      const { bytesWritten } = await handle.write(octets, written, octets.length - written, position + written);
      written += bytesWritten;
    }
  } catch (cause) {
    return { written, stoppedBy: cause as Error };
  }
  return { written };
}

/** The lines that lie wholly in the first `octets` of them. */
function wholeLines(lines: readonly Buffer[], octets: number): { readonly count: number; readonly octets: number } {
  let [count, end] = [0, 0];
  for (const { length } of lines) {
    if (end + length > octets) break;
    count++;
    end += length;
  }
  return { count, octets: end };
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
