import { beforeEach, describe, expect, test } from 'vitest';
import { CNI_CODE, CniError } from '../../../src/cni/errors.ts';
import { hostInterfaceName } from '../../../src/cni/names.ts';
import type { CniPorts } from '../../../src/cni/verbs.ts';
import { CniVerbs } from '../../../src/cni/verbs.ts';
import { SUPPORTED_VERSIONS } from '../../../src/cni/versions.ts';
import { UnavailableError } from '../../../src/datastore/store.ts';
import { call, networkConfiguration } from '../../support/cni-calls.ts';
import type { CniReply, Sandbox } from '../../support/cni-calls.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeHost } from '../../support/fake-host.ts';
import { memoryLogger } from '../../support/memory-logger.ts';
import type { LogLine } from '../../support/memory-logger.ts';

const WEB: Sandbox = { containerId: 'c1', pod: 'web-0' };
const NAME = hostInterfaceName({ orchestrator: 'k8s', namespace: 'default', pod: 'web-0' });
const NOTHING = { links: [], handles: [], endpoints: [] };

let host: FakeHost;
let clock: FakeClock;
let lines: readonly LogLine[];
let ports: CniPorts;

beforeEach(() => {
  host = new FakeHost(['c1', 'c2', 'c3'].map((name) => `/var/run/netns/${name}`));
  clock = new FakeClock();
  const logger = memoryLogger();
  lines = logger.lines;
  ports = {
    ...{ pods: host.ports(), clock, log: logger.log },
    requireWritable: () => undefined,
    requireKnowledge: () => undefined,
    requireReady: () => Promise.resolve(),
  };
});

const runtime = (verbs = new CniVerbs(ports)) => {
  const answers = verbs.answer.bind(verbs);
  return (command: string, sandbox?: Sandbox, fields?: object): Promise<CniReply> =>
    call(answers, command, { ...(sandbox && { sandbox }), config: networkConfiguration(fields) });
};

describe('ADD', () => {
  test('says what it made: both interfaces, the addresses of the pod’s, the way out', async () => {
    const { code, said } = await runtime()('ADD', WEB, { ipam: { assign_ipv6: true }, mtu: 1400 });
    expect(code).toBe(0);
    expect(said).toEqual({
      cniVersion: '1.1.0',
      interfaces: [
        { name: NAME, mac: 'ee:ee:ee:ee:ee:ee', mtu: 1400 },
        { name: 'eth0', mac: '0a:00:00:00:00:01', mtu: 1400, sandbox: '/var/run/netns/c1' },
      ],
      ips: [
        { address: '192.168.0.1/32', interface: 1 },
        { address: 'fd00::1/128', interface: 1 },
      ],
      routes: [
        { dst: '0.0.0.0/0', gw: '169.254.1.1' },
        { dst: '::/0', gw: 'fe80::ecee:eeff:feee:eeee' },
      ],
      dns: {},
    });
  });

  test.each(SUPPORTED_VERSIONS)('twice says the same twice, in %s', async (cniVersion) => {
    const runs = runtime();
    const first = await runs('ADD', WEB, { cniVersion });
    const state = host.state();
    expect(await runs('ADD', WEB, { cniVersion })).toEqual(first);
    expect(first.said).toMatchObject({ cniVersion });
    expect(host.state()).toEqual(state);
  });

  test('keys that change nothing are told once', async () => {
    const runs = runtime();
    for (let i = 0; i < 2; i++) await runs('ADD', WEB, { policy: { type: 'k8s' }, kubernetes: {} });
    expect(lines.filter(({ message }) => message.startsWith('keys of'))).toMatchObject([
      { fields: { keys: ['policy', 'kubernetes'] } },
    ]);
  });

  test.each<[string, { sandbox?: Sandbox; fields?: object; code: number; message: RegExp }]>([
    ['a version of tomorrow', { fields: { cniVersion: '2.0.0' }, code: 1, message: /^cniVersion = '2.0.0': is not/ }],
    [
      'a namespace that is gone',
      {
        sandbox: { ...WEB, netns: '/var/run/netns/x' },
        code: 4,
        message: /^CNI_NETNS = '\/var\/run\/netns\/x': is not there$/,
      },
    ],
    [
      'a pod whose name is none',
      { sandbox: { ...WEB, pod: 'Web' }, code: 4, message: /^CNI_ARGS: K8S_POD_NAME = 'Web': is not a lower-case/ },
    ],
    [
      'a container whose name is none',
      { sandbox: { containerId: 'C_1' }, code: 4, message: /^CNI_CONTAINERID = 'C_1': is not a lower-case/ },
    ],
    ['no address left', { fields: { ipam: { ipv4_pools: ['full'] } }, code: 110, message: /^no free IPv4 address$/ }],
    ['a previous result that is none', { fields: { prevResult: { ips: 1 } }, code: 7, message: /^prevResult.ips: / }],
  ])('%s', async (_, { sandbox = WEB, fields, code, message }) => {
    const reply = await runtime()('ADD', sandbox, fields);
    expect(reply).toMatchObject({ code, said: { code, msg: expect.stringMatching(message) as string } });
    expect(host.state()).toEqual(NOTHING);
  });

  test('while the datastore is away is to be tried again', async () => {
    const pods = { ...ports.pods, assign: () => Promise.reject(new UnavailableError('etcd does not answer')) };
    ports = { ...ports, pods };
    expect(await runtime()('ADD', WEB)).toMatchObject({ code: 11, said: { msg: 'etcd does not answer' } });
  });

  test('that takes longer than 90 s is answered then, and takes back what it made', async () => {
    const letGo = host.pauseBefore('addInterface');
    const reply = runtime()('ADD', WEB);
    await clock.advance(89_999);
    expect(host.state().handles).toHaveLength(1);
    await clock.advance(1);
    expect(await reply).toMatchObject({ code: 11, said: { msg: 'ADD was not done within 90 s' } });
    letGo();
    await new Promise((resolve) => setImmediate(resolve));
    expect(host.state()).toEqual(NOTHING);
    expect(clock.pending).toBe(0);
  });
});

describe('DEL', () => {
  test.each<[string, Sandbox, object]>([
    ['as it came', WEB, {}],
    ['without a namespace', { ...WEB, netns: '' }, {}],
    ['with a configuration that has faults by now', WEB, { mtu: 'x', nodename: 'other', ipam: { type: 'host-local' } }],
    ['without its pod', { containerId: 'c1' }, {}],
  ])('%s: all goes, and again there is nothing to do', async (_, sandbox, fields) => {
    const runs = runtime();
    await runs('ADD', WEB);
    for (let i = 0; i < 2; i++) expect(await runs('DEL', sandbox, fields)).toEqual({ code: 0, said: undefined });
    expect(host.state()).toEqual(NOTHING);
  });

  test('of what never came is a success', async () => {
    expect(await runtime()('DEL', { containerId: 'c3' })).toEqual({ code: 0, said: undefined });
  });
});

test('GC leaves a pod whose ADD is at work, or came after GC began: the runtime could not name it', async () => {
  const runs = runtime();
  const [letAddGo, letGcGo] = [host.pauseBefore('putEndpoint'), host.pauseBefore('endpoints')];
  const early = runs('ADD', WEB);
  await clock.advance(0);
  const collecting = runs('GC', undefined, { 'cni.dev/valid-attachments': [] });
  await clock.advance(0);
  letAddGo();
  const late = runs('ADD', { containerId: 'c2', pod: 'web-1' });
  expect(await Promise.all([early, late])).toMatchObject([{ code: 0 }, { code: 0 }]);
  letGcGo();
  expect(await collecting).toEqual({ code: 0, said: undefined });
  expect(host.state().handles).toEqual(['k8s-pod-network.c1', 'k8s-pod-network.c2']);
  // The next GC is of a runtime that knows them.
  await runs('GC', undefined, { 'cni.dev/valid-attachments': [{ containerID: 'c2', ifname: 'eth0' }] });
  expect(host.state().handles).toEqual(['k8s-pod-network.c2']);
});

describe('VERSION', () => {
  test('says the caller’s version and all that are spoken, also to one who says nothing', async () => {
    const verbs = new CniVerbs(ports);
    expect(await runtime(verbs)('VERSION', undefined, { cniVersion: '0.4.0' })).toEqual({
      code: 0,
      said: { cniVersion: '0.4.0', supportedVersions: ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] },
    });
    const { code, body } = await verbs.answer({ command: 'VERSION' }, new Uint8Array());
    expect([code, body]).toEqual([0, expect.stringContaining('"cniVersion":"1.1.0"')]);
  });
});

describe('STATUS', () => {
  test('is silent where an ADD would work, and has the reason where it would not', async () => {
    expect(await runtime()('STATUS')).toEqual({ code: 0, said: undefined });
    const reason = new CniError(CNI_CODE.unavailable, 'no free address in p1 (10.0.0.0/24)');
    ports = { ...ports, requireReady: () => Promise.reject(reason) };
    expect(await runtime()('STATUS')).toEqual({
      code: 50,
      said: { cniVersion: '1.1.0', code: 50, msg: 'no free address in p1 (10.0.0.0/24)' },
    });
    // It is asked every few seconds.
    expect(lines.filter(({ level }) => level === 'warn')).toEqual([]);
    await runtime()('ADD', WEB, { mtu: -1 });
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });
});

test('what may not be written is to be tried again, whatever the verb', async () => {
  const locked = new CniError(CNI_CODE.tryAgainLater, 'the datastore is locked');
  ports = {
    ...ports,
    requireWritable: () => {
      throw locked;
    },
  };
  for (const verb of ['ADD', 'DEL', 'GC']) {
    expect(await runtime()(verb, WEB, { 'cni.dev/valid-attachments': [] })).toMatchObject({ code: 11 });
  }
  expect(host.calls).toEqual([]);
});
