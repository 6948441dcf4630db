import type { HostReader } from '../../src/host/reader.ts';

/** A host's files as a record of texts by path; a link's text is where it leads. */
export const readerOf = (texts: Readonly<Record<string, string>>): HostReader => ({
  text: (path) => texts[path],
  names: (directory) => {
    const below = Object.keys(texts).filter((path) => path.startsWith(`${directory}/`));
    return [...new Set(below.map((path) => path.slice(directory.length + 1).split('/')[0]!))].sort();
  },
  target: (path) => texts[path],
});
