import { DATASTORE_VARIABLES } from '../config/datastore.ts';
import type { Environment } from '../config/datastore.ts';
import type { HostReader } from '../host/reader.ts';
import { nearest } from '../model/nearest.ts';
import { CommandError } from './io.ts';
import type { ManifestDocument } from './manifest/manifest.ts';
import { parseManifest } from './manifest/manifest.ts';

const HEAD = { apiVersion: 'projectcalico.org/v3', kind: 'CalicoAPIConfig' } as const;

/** The fields under `spec`, and the variables that say the same. `fileDatastore` is ours. */
const FIELDS: Readonly<Record<string, string>> = {
  datastoreType: 'DATASTORE_TYPE',
  fileDatastore: 'CALICO_FILE_DATASTORE',
  etcdEndpoints: 'ETCD_ENDPOINTS',
  etcdDiscoverySrv: 'ETCD_DISCOVERY_SRV',
  etcdUsername: 'ETCD_USERNAME',
  etcdPassword: 'ETCD_PASSWORD',
  etcdKeyFile: 'ETCD_KEY_FILE',
  etcdCertFile: 'ETCD_CERT_FILE',
  etcdCACertFile: 'ETCD_CA_CERT_FILE',
  etcdKey: 'ETCD_KEY',
  etcdCert: 'ETCD_CERT',
  etcdCACert: 'ETCD_CA_CERT',
};

/** For the Kubernetes datastore: known, and without a say as long as another one is named. */
const KUBERNETES = [
  'kubeconfig',
  'k8sAPIEndpoint',
  'k8sKeyFile',
  'k8sCertFile',
  'k8sCAFile',
  'k8sAPIToken',
  'k8sInsecureSkipTLSVerify',
  'k8sCurrentContext',
  'k8sKubeconfigInline',
  'k8sClientQPS',
];

/**
 * The environment with what a CalicoAPIConfig file says of the datastore in place of its own: as in calicoctl the file alone counts
 * where there is one. Throws CommandError with the line.
 */
export function withConfigFile(env: Environment, path: string, reader: HostReader): Environment {
  const text = reader.text(path);
  if (text === undefined) throw new CommandError(`Error reading config file: ${path}`);
  const [document, ...others] = parseManifest({ path, text });
  if (document === undefined || others.length > 0) throw new CommandError(`${path}: is not one CalicoAPIConfig`);
  const rest = Object.entries(env).filter(([name]) => !DATASTORE_VARIABLES.includes(name));
  return { ...Object.fromEntries(rest), ...variablesOf(document) };
}

function variablesOf(document: ManifestDocument): Environment {
  const { spec, metadata, ...head } = document.value as Readonly<Record<string, unknown>>;
  for (const [name, wanted] of Object.entries(HEAD)) {
    if (head[name] !== wanted) throw fault(document, name, `${show(head[name] ?? '')}: is not ${wanted}`);
  }
  const stranger = Object.keys(head).find((name) => !Object.hasOwn(HEAD, name));
  if (stranger !== undefined) throw fault(document, stranger, `is not a field of CalicoAPIConfig`);
  if (metadata !== undefined && metadata !== null && typeof metadata !== 'object') {
    throw fault(document, 'metadata', `${show(metadata)}: is not an object`);
  }
  return Object.fromEntries(
    Object.entries(spec ?? {})
      .filter(([name]) => !KUBERNETES.includes(name))
      .map(([name, value]: readonly [string, unknown]) => [variableOf(document, name), textOf(document, name, value)]),
  );
}

function variableOf(document: ManifestDocument, name: string): string {
  const variable = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
  if (variable !== undefined) return variable;
  const meant = nearest(name, Object.keys(FIELDS), Math.max(1, Math.floor(name.length / 4)));
  const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
  throw fault(document, `spec.${name}`, `is not a field of CalicoAPIConfig.spec${hint}`);
}

function textOf(document: ManifestDocument, name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw fault(document, `spec.${name}`, `${show(value)}: is not a string`);
}

const show = (value: unknown): string => `'${typeof value === 'string' ? value : JSON.stringify(value)}'`;

const fault = ({ where }: ManifestDocument, field: string, reason: string): CommandError =>
  new CommandError(`${where(field)}: ${field} = ${reason}`.replace(/ = is /, ': is '));
