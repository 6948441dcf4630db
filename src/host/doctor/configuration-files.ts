/** The two file formats and the order of directories that NetworkManager and systemd-networkd share. */
import type { HostReader } from '../reader.ts';

export interface IniSection {
  readonly name: string;
  /** In their order; a key may come more than once. */
  readonly entries: readonly (readonly [key: string, value: string])[];
}

/** Sections in their order, one of the same name apart from the other; comments begin with # or ;. */
export function parseIni(text: string): readonly IniSection[] {
  const sections: { name: string; entries: [string, string][] }[] = [];
  for (const line of text
    .replace(/\\\n/g, ' ')
    .split('\n')
    .map((each) => each.trim())) {
    const header = /^\[(.+)\]$/.exec(line);
    const entry = /^([^#;=][^=]*?)\s*=\s*(.*)$/.exec(line);
    if (header !== null) sections.push({ name: header[1]!, entries: [] });
    else if (entry !== null) sections.at(-1)?.entries.push([entry[1]!, entry[2]!]);
  }
  return sections;
}

/** The last value of a key wins. */
export const lastOf = (sections: readonly IniSection[], name: string, key: string): string | undefined =>
  sections
    .filter((section) => section.name === name)
    .flatMap(({ entries }) => entries)
    .findLast(([each]) => each === key)?.[1];

/**
 * The files of several directories, sorted by name; of two with one name the later directory's counts alone. `directories`
 * begin with the weakest.
 */
export function mergedFiles(
  reader: HostReader,
  directories: readonly string[],
  extension: string,
): readonly { readonly path: string; readonly text: string }[] {
  const paths = new Map<string, string>();
  for (const directory of directories) {
    for (const name of reader.names(directory)) {
      if (name.endsWith(extension)) paths.set(name, `${directory}/${name}`);
    }
  }
  return [...paths].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => ({ path, text: reader.text(path) ?? '' }));
}

/** A shell's pattern: `*`, `?` and `[a-z]`. */
export function matchesGlob(pattern: string, name: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
    .replaceAll('[!', '[^');
  try {
    return new RegExp(`^${source}$`).test(name);
  } catch {
    return pattern === name;
  }
}

/** The name of a process as the kernel keeps it, at most fifteen characters; the processes that have it. */
export function processesNamed(reader: HostReader, name: string): readonly number[] {
  const wanted = name.slice(0, 15);
  return reader
    .names('/proc')
    .filter((each) => /^\d+$/.test(each) && reader.text(`/proc/${each}/comm`)?.trim() === wanted)
    .map(Number);
}
