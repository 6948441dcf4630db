import { expect, test } from 'vitest';
import { checkVariables, parseArgs, readVerb } from '../../../src/cni/environment.ts';
import { CniError } from '../../../src/cni/errors.ts';
import { requireVersion } from '../../../src/cni/versions.ts';

const all = { containerId: 'c1', netns: '/var/run/netns/c1', ifName: 'eth0' };

/** `CODE sentence` of what `work` throws. */
function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof CniError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'accepted';
}

test('each verb says which variables it lacks, all of them in one sentence', () => {
  expect(refusal(() => checkVariables('ADD', {}))).toBe(
    '4 CNI_CONTAINERID and CNI_NETNS and CNI_IFNAME are missing: ADD needs it',
  );
  expect(refusal(() => checkVariables('ADD', { ...all, netns: '' }))).toBe('4 CNI_NETNS is missing: ADD needs it');
  expect(refusal(() => checkVariables('CHECK', { ...all, netns: '' }))).toBe('4 CNI_NETNS is missing: CHECK needs it');
  // The namespace may be gone by then.
  expect(refusal(() => checkVariables('DEL', { ...all, netns: '' }))).toBe('accepted');
  for (const verb of ['GC', 'STATUS', 'VERSION'] as const)
    expect(refusal(() => checkVariables(verb, {}))).toBe('accepted');
});

test.each([
  [
    'containerId',
    '-c',
    "4 CNI_CONTAINERID = '-c': must begin with a letter or digit and have only these, '_', '.' and '-'",
  ],
  [
    'containerId',
    'a/b',
    "4 CNI_CONTAINERID = 'a/b': must begin with a letter or digit and have only these, '_', '.' and '-'",
  ],
  ['ifName', '.', "4 CNI_IFNAME = '.': is not the name of an interface"],
  ['ifName', '..', "4 CNI_IFNAME = '..': is not the name of an interface"],
  ['ifName', 'sixteen_letters_', "4 CNI_IFNAME = 'sixteen_letters_': is longer than 15 octets"],
  ['ifName', 'a:b', "4 CNI_IFNAME = 'a:b': has a '/', a ':' or a space in it"],
  ['ifName', 'a b', "4 CNI_IFNAME = 'a b': has a '/', a ':' or a space in it"],
  ['netns', 'netns/c1', "4 CNI_NETNS = 'netns/c1': is not an absolute path"],
  ['containerId', 'a_b.C-9', 'accepted'],
  ['ifName', 'fifteen_letters', 'accepted'],
])('%s = %s', (key, value, expected) => {
  expect(refusal(() => checkVariables('ADD', { ...all, [key]: value }))).toBe(expected);
});

test('a verb is one of six', () => {
  expect(readVerb({ command: 'STATUS' })).toBe('STATUS');
  expect(refusal(() => readVerb({}))).toBe('4 CNI_COMMAND is missing');
  expect(refusal(() => readVerb({ command: 'add' }))).toBe(
    "4 CNI_COMMAND = 'add': is none of ADD, DEL, CHECK, GC, STATUS, VERSION",
  );
});

test('versions: what is not spoken, and what does not have the verb yet, is incompatible', () => {
  expect(requireVersion('0.3.1', 'ADD')).toBe('0.3.1');
  expect(requireVersion('1.1.0', 'GC')).toBe('1.1.0');
  expect(refusal(() => requireVersion('0.2.0', 'ADD'))).toBe(
    "1 cniVersion = '0.2.0': is not supported; supported are 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0",
  );
  expect(refusal(() => requireVersion(undefined, 'ADD'))).toMatch(/^1 cniVersion is missing; supported are/);
  expect(refusal(() => requireVersion('0.3.1', 'CHECK'))).toBe(
    "1 cniVersion = '0.3.1': does not have CHECK, which came with 0.4.0",
  );
  expect(refusal(() => requireVersion('1.0.0', 'STATUS'))).toMatch(/does not have STATUS, which came with 1.1.0$/);
});

test('CNI_ARGS as containerd and CRI-O write them', () => {
  const text =
    'IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0;K8S_POD_INFRA_CONTAINER_ID=c1;K8S_POD_UID=u;X=y';
  expect(parseArgs(text)).toEqual({ podName: 'web-0', podNamespace: 'default' });
  expect(parseArgs('IP=10.0.0.1')).toEqual({ ip: '10.0.0.1' });
  expect(parseArgs(undefined)).toEqual({});
  expect(parseArgs('K8S_POD_NAME=')).toEqual({});
});

test('CNI_ARGS: a key that nobody knows is refused, unless IgnoreUnknown is true', () => {
  const unknown = "4 CNI_ARGS: X = 'y': is not known, and IgnoreUnknown is not set";
  expect(refusal(() => parseArgs('X=y'))).toBe(unknown);
  expect(refusal(() => parseArgs('IgnoreUnknown=0;X=y'))).toBe(unknown);
  expect(refusal(() => parseArgs('X=y;IgnoreUnknown=true'))).toBe('accepted');
  expect(refusal(() => parseArgs('K8S_POD_NAME'))).toBe("4 CNI_ARGS = 'K8S_POD_NAME': 'K8S_POD_NAME' is not KEY=VALUE");
});
