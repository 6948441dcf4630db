/** What a host tells in files: /proc, /sys, /etc, /run. Reading changes nothing. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface HostReader {
  /** A `.gz` comes unpacked; undefined: it is not there, or we may not read it. */
  text(path: string): string | undefined;
  /** Names in a directory, sorted; none where it is not there. */
  names(directory: string): readonly string[];
  /** Where a symbolic link leads. */
  target(path: string): string | undefined;
}

export const systemReader: HostReader = {
  text: (path) =>
    orAbsent(() => {
      const bytes = readFileSync(path);
      return (path.endsWith('.gz') ? process.getBuiltinModule('node:zlib').gunzipSync(bytes) : bytes).toString();
    }),
  names: (directory) => orAbsent(() => readdirSync(directory).sort()) ?? [],
  target: (path) => orAbsent(() => readlinkSync(path)),
};

/** Whatever the reason, for the one who asks it is not there; a finding says so where it matters. */
function orAbsent<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
