import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';

/** A plugin has nothing to do for it but to print a line. The whole agent waits for it. */
const LIMIT_MS = 2_000;
/** So often a plugin may take too long: the host may have been busy. */
const MAX_HANGS = 3;

interface Known {
  readonly file: string;
  /** Absent: it has not said yet. */
  readonly versions?: readonly string[];
  readonly hangs: number;
}

/**
 * Asks plugins which versions of CNI they know (CNI specification, "VERSION"), each file until it has said, for it is looked at again
 * and again and seldom another. One that does not answer as it should knows none for now: it may fail for want of something else, which
 * comes without a change of its file.
 */
export function pluginVersions(limitMs = LIMIT_MS): (plugin: string) => readonly string[] {
  const known = new Map<string, Known>();
  return (plugin) => {
    const file = fileText(plugin);
    const before = known.get(plugin);
    const { versions, hangs } = before?.file === file ? before : { versions: undefined, hangs: 0 };
    if (versions !== undefined || hangs >= MAX_HANGS) return versions ?? [];
    const answer = ask(plugin, limitMs);
    const said = answer === 'hangs' ? undefined : answer;
    known.set(plugin, { file, ...(said && { versions: said }), hangs: answer === 'hangs' ? hangs + 1 : hangs });
    return said ?? [];
  };
}

function fileText(plugin: string): string {
  const { ino, size, mtimeMs } = statSync(plugin);
  return `${ino} ${size} ${mtimeMs}`;
}

/** Undefined for one that fails. */
function ask(plugin: string, limitMs: number): readonly string[] | 'hangs' | undefined {
  // One that ends before it has read what it is asked has answered all the same.
  const { status, stdout, error } = spawnSync(plugin, {
    ...{ input: '{"cniVersion":"1.0.0"}', env: { CNI_COMMAND: 'VERSION' }, timeout: limitMs },
    // It is not asked to end.
    killSignal: 'SIGKILL',
    ...{ encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] },
  });
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ETIMEDOUT') return 'hangs';
  return status === 0 ? supportedVersions(stdout) : undefined;
}

function supportedVersions(answer: string): readonly string[] | undefined {
  try {
    const { supportedVersions: versions } = JSON.parse(answer) as { readonly supportedVersions?: unknown };
    return Array.isArray(versions) ? versions.filter((one) => typeof one === 'string') : undefined;
  } catch {
    return undefined;
  }
}
