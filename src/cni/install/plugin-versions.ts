import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';

/** A plugin has nothing to do for it but to print a line. */
const LIMIT_MS = 5_000;

/**
 * Asks plugins which versions of CNI they know (CNI specification, "VERSION"), each file once, for it is looked at again and again
 * and seldom another. One that does not answer as it should knows none.
 */
export function pluginVersions(limitMs = LIMIT_MS): (plugin: string) => readonly string[] {
  const known = new Map<string, { readonly file: string; readonly versions: readonly string[] }>();
  return (plugin) => {
    const file = fileText(plugin);
    const before = known.get(plugin);
    if (before?.file === file) return before.versions;
    const versions = ask(plugin, limitMs);
    known.set(plugin, { file, versions });
    return versions;
  };
}

function fileText(plugin: string): string {
  const { ino, size, mtimeMs } = statSync(plugin);
  return `${ino} ${size} ${mtimeMs}`;
}

function ask(plugin: string, limitMs: number): readonly string[] {
  // One that ends before it has read what it is asked has answered all the same.
  const { status, stdout } = spawnSync(plugin, {
    ...{ input: '{"cniVersion":"1.0.0"}', env: { CNI_COMMAND: 'VERSION' }, timeout: limitMs },
    // The whole agent waits for it, so it is not asked to end.
    killSignal: 'SIGKILL',
    ...{ encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] },
  });
  return status === 0 ? supportedVersions(stdout) : [];
}

function supportedVersions(answer: string): readonly string[] {
  try {
    const { supportedVersions: versions } = JSON.parse(answer) as { readonly supportedVersions?: unknown };
    return Array.isArray(versions) ? versions.filter((one) => typeof one === 'string') : [];
  } catch {
    return [];
  }
}
