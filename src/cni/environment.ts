/** What a runtime says of a call beside the configuration: the CNI_ variables. */
import { CNI_CODE, CniError } from './errors.ts';
import type { Verb } from './versions.ts';
import { VERBS } from './versions.ts';

/** The variables as they came; absent and empty are the same. */
export interface CniEnvironment {
  readonly command?: string;
  readonly containerId?: string;
  readonly netns?: string;
  readonly ifName?: string;
  readonly args?: string;
}

const NAMES: Readonly<Record<keyof CniEnvironment, string>> = {
  command: 'CNI_COMMAND',
  containerId: 'CNI_CONTAINERID',
  netns: 'CNI_NETNS',
  ifName: 'CNI_IFNAME',
  args: 'CNI_ARGS',
};

const REQUIRED = {
  ADD: ['containerId', 'netns', 'ifName'],
  DEL: ['containerId', 'ifName'],
  CHECK: ['containerId', 'netns', 'ifName'],
  GC: [],
  STATUS: [],
  VERSION: [],
} as const satisfies Readonly<Record<Verb, readonly (keyof CniEnvironment)[]>>;

const CONTAINER_ID = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
/** IFNAMSIZ less the end of the string. */
const MAX_INTERFACE_OCTETS = 15;

const invalid = (message: string): CniError => new CniError(CNI_CODE.invalidEnvironment, message);

export function readVerb({ command = '' }: CniEnvironment): Verb {
  const verb = VERBS.find((each) => each === command);
  if (verb !== undefined) return verb;
  if (command === '') throw invalid('CNI_COMMAND is missing');
  throw invalid(`CNI_COMMAND = '${command}': is none of ${VERBS.join(', ')}`);
}

/** Throws CniError, which names each variable that the verb lacks, or the one that is not allowed. */
export function checkVariables(verb: Verb, environment: CniEnvironment): void {
  const missing = REQUIRED[verb].filter((key) => (environment[key] ?? '') === '').map((key) => NAMES[key]);
  if (missing.length > 0) {
    throw invalid(`${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing: ${verb} needs it`);
  }
  const { containerId = '', netns = '', ifName = '' } = environment;
  if (containerId !== '' && !CONTAINER_ID.test(containerId)) {
    throw invalid(
      `CNI_CONTAINERID = '${containerId}': must begin with a letter or digit and have only these, '_', '.' and '-'`,
    );
  }
  if (ifName !== '') checkInterfaceName(ifName);
  if (netns !== '' && !netns.startsWith('/')) throw invalid(`CNI_NETNS = '${netns}': is not an absolute path`);
}

function checkInterfaceName(name: string): void {
  const reason =
    name === '.' || name === '..'
      ? 'is not the name of an interface'
      : Buffer.byteLength(name) > MAX_INTERFACE_OCTETS
        ? `is longer than ${MAX_INTERFACE_OCTETS} octets`
        : /[/:\s]/.test(name)
          ? "has a '/', a ':' or a space in it"
          : undefined;
  if (reason !== undefined) throw invalid(`CNI_IFNAME = '${name}': ${reason}`);
}

/** Of CNI_ARGS, what is heeded. */
export interface CniArgs {
  readonly podName?: string;
  readonly podNamespace?: string;
  readonly ip?: string;
}

const HEEDED: ReadonlyMap<string, keyof CniArgs> = new Map([
  ['K8S_POD_NAME', 'podName'],
  ['K8S_POD_NAMESPACE', 'podNamespace'],
  ['IP', 'ip'],
]);
const KNOWN: ReadonlySet<string> = new Set([
  ...HEEDED.keys(),
  'K8S_POD_INFRA_CONTAINER_ID',
  'K8S_POD_UID',
  'IgnoreUnknown',
]);
/** As Go's ParseBool has them, which libcni reads it with. */
const TRUE: ReadonlySet<string> = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);

/** `K8S_POD_NAME=web-0;IgnoreUnknown=1`. A key that nobody knows is an error, unless IgnoreUnknown says otherwise (libcni). */
export function parseArgs(text: string | undefined): CniArgs {
  const pairs = (text ?? '')
    .split(';')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw invalid(`CNI_ARGS = '${text}': '${pair}' is not KEY=VALUE`);
      return [pair.slice(0, at), pair.slice(at + 1)] as const;
    });
  const isLenient = TRUE.has(new Map(pairs).get('IgnoreUnknown') ?? '');
  const unknown = pairs.find(([key]) => !KNOWN.has(key));
  if (unknown !== undefined && !isLenient) {
    throw invalid(`CNI_ARGS: ${unknown[0]} = '${unknown[1]}': is not known, and IgnoreUnknown is not set`);
  }
  const heeded = pairs.flatMap(([key, value]) => {
    const field = HEEDED.get(key);
    return field === undefined || value === '' ? [] : [[field, value] as const];
  });
  return Object.fromEntries(heeded);
}
