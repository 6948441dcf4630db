/** `node status NODE` and `--all` over a store in memory, with agents that answer as the real one does. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { calicoStatus } from '../../../src/agent/calico-node-status.ts';
import { StatusAnswers } from '../../../src/agent/status-answers.ts';
import type { NodeStatus } from '../../../src/api/contract.ts';
import type { Syncer } from '../../../src/datastore/syncer.ts';
import { startSyncer } from '../../../src/datastore/syncer.ts';
import { createResourceClient, resourcePrefix } from '../../../src/resources/index.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { FakeShell } from '../../support/cli.ts';
import type { CliResult } from '../../support/cli.ts';
import { nodeStatus, peer } from '../../support/node-status.ts';
import { entryOf, resource } from '../../support/resources.ts';

const NOW = Date.parse('2026-11-26T08:00:00Z');
const STATUSES = resourcePrefix('CalicoNodeStatus');

let shell: FakeShell;
let agents: { readonly close: () => Promise<void> }[];

beforeEach(async () => {
  shell = new FakeShell();
  shell.now = NOW;
  agents = [];
  for (const [i, name] of ['n1', 'n2', 'n3'].entries()) {
    const { key, value } = entryOf(resource('Node', name, { bgp: { ipv4Address: `172.30.1.1${i + 1}/24` } }));
    await shell.store.create(key, value);
  }
});
afterEach(async () => {
  for (const agent of agents) await agent.close();
});

/** What of an agent answers; `full: false`: as Calico's own node does. */
function answering(node: string, status: NodeStatus, { full = true } = {}): void {
  const client = createResourceClient(shell.store);
  const answers = new StatusAnswers({
    ...{ node, clock: systemClock, log: silentLogger, mayWrite: () => true },
    resources: {
      ...client,
      update: (one) => {
        const { name, resourceVersion = '' } = one.metadata;
        return client.update(full ? one : { ...one, metadata: { name, resourceVersion } });
      },
    },
    answer: (classes) => ({
      full: status,
      status: calicoStatus(classes, { status, paths: () => [], now: '2026-11-26T08:00:00Z' }),
    }),
  });
  const syncer: Syncer = startSyncer(
    shell.store,
    STATUSES,
    { onSnapshot: ({ entries }) => answers.snapshot(entries.values()), onChanges: (some) => answers.changes(some) },
    { clock: systemClock, random: () => 0 },
  );
  agents.push({
    close: async () => {
      answers.close();
      await syncer.close();
    },
  });
}

const well = (node: string, down: readonly string[] = []): NodeStatus =>
  nodeStatus({
    node,
    peers: ['172.30.1.11', '172.30.1.12', '172.30.1.13']
      .filter((address) => address !== `172.30.1.1${node.slice(1)}`)
      .map((address) =>
        peer(address, down.includes(address) ? { state: 'Active', lastError: 'connection refused' } : {}),
      ),
  });

const questions = async (): Promise<number> => (await shell.store.list(STATUSES)).entries.length;
const lines = ({ stdout }: CliResult): readonly string[] => stdout.split('\n').map((line) => line.trimEnd());

/** The patience of the command ends when so many answers are in. */
function patientFor(count: number): void {
  shell.after = (_ms, callback) => {
    const stop = new AbortController();
    void (async () => {
      const { revision } = await shell.store.list(STATUSES);
      const answered = new Set<string>();
      for await (const changes of shell.store.watch(STATUSES, revision, stop.signal)) {
        for (const change of changes) {
          if (change.type === 'put' && 'status' in (change.entry.value as object)) answered.add(change.entry.key);
        }
        if (answered.size >= count) break;
      }
      // The command's own watch hears of it in the same turn.
      setImmediate(() => setImmediate(callback));
    })();
    if (count === 0) setImmediate(callback);
    return () => stop.abort();
  };
}

describe('node status --all', () => {
  test('all well: 0, one line each by name, and no question is left', async () => {
    for (const node of ['n3', 'n1', 'n2']) answering(node, well(node));
    const result = await shell.run('node', 'status', '--all');
    expect(lines(result)).toEqual([
      'NODE   STATE   SESSIONS   READY   DATASTORE   SINCE                  WHY',
      'n1     ok      2/2        ready   in sync     2026-11-26T06:00:00Z   -',
      'n2     ok      2/2        ready   in sync     2026-11-26T06:00:00Z   -',
      'n3     ok      2/2        ready   in sync     2026-11-26T06:00:00Z   -',
      '3 nodes: 3 ok, 0 degraded, 0 unreachable',
      '',
    ]);
    expect([result.exitCode, result.stderr, await questions()]).toEqual([0, '', 0]);
  });

  test('answers that were in before the command could look count', async () => {
    for (const node of ['n1', 'n2', 'n3']) answering(node, well(node));
    const list = shell.store.list.bind(shell.store);
    const isAnswered = async (): Promise<boolean> => {
      const { entries } = await list(STATUSES);
      return entries.length === 3 && entries.every(({ value }) => 'status' in (value as object));
    };
    shell.store.list = async (prefix) => {
      const isOwn = prefix.startsWith(`${STATUSES}calicoctl-ts-`) && !prefix.endsWith('calicoctl-ts-');
      while (isOwn && !(await isAnswered())) await nextTurn();
      return list(prefix);
    };
    expect((await shell.run('node', 'status', '--all')).exitCode).toBe(0);
  });

  test('one with a peer down: 1, and why', async () => {
    for (const node of ['n1', 'n2']) answering(node, well(node));
    answering('n3', well('n3', ['172.30.1.11']));
    const result = await shell.run('node', 'status', '--all');
    expect(lines(result)[1]).toBe(
      'n3     degraded   1/2        ready   in sync     2026-11-26T06:00:00Z   a peer is down: 172.30.1.11 connection refused',
    );
    expect([result.exitCode, lines(result).at(-2)]).toEqual([1, '3 nodes: 2 ok, 1 degraded, 0 unreachable']);
  });

  test('one that does not answer: 2, worst first, with what the others see of it', async () => {
    answering('n1', well('n1', ['172.30.1.12']));
    answering('n3', well('n3', ['172.30.1.12']));
    patientFor(2);
    const result = await shell.run('node', 'status', '--all');
    expect(lines(result)[1]).toMatch(
      /^n2 +unreachable +- +- +- +- +its agent did not answer within 5 s, and none of those that answered has a session with it$/,
    );
    expect(
      lines(result)
        .slice(2, 4)
        .map((line) => line.slice(0, 17).trim()),
    ).toEqual(['n1     degraded', 'n3     degraded']);
    expect([result.exitCode, await questions()]).toEqual([2, 0]);
  });

  test('one that does not answer though others have sessions with it', async () => {
    for (const node of ['n1', 'n3']) answering(node, well(node));
    patientFor(2);
    expect(lines(await shell.run('node', 'status', '--all'))[1]).toContain(
      'but 2 of 2 nodes have a session with it: does it reach the datastore?',
    );
  });

  test('a node of Calico’s own answers by its counts', async () => {
    answering('n1', well('n1'));
    answering('n2', well('n2', ['172.30.1.11']), { full: false });
    answering('n3', well('n3'), { full: false });
    const all = lines(await shell.run('node', 'status', '--all'));
    expect(all[1]).toMatch(/^n2 +degraded +1\/2 +ready +- .* 1 peers are down; answered by Calico$/);
    expect(all[3]).toMatch(/^n3 +ok +2\/2 +ready +- .* answered by Calico$/);
  });

  test('-o json, yaml, wide and name', async () => {
    for (const node of ['n1', 'n2', 'n3']) answering(node, well(node));
    const json = JSON.parse((await shell.run('node', 'status', '--all', '-o', 'json')).stdout) as object[];
    expect(json[0]).toMatchObject({ node: 'n1', state: 'ok', address: '172.30.1.11/24', status: well('n1') });
    expect(parse((await shell.run('node', 'status', '--all', '-o', 'yaml')).stdout)).toEqual(json);
    expect((await shell.run('node', 'status', '--all', '-o', 'name')).stdout).toBe('node/n1\nnode/n2\nnode/n3\n');
    expect(lines(await shell.run('node', 'status', '--all', '-o', 'wide'))[1]).toMatch(
      /^n1 .* 172\.30\.1\.11\/24 +1\.2\.3 +3 +-$/,
    );
  });

  test('interrupted: nothing is printed, no question is left, 130', async () => {
    shell.after = () => {
      setImmediate(() => shell.interruption.abort());
      return () => undefined;
    };
    const result = await shell.run('node', 'status', '--all');
    expect([result, await questions()]).toEqual([{ exitCode: 130, stdout: '', stderr: '' }, 0]);
  });

  test('questions that somebody left behind ten minutes ago are swept, younger ones and an operator’s stay', async () => {
    const left = (name: string, minutes: number) => ({
      ...resource('CalicoNodeStatus', name, { node: 'gone', classes: ['BGP'], updatePeriodSeconds: 9 }),
      metadata: { name, creationTimestamp: new Date(NOW - minutes * 60_000).toISOString() },
    });
    for (const one of [left('calicoctl-ts-1-gone', 11), left('calicoctl-ts-2-gone', 9), left('operators', 99)]) {
      await shell.store.create(entryOf(one).key, entryOf(one).value);
    }
    for (const node of ['n1', 'n2', 'n3']) answering(node, well(node));
    await shell.run('node', 'status', '--all');
    expect((await shell.store.list(STATUSES)).entries.map(({ key }) => key.split('/').at(-1))).toEqual([
      'calicoctl-ts-2-gone',
      'operators',
    ]);
  });

  test('a locked datastore and an empty one: one sentence, 2; wrong flags: 64', async () => {
    const locked = entryOf(resource('ClusterInformation', 'default', { datastoreReady: false }));
    await shell.store.create(locked.key, locked.value);
    const failed = async (args: readonly string[], code = 2) => {
      const { exitCode, stderr, stdout } = await shell.run('node', 'status', ...args);
      expect([exitCode, stdout, await questions()]).toEqual([code, '', 0]);
      return stderr;
    };
    expect(await failed(['--all'])).toContain('the datastore is locked for a migration');
    for (const name of ['n1', 'n2', 'n3']) await shell.store.delete(entryOf(resource('Node', name)).key);
    expect(await failed(['--all'])).toBe('the datastore has no Node resource: no agent has registered yet\n');
    expect(await failed(['n1', '--all'], 64)).toBe('--all or names of nodes, not both\n');
    expect(await failed(['n1', '--socket', '/x'], 64)).toBe('--socket is for the agent on this host alone\n');
  });
});

describe('node status NODE', () => {
  test('prints what the node itself prints, to the letter', async () => {
    answering('n3', well('n3', ['172.30.1.11']));
    shell.answers['GET /v1/status'] = well('n3', ['172.30.1.11']);
    for (const output of ['table', 'json', 'yaml', 'name']) {
      const there = await shell.run('node', 'status', '-o', output);
      expect(await shell.run('node', 'status', 'n3', '-o', output)).toEqual(there);
      expect(there).toMatchObject({ exitCode: 1, stderr: '' });
    }
  });

  test('of one that does not answer, and of one that nobody knows: why, and 2', async () => {
    patientFor(0);
    expect(await shell.run('node', 'status', 'n2')).toEqual({
      ...{ exitCode: 2, stdout: '' },
      stderr: 'n2 is unreachable: its agent did not answer within 5 s\n',
    });
    expect(await shell.run('node', 'status', 'n9')).toEqual({
      ...{ exitCode: 2, stdout: '' },
      stderr: 'n9 is unreachable: there is no Node resource of that name: no agent has registered it\n',
    });
    const { stdout } = await shell.run('node', 'status', 'n9', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject([{ node: 'n9', state: 'unreachable' }]);
  });

  test('of several: one after the other, the worst first, and the worst exit code', async () => {
    answering('n1', well('n1'));
    answering('n3', well('n3', ['172.30.1.11']));
    const result = await shell.run('node', 'status', 'n1', 'n3', 'n1');
    expect(lines(result).filter((line) => /^(Node|Calico|\d nodes)/.test(line))).toEqual([
      'Node n3: degraded, a peer is down: 172.30.1.11 connection refused',
      'Calico process is running.',
      'Node n1: ok',
      'Calico process is running.',
      '2 nodes: 1 ok, 1 degraded, 0 unreachable',
    ]);
    expect(result.exitCode).toBe(1);
  });
});

describe('node status', () => {
  test('of this host: 0, 1, and 2 with Calico’s sentence where no agent runs', async () => {
    shell.answers['GET /v1/status'] = well('n1');
    expect((await shell.run('node', 'status')).exitCode).toBe(0);
    shell.answers['GET /v1/status'] = well('n1', ['172.30.1.12']);
    expect((await shell.run('node', 'status')).exitCode).toBe(1);
    delete shell.answers['GET /v1/status'];
    expect(await shell.run('node', 'status')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/^Calico process is not running\.\n.+\n$/) as string,
    });
  });
});
