/** What stands in place of a secret. */
export const REMOVED = '(removed)';

const SECRET_NAME = /PASSW|SECRET|TOKEN|CREDENTIAL|(^|_)KEY$|KEY(DATA)?$/i;
/** The name of a file is none: only what is in it. */
const FILE_NAME = /_FILE$|FILE$|DIR$|PASSWORDS$/i;

export const isSecret = (name: string): boolean => SECRET_NAME.test(name) && !FILE_NAME.test(name);

/** User and password of a URL go, wherever they stand. */
export const withoutUrlSecrets = (text: string): string => text.replace(/(\w:\/\/)[^/@\s"']+@/g, `$1${REMOVED}@`);

/** `NAME=value` for each variable that is ours, in order; secrets are removed, that they were set is told. */
export function describeVariables(env: Readonly<Record<string, string | undefined>>): string {
  return Object.keys(env)
    .filter((name) => OURS.test(name))
    .sort()
    .map((name) => `${name}=${isSecret(name) ? REMOVED : withoutUrlSecrets(env[name] ?? '')}\n`)
    .join('');
}

const OURS = /^(CALICO|FELIX|ETCD|K8S|IP6?|AS|NODENAME|HOSTNAME|DATASTORE|NO_DEFAULT_POOLS|WAIT_FOR|KUBECONFIG)/;

/** A file of `name: value` or `name=value` lines, such as YAML, JSON and environment files. */
export const describeSettingsFile = (text: string): string =>
  text
    .split('\n')
    .map((line) => {
      const [, head = '', name = ''] = /^(\s*(?:-\s*|export\s+)?["']?([\w.-]+)["']?\s*[:=]\s*)\S/.exec(line) ?? [];
      return name !== '' && isSecret(name) ? `${head}${REMOVED}` : withoutUrlSecrets(line);
    })
    .join('\n');
