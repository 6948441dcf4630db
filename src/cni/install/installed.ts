import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { conflistTypes, PLUGIN_TYPE } from './conflist.ts';
import type { CniPlaces } from './settings.ts';

/**
 * What install-cni made that is there, in the order in which it goes: the configuration first, for a runtime whose plugin is gone fails, while
 * one without a configuration waits. A file of that name that another network has put there is not ours, nor are the plugins that we chain.
 */
export function installedCni({ binDirectory, netDirectory, confName }: CniPlaces): readonly string[] {
  const [conflist, plugin] = [join(netDirectory, confName), join(binDirectory, PLUGIN_TYPE)];
  return [...(isOurs(conflist) ? [conflist] : []), ...(existsSync(plugin) ? [plugin] : [])];
}

function isOurs(conflist: string): boolean {
  try {
    return conflistTypes(readFileSync(conflist, 'utf8'), conflist).includes(PLUGIN_TYPE);
  } catch {
    return false;
  }
}
