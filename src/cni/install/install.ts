/**
 * Puts the plugin and its configuration where a container runtime looks. The order is the point: a runtime takes a node
 * for ready once there is a configuration, so every plugin that it names is there before, and a plugin that is missing
 * leaves the configuration as it was.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PLUGIN_TYPE, makeConflist } from './conflist.ts';
import { place, removeUnfinished } from './place.ts';
import type { InstallSettings } from './settings.ts';

export interface InstallReport {
  /** Paths that were written or removed, in order: `wrote /opt/cni/bin/calico-cni-ts`. */
  readonly done: readonly string[];
  /** What is as it should be already, or is left alone by SKIP_ or UPDATE_CNI_BINARIES. */
  readonly left: readonly string[];
}

export interface InstallPorts {
  /** Milliseconds since 1970, as file times are. */
  wallTime(): number;
  /** As Node has it: x64, arm64. */
  readonly arch: string;
  /** The versions of CNI that a plugin says it knows; none where it does not say. */
  versionsOf(plugin: string): readonly string[];
}

/** One sentence: what is missing, and what to do about it. */
export class InstallError extends Error {
  override readonly name = 'InstallError';
}

const BINARY_MODE = 0o755;
/** As in Calico: a template may hold a token. */
const CONF_MODE = 0o600;
/** No installation takes that long. */
const UNFINISHED_MS = 60_000;

/** May be called again at any time; throws InstallError, or InvalidValueError for a template that is none. */
export function installCni(settings: InstallSettings, ports: InstallPorts): InstallReport {
  const { binDirectory, netDirectory, confName, oldConfName } = settings;
  const conflist = makeConflist(settings.conflist);
  const [done, left]: [string[], string[]] = [[], []];
  const put = (path: string, content: Buffer, mode: number): void => {
    removeUnfinished(path, { now: ports.wallTime(), ageMs: UNFINISHED_MS });
    if (place({ path, content, mode })) done.push(`wrote ${path}`);
    else left.push(path);
  };
  for (const type of new Set(conflist.types)) {
    const path = join(binDirectory, type);
    if (isLeftAlone(settings, type, path)) left.push(path);
    else put(path, readPlugin(settings, type, ports.arch), BINARY_MODE);
  }
  const path = join(netDirectory, confName);
  const text = conflist.text((type) => ports.versionsOf(join(binDirectory, type)));
  put(path, Buffer.from(text), CONF_MODE);
  const old = oldConfName === undefined || oldConfName === confName ? undefined : join(netDirectory, oldConfName);
  if (old !== undefined && existsSync(old)) {
    rmSync(old);
    done.push(`removed ${old}`);
  }
  return { done, left };
}

/** Somebody else's plugin that is there is never replaced: it is as new as its owner wants it. */
function isLeftAlone({ skipped, isUpdating }: InstallSettings, type: string, path: string): boolean {
  if (!existsSync(path)) {
    if (skipped.has(type)) throw new InstallError(`SKIP_CNI_BINARIES = '${type}': and there is no ${path}`);
    return false;
  }
  return type !== PLUGIN_TYPE || skipped.has(type) || !isUpdating;
}

function readPlugin({ ownDirectory, otherDirectories }: InstallSettings, type: string, arch: string): Buffer {
  const candidates =
    type === PLUGIN_TYPE
      ? [join(ownDirectory, `${PLUGIN_TYPE}-${arch}`)]
      : otherDirectories.map((directory) => join(directory, type));
  const found = candidates.find((path) => existsSync(path));
  if (found !== undefined) return readFileSync(found);
  throw new InstallError(
    type === PLUGIN_TYPE
      ? `the plugin is not there: ${candidates.join(', ')}; npm run build:cni makes it`
      : `the configuration chains ${type}, which is in none of ${otherDirectories.join(', ')}: Debian has it in containernetworking-plugins`,
  );
}
