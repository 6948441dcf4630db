import { beforeEach, describe, expect, test } from 'vitest';
import { KINDS, kindByAlias, kindTable } from '../../../src/resources/index.ts';
import type { Kind } from '../../../src/resources/index.ts';
import { FakeShell } from '../../support/cli.ts';
import { manifest } from '../../support/resources.ts';

let shell: FakeShell;

beforeEach(async () => {
  shell = new FakeShell();
  shell.files.peers = JSON.stringify([
    manifest('BGPPeer', { name: 'tor-a', labels: { rack: 'a' } }, { peerIP: '172.30.1.1', asNumber: 65001 }),
    manifest('BGPPeer', 'tor-b', { peerIP: '172.30.1.2', asNumber: 65002, node: 'n1' }),
  ]);
  await shell.run('apply', '-f', 'peers');
});

/** calicoctl's own words for kinds and columns: scripts know them. */
const CALICOS: readonly (readonly [Kind, string, string, string?])[] = [
  [
    'BGPConfiguration',
    'bgpconfiguration bgpconfigurations bgpconfig bgpconfigs',
    'NAME LOGSEVERITY MESHENABLED ASNUMBER',
  ],
  ['BGPPeer', 'bgppeer bgppeers bgpp bgpps bp bps', 'NAME PEERIP NODE ASN'],
  ['BGPFilter', 'bgpfilter bgpfilters bgpf bgpfs bf bfs', 'NAME NUMEXPORTV4 NUMIMPORTV4 NUMEXPORTV6 NUMIMPORTV6'],
  [
    'IPPool',
    'ippool ippools ipp ipps pool pools',
    'NAME CIDR SELECTOR',
    'NAME CIDR NAT IPIPMODE VXLANMODE DISABLED DISABLEBGPEXPORT SELECTOR ASSIGNMENTMODE',
  ],
  ['IPReservation', 'ipreservation ipreservations reservation reservations', 'NAME', 'NAME CIDRS'],
  [
    'IPAMConfiguration',
    'ipamconfiguration ipamconfigurations ipamconfig ipamconfigs',
    'NAME STRICTAFFINITY AUTOALLOCATEBLOCKS',
    'NAME STRICTAFFINITY AUTOALLOCATEBLOCKS MAXBLOCKSPERHOST',
  ],
  ['Node', 'node nodes no nos', 'NAME', 'NAME ASN IPV4 IPV6'],
  [
    'WorkloadEndpoint',
    'workloadendpoint workloadendpoints wep weps',
    'WORKLOAD NODE NETWORKS INTERFACE',
    'NAME WORKLOAD NODE NETWORKS INTERFACE PROFILES NATS',
  ],
  ['HostEndpoint', 'hostendpoint hostendpoints hep heps', 'NAME NODE', 'NAME NODE INTERFACE IPS PROFILES'],
  [
    'ClusterInformation',
    'clusterinformation clusterinformations clusterinfo clusterinfos',
    'NAME CLUSTERGUID CLUSTERTYPE CALICOVERSION DATASTOREREADY',
  ],
  ['CalicoNodeStatus', 'caliconodestatus caliconodestatuses nodestatus nodestatuses', 'NAME NODE', 'NAME NODE CLASSES'],
  ['FelixConfiguration', 'felixconfiguration felixconfigurations felixconfig felixconfigs', 'NAME'],
  [
    'KubeControllersConfiguration',
    'kubecontrollersconfiguration kubecontrollersconfigurations kubecontrollersconfig kubecontrollersconfigs',
    'NAME',
  ],
  ['NetworkPolicy', 'networkpolicy networkpolicies policy np pol', ''],
  ['GlobalNetworkPolicy', 'globalnetworkpolicy globalnetworkpolicies gnp', ''],
  ['NetworkSet', 'networkset networksets netset', ''],
  ['GlobalNetworkSet', 'globalnetworkset globalnetworksets gnetset', ''],
  ['Profile', 'profile profiles', ''],
  ['Tier', 'tier tiers', ''],
];

const headings = (columns: readonly { readonly heading: string }[]): string =>
  columns.map(({ heading }) => heading).join(' ');

test.each(CALICOS.map((row) => [row[0], row] as const))('%s is called and shown as in calicoctl', (_, row) => {
  const [kind, words, columns, wide = columns] = row;
  for (const word of words.split(' ')) expect([word, kindByAlias(word)]).toEqual([word, kind]);
  expect(kindByAlias(kind)).toBe(kind);
  if (columns === '') return;
  expect(headings(kindTable[kind].columns)).toBe(columns);
  expect(headings(kindTable[kind].wideColumns)).toBe(wide);
});

test('no kind is missing in that table, and no word means two kinds', () => {
  expect(CALICOS.map(([kind]) => kind).sort()).toEqual([...KINDS].sort());
  const words = KINDS.flatMap((kind) => [kind.toLowerCase(), kindTable[kind].plural, ...kindTable[kind].aliases]);
  expect(words.filter((word, i) => words.indexOf(word) !== i)).toEqual([]);
});

describe('get -o', () => {
  const get = async (...args: readonly string[]) => (await shell.run('get', 'bp', ...args)).stdout;

  test('table is ps', async () => {
    expect(await get('-o', 'table')).toBe(await get());
  });

  test('name prints what every command takes back', async () => {
    expect(await get('-o', 'name')).toBe('bgppeer.projectcalico.org/tor-a\nbgppeer.projectcalico.org/tor-b\n');
    const [first = '', second = ''] = (await get('-o', 'name')).split('\n');
    expect((await shell.run('get', first, second, '--no-headers')).stdout.match(/^\S+/gm)).toEqual(['tor-a', 'tor-b']);
    expect((await shell.run('get', first, 'ippool/x')).stderr).toBe("'BGPPeer' and 'IPPool': one kind at a time\n");
    expect((await shell.run('delete', first)).stdout).toBe("Successfully deleted 1 'BGPPeer' resource(s)\n");
  });

  test('jsonpath sees the one that was named alone, and a list of all others', async () => {
    expect(await get('-o', 'jsonpath={.items[*].metadata.name}')).toBe('tor-a tor-b');
    expect(await get('tor-b', '-o', 'jsonpath={.spec.asNumber}')).toBe('65002');
  });

  test('custom-columns takes calicoctl’s names, kubectl’s paths, and both', async () => {
    expect(await get('-o', 'custom-columns=ASN,name')).toBe('ASN     NAME    \n65001   tor-a   \n65002   tor-b   \n\n');
    expect(await get('--no-headers', '-o', "custom-columns=N:.metadata.name,R:.metadata.labels['rack'],ASN")).toBe(
      'tor-a   a        65001   \ntor-b   <none>   65002   \n\n',
    );
  });

  test.each([
    ['xml', "unrecognized output format 'xml'; it is one of table, ps, wide"],
    ['go-template={{.}}', 'write the same as -o jsonpath='],
    ['jsonpath=', 'need to specify a template'],
    ['custom-columns=', 'need to specify at least one column'],
    [
      'custom-columns=NAM',
      "unknown column 'NAM' of BGPPeer: the columns are NAME, PEERIP, NODE, ASN; or NAME:.spec.path",
    ],
    ['custom-columns=X:', 'is not of the form NAME:.spec.path'],
  ])('%s is refused before the datastore is asked', async (output, message) => {
    const { exitCode, stdout, stderr } = await shell.run('get', 'bp', '-o', output);
    expect([exitCode, stdout, stderr.split('\n').length]).toEqual([64, '', 2]);
    expect(stderr).toContain(message);
  });

  test('a namespace is only for kinds that have one', async () => {
    expect((await shell.run('get', 'bp', '-n', 'x')).stderr).toBe('BGPPeer is not namespaced\n');
  });
});

describe('get --watch', () => {
  /** Ends the command when that many lines have come. */
  function interruptAfter(lines: number): void {
    let seen = 0;
    shell.onOutput = (text) => {
      seen += text.split('\n').length - 1;
      if (seen >= lines) shell.interruption.abort();
    };
  }

  const peer = (name: string, asNumber: number) => manifest('BGPPeer', name, { peerIP: '10.9.9.9', asNumber });

  /** Once the first rows are out. */
  async function change(...steps: readonly (() => Promise<unknown>)[]): Promise<void> {
    const { onOutput } = shell;
    await new Promise<void>((resolve) => {
      shell.onOutput = (text) => {
        onOutput(text);
        resolve();
      };
    });
    for (const step of steps) await step();
  }

  test('lists, then prints each change as a row, and ends well on an interrupt', async () => {
    interruptAfter(7);
    const editor = new FakeShell(shell.store);
    editor.files.c = JSON.stringify(peer('tor-c', 1));
    editor.files.c2 = JSON.stringify(peer('tor-c', 2));
    editor.files.a = JSON.stringify(peer('tor-a', 3));
    const watching = shell.run('get', 'bp', '-w');
    await change(
      () => editor.run('apply', '-f', 'c'),
      () => editor.run('apply', '-f', 'c2'),
      () => editor.run('delete', 'bp', 'tor-a'),
      () => editor.run('apply', '-f', 'a'),
    );
    const { exitCode, stdout, stderr } = await watching;
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout.split('\n').map((line) => line.trim().split(/ {2,}/).join('|'))).toEqual([
      'EVENT|NAME|PEERIP|NODE|ASN',
      'ADDED|tor-a|172.30.1.1|(global)|65001',
      'ADDED|tor-b|172.30.1.2|n1|65002',
      'ADDED|tor-c|10.9.9.9|(global)|1',
      'MODIFIED|tor-c|10.9.9.9|(global)|2',
      'DELETED|tor-a|172.30.1.1|(global)|65001',
      'ADDED|tor-a|10.9.9.9|(global)|3',
      '',
    ]);
  });

  test('of names shows these alone; in other formats what is deleted is told on standard error', async () => {
    interruptAfter(2);
    const editor = new FakeShell(shell.store);
    const watching = shell.run('get', 'bp', 'tor-b', '-w', '-o', 'jsonpath={.metadata.name}');
    await change(
      () => editor.run('delete', 'bp', 'tor-a'),
      () => editor.run('delete', 'bp', 'tor-b'),
    );
    expect(await watching).toEqual({ exitCode: 0, stdout: 'tor-b\n', stderr: 'deleted: BGPPeer(tor-b)\n' });
  });

  test('outlives a store that is away for a moment', async () => {
    interruptAfter(5);
    const editor = new FakeShell(shell.store);
    editor.files.c = JSON.stringify(peer('tor-c', 1));
    shell.failWatches = 1;
    const watching = shell.run('get', 'bp', '--no-headers', '--watch');
    await change(() => editor.run('apply', '-f', 'c'));
    const { exitCode, stdout, stderr } = await watching;
    expect([exitCode, stderr]).toEqual([0, 'the store is away; waiting for it\nthe datastore answers again\n']);
    expect(stdout.match(/^ADDED +\S+/gm)?.map((row) => row.slice(11))).toEqual(['tor-a', 'tor-b', 'tor-c']);
  });
});
