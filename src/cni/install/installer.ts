import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../../config/datastore.ts';
import { SettingsError } from '../../config/settings-error.ts';
import { InvalidValueError } from '../../model/invalid.ts';
import { systemClock } from '../../runtime/clock.ts';
import { installCni } from './install.ts';
import type { InstallReport } from './install.ts';
import { pluginVersions } from './plugin-versions.ts';
import { installSettings } from './settings.ts';
import type { InstallFlags, InstallSettings } from './settings.ts';

/**
 * Reads the settings anew each time, so that a template that changed is seen; the first time now. Throws
 * SettingsError or InstallError.
 */
export function cniInstaller(env: Environment, flags: InstallFlags = {}): () => InstallReport {
  const ports = { wallTime: () => systemClock.wallTime(), arch: process.arch, versionsOf: pluginVersions() };
  const read = (): InstallSettings => installSettings(env, flags, ownPlugins());
  asSettings(read);
  return () => asSettings(() => installCni(read(), ports));
}

/** All values that are wrong here come out of the environment, also those inside a template. */
function asSettings<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof InvalidValueError ? new SettingsError(error.message, { cause: error }) : error;
  }
}

/** Beside the bundle that we are in, or, from source, where the build puts it. */
function ownPlugins(): string {
  const beside = join(import.meta.dirname, 'cni');
  return existsSync(beside) ? beside : join(import.meta.dirname, '..', '..', '..', 'dist', 'cni');
}
