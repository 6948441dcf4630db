/** What `install-cni` is told: Calico's names where Calico has one (its image's install-cni), ours are marked. */
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { SOCKET_NAME } from '../../config/socket-name.ts';
import type { Environment } from '../../config/datastore.ts';
import { InvalidValueError } from '../../model/invalid.ts';
import type { ChainedPlugin, ConflistSettings } from './conflist.ts';
import { CHAINABLE_NAMES, isChainable } from './conflist.ts';

/** On the host. */
export interface CniPlaces {
  /** Where the runtime looks for plugins. */
  readonly binDirectory: string;
  /** Where it looks for configurations. */
  readonly netDirectory: string;
  readonly confName: string;
}

export interface InstallSettings extends CniPlaces {
  /** Where ours lies, named after the architecture. */
  readonly ownDirectory: string;
  /** Where chained plugins are looked for that `binDirectory` has not. */
  readonly otherDirectories: readonly string[];
  /** Removed once the new one is there. */
  readonly oldConfName: string | undefined;
  readonly skipped: ReadonlySet<string>;
  /** Whether a binary that is there is replaced. */
  readonly isUpdating: boolean;
  readonly conflist: ConflistSettings;
}

export interface InstallFlags {
  readonly binDir?: string;
  readonly netDir?: string;
}

/** In a container the host's directories are mounted here. */
const MOUNTED = '/host';

const valueOf = (env: Environment, name: string, otherwise: string): string => env[name]?.trim() || otherwise;

/** Throws InvalidValueError with the name of the variable. */
export const cniPlaces = (env: Environment, flags: InstallFlags = {}): CniPlaces => ({
  binDirectory: flags.binDir ?? mounted('/opt/cni/bin') ?? valueOf(env, 'CNI_BIN_DIR', '/opt/cni/bin'),
  netDirectory: flags.netDir ?? mounted('/etc/cni/net.d') ?? netDirectoryTold(env),
  confName: fileName('CNI_CONF_NAME', valueOf(env, 'CNI_CONF_NAME', '10-calico.conflist')),
});

const netDirectoryTold = (env: Environment): string => valueOf(env, 'CNI_NET_DIR', '/etc/cni/net.d');

/** Throws InvalidValueError with the name of the variable. `ownDirectory`: where this installation's plugins lie. */
export function installSettings(env: Environment, flags: InstallFlags, ownDirectory: string): InstallSettings {
  const value = (name: string, otherwise: string): string => valueOf(env, name, otherwise);
  const oldConfName = value('CNI_OLD_CONF_NAME', '');
  return {
    ...cniPlaces(env, flags),
    ownDirectory,
    otherDirectories: ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni'],
    oldConfName: oldConfName === '' ? undefined : fileName('CNI_OLD_CONF_NAME', oldConfName),
    skipped: new Set(words(value('SKIP_CNI_BINARIES', ''))),
    isUpdating: value('UPDATE_CNI_BINARIES', 'true').toLowerCase() === 'true',
    conflist: {
      ...template(env),
      chained: chained(value('CALICO_CNI_CHAIN', 'portmap')), // ours
      socket: join(value('CALICO_RUN_DIR', '/var/run/calico'), SOCKET_NAME), // ours
      values: placeholders(env, netDirectoryTold(env)),
    },
  };
}

const mounted = (path: string): string | undefined => (existsSync(MOUNTED + path) ? MOUNTED + path : undefined);

const words = (text: string): readonly string[] =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean);

function fileName(field: string, text: string): string {
  if (/^[^/.][^/]*\.(conflist|conf|json)$/.test(text)) return text;
  throw new InvalidValueError(field, text, 'is not the name of a file that ends with .conflist, as runtimes want it');
}

function chained(text: string): readonly ChainedPlugin[] {
  if (text === 'none') return [];
  const names = words(text);
  const unknown = names.find((name) => !isChainable(name));
  if (unknown === undefined) return names.filter(isChainable);
  throw new InvalidValueError('CALICO_CNI_CHAIN', unknown, `is not one of ${CHAINABLE_NAMES.join(', ')}, or none`);
}

/** The text goes before the file. */
function template(env: Environment): { readonly templateFrom: string; readonly template?: string } {
  const text = env['CNI_NETWORK_CONFIG']?.trim();
  const file = env['CNI_NETWORK_CONFIG_FILE']?.trim();
  if (text) return { templateFrom: 'CNI_NETWORK_CONFIG', template: text };
  if (!file) return { templateFrom: 'our own conflist' };
  try {
    return { templateFrom: file, template: readFileSync(file, 'utf8') };
  } catch (error) {
    throw new InvalidValueError('CNI_NETWORK_CONFIG_FILE', file, `cannot be read: ${(error as Error).message}`);
  }
}

function placeholders(env: Environment, netDir: string): ReadonlyMap<string, string> {
  const mtu = env['CNI_MTU']?.trim() || '0';
  if (!/^\d{1,5}$/.test(mtu) || Number(mtu) > 65_535) throw new InvalidValueError('CNI_MTU', mtu, 'is no MTU');
  const same = (name: string, otherwise: string): readonly [string, string] => [
    `__${name}__`,
    env[name]?.trim() || otherwise,
  ];
  const node = env['KUBERNETES_NODE_NAME'] ?? env['NODENAME'] ?? hostname();
  return new Map([
    ['__KUBERNETES_NODE_NAME__', node.trim()],
    ['__CNI_MTU__', mtu],
    ['__KUBECONFIG_FILENAME__', env['KUBECONFIG_FILE_NAME']?.trim() || 'calico-kubeconfig'],
    same('KUBECONFIG_FILEPATH', `${netDir}/calico-kubeconfig`),
    same('LOG_LEVEL', 'info'),
    same('LOG_FILE_PATH', '/var/log/calico/cni/cni.log'),
    same('LOG_FILE_MAX_SIZE', '100'),
    same('LOG_FILE_MAX_AGE', '30'),
    same('LOG_FILE_MAX_COUNT', '10'),
    same('KUBERNETES_SERVICE_HOST', ''),
    same('KUBERNETES_SERVICE_PORT', ''),
    same('SERVICEACCOUNT_TOKEN', ''),
    same('ETCD_ENDPOINTS', ''),
    same('ETCD_DISCOVERY_SRV', ''),
    ...['ETCD_KEY_FILE', 'ETCD_CERT_FILE', 'ETCD_CA_CERT_FILE'].map((name) => same(name, '')),
  ]);
}
