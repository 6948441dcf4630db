import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '../../src/datastore/open.ts';
import { createResourceClient } from '../../src/resources/index.ts';
import { isRoot, makeNetns } from '../support/netns.ts';
import type { TestNetns } from '../support/netns.ts';

const AGENT = 'src/main.ts';
const CLI = 'src/cli/main.ts';
/** The agent in a process that takes itself for an older one. */
const OLD_NODE = "Object.defineProperty(process.versions, 'node', { value: '20.20.2' }); import('./src/main.ts');";

/** Wrong input to the agent and the CLI as a user meets it: one sentence, an exit code, and nothing changed. */
describe.skipIf(!isRoot && process.env['CI'] === undefined)('wrong input', () => {
  let netns: TestNetns;
  let directory = '';

  beforeEach(() => {
    netns = makeNetns('ctb-node');
    netns.run('ip', 'link', 'set', 'lo', 'up');
    netns.run('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'peer0');
    netns.run('ip', 'addr', 'add', '172.30.1.11/24', 'dev', 'eth0');
    for (const name of ['eth0', 'peer0']) netns.run('ip', 'link', 'set', name, 'up');
    directory = mkdtempSync(join(tmpdir(), 'calico-ts-bad-'));
  });
  afterEach(() => {
    netns.remove();
    rmSync(directory, { recursive: true, force: true });
  });

  const datastore = (): string => join(directory, 'store');
  const env = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
    PATH: process.env['PATH'] ?? '',
    NODENAME: 'node-a1',
    IP: 'autodetect',
    IP_AUTODETECTION_METHOD: 'interface=eth0',
    DATASTORE_TYPE: 'file',
    CALICO_FILE_DATASTORE: datastore(),
    CALICO_RUN_DIR: join(directory, 'run'),
    CALICO_NODENAME_FILE: join(directory, 'nodename'),
    CALICO_LOG_LEVEL: 'silent',
    ...more,
  });

  interface Outcome {
    readonly status: number | null;
    readonly stderr: string;
  }
  const inNetns = (command: readonly string[], settings: Record<string, string>): Outcome =>
    spawnSync('ip', ['netns', 'exec', 'ctb-node', ...command], { env: settings, encoding: 'utf8', timeout: 30_000 });
  const agent = (more?: Readonly<Record<string, string>>, ...wrapper: readonly string[]): Outcome =>
    inNetns([...wrapper, process.execPath, AGENT], env(more));
  const cli = (args: readonly string[], input = ''): Outcome =>
    spawnSync(process.execPath, [CLI, ...args], { env: env(), encoding: 'utf8', input, timeout: 30_000 });

  const nothingChanged = (): void => {
    expect(netns.run('ip', 'route', 'show', 'proto', '80')).toBe('');
    expect(netns.run('ip', '-br', 'link').match(/^(vxlan|cali)\S*/gm)).toBeNull();
  };

  test('a setting: exit 2, the variable and its value, and no datastore is made', () => {
    expect(agent({ CALICO_IPV4POOL_CIDR: '192.168.0.0/33' })).toMatchObject({
      status: 2,
      stderr: "calico-node-ts: CALICO_IPV4POOL_CIDR = '192.168.0.0/33': has no prefix length between 0 and 32\n",
    });
    expect(readdirSync(directory)).toEqual([]);
    nothingChanged();
  });

  test('a flag: exit 2', () => {
    expect(inNetns([process.execPath, AGENT, '--colour'], env())).toMatchObject({
      status: 2,
      stderr: "error: unknown option '--colour'\n",
    });
  });

  test('no right to program routes', () => {
    const { status, stderr } = agent({}, 'setpriv', '--bounding-set=-net_admin', '--inh-caps=-net_admin');
    expect(stderr).toMatch(/^calico-node-ts: this needs root or CAP_NET_ADMIN to program routes: [^\n]*\n$/);
    expect(status).toBe(1);
    nothingChanged();
  });

  test('a datastore that nobody serves', () => {
    const { status, stderr } = agent({ DATASTORE_TYPE: 'etcdv3', ETCD_ENDPOINTS: 'http://127.0.0.1:1' });
    expect(stderr).toMatch(/^calico-node-ts: etcd at http:\/\/127\.0\.0\.1:1 does not answer: [^\n]*\n$/);
    expect(status).toBe(1);
    nothingChanged();
  });

  test('port 179 in use', async () => {
    const holder = spawnHolder();
    const listening = await holder;
    try {
      const { status, stderr } = agent();
      expect(stderr).toBe(
        'calico-node-ts: port 179 is in use by another process on this host (BGPConfiguration.spec.listenPort)\n',
      );
      expect(status).toBe(1);
      const store = await openStore({ type: 'file', directory: datastore() });
      expect(await createResourceClient(store).list('Node')).toEqual([]);
      await store.close();
      nothingChanged();
    } finally {
      listening.close();
    }
  });

  test("a pool over the nodes' subnet, and an address that another node has", async () => {
    expect(agent({ CALICO_IPV4POOL_CIDR: '172.30.0.0/16' })).toMatchObject({
      status: 1,
      stderr:
        "calico-node-ts: CALICO_IPV4POOL_CIDR = '172.30.0.0/16': overlaps the subnet of this node's own address 172.30.1.11/24\n",
    });
    const store = await openStore({ type: 'file', directory: datastore() });
    await createResourceClient(store).create({
      apiVersion: 'projectcalico.org/v3',
      kind: 'Node',
      metadata: { name: 'other' },
      spec: { bgp: { ipv4Address: '172.30.1.11/24' } },
    });
    await store.close();
    const { status, stderr } = agent();
    expect(stderr).toContain(
      "spec.bgp.ipv4Address = '172.30.1.11/24': 172.30.1.11 is already the address of Node(other)",
    );
    expect(status).toBe(1);
    nothingChanged();
  });

  test('a socket that cannot be had ends the agent at once, with nothing left at work', () => {
    writeFileSync(join(directory, 'file'), '');
    const { status, stderr } = agent({ CALICO_RUN_DIR: join(directory, 'file') });
    expect(stderr).toMatch(/^calico-node-ts: CALICO_RUN_DIR = '[^']*\/file': cannot be made: [^\n]*\n$/);
    expect(status).toBe(1);
    nothingChanged();
  });

  test('a Node that is too old for the agent says so at once', () => {
    expect(spawnSync(process.execPath, ['-e', OLD_NODE], { env: env(), encoding: 'utf8' })).toMatchObject({
      status: 1,
      stderr: 'calico-node-ts: Node 22.12 or later is needed, this is 20.20.2: node_modules/.bin/node is one\n',
    });
  });

  test('resources: the field, its value, and nothing stored', () => {
    const peer = (spec: string): string =>
      `apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: tor}\nspec: ${spec}\n`;
    const refused = (spec: string): string => {
      const { status, stderr } = cli(['apply', '-f', '-'], peer(spec));
      expect(status).toBe(1);
      return stderr;
    };
    expect(refused('{peerIP: 10.0.0.1, asNumber: 4294967296}')).toContain("spec.asNumber = '4294967296'");
    expect(refused('{peerIP: 10.0.0.256, asNumber: 1}')).toContain("spec.peerIP = '10.0.0.256'");
    expect(refused('{peerIP: 10.0.0.1, asNumbre: 1}')).toContain('did you mean "asNumber"?');
    expect(cli(['get', 'bgppeers', '-o', 'json'])).toMatchObject({ status: 0, stderr: '' });
    expect(cli(['get', 'bgppeer', 'tor'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('resource does not exist: BGPPeer(tor)') as string,
    });
  });

  test('the CLI: unknown verbs and flags, and no agent', () => {
    expect(cli(['nod', 'status'])).toMatchObject({
      status: 64,
      stderr: expect.stringContaining("unknown command 'nod'") as string,
    });
    expect(cli(['node', 'status', '--sokcet', 'x'])).toMatchObject({
      status: 64,
      stderr: expect.stringContaining("unknown option '--sokcet'") as string,
    });
    expect(cli(['node', 'status'])).toMatchObject({
      status: 2,
      stderr: `Calico process is not running.\ncalico-node-ts is not running here: there is no ${join(directory, 'run', 'calico-ts.sock')}\n`,
    });
  });

  /** Listens on port 179 inside the namespace, from a process of its own. */
  async function spawnHolder(): Promise<{ close: () => void }> {
    const code = "require('net').createServer().listen(179, '0.0.0.0', () => console.log('ready'))";
    const child = spawn('ip', ['netns', 'exec', 'ctb-node', process.execPath, '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise<void>((resolve) => void child.stdout.once('data', () => resolve()));
    return { close: () => void child.kill('SIGKILL') };
  }
});
