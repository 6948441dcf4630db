import { getEventListeners } from 'node:events';
import { beforeEach, describe, expect, test } from 'vitest';
import { entryOf, resource } from '../../support/resources.ts';
import { FakeShell } from '../../support/cli.ts';

let shell: FakeShell;
const CLIENT = 'Client Version:    v1.2.3\nGit commit:        0c0ffee\n';

beforeEach(() => void (shell = new FakeShell()));

const { key } = entryOf(resource('ClusterInformation', 'default', {}));

const cluster = async (spec: object): Promise<void> => {
  const { value } = entryOf(resource('ClusterInformation', 'default', spec));
  const before = await shell.store.get(key);
  await (before === undefined ? shell.store.create(key, value) : shell.store.update(key, value, before.revision));
};

/** What happens instead of each wait; after the last the operator interrupts. Returns how long was waited each time. */
function between(...steps: readonly (() => unknown)[]): readonly number[] {
  const waits: number[] = [];
  shell.after = (ms, callback) => {
    const step = steps[waits.push(ms) - 1];
    if (step === undefined) shell.interruption.abort();
    else void Promise.resolve().then(step).then(callback);
    return () => undefined;
  };
  return waits;
}

describe('version --poll', () => {
  test('shows what changes, and nothing that does not', async () => {
    await cluster({ calicoVersion: 'v3.30.0', clusterType: 'k8s' });
    const waits = between(
      () => undefined,
      () => cluster({ calicoVersion: 'v3.31.0', clusterType: 'k8s' }),
      () => undefined,
    );
    expect(await shell.run('version', '--poll', '1m30s')).toEqual({
      exitCode: 0,
      stdout: `${CLIENT}Cluster Version:   v3.30.0\nCluster Type:      k8s\nCluster Version:   v3.31.0\n`,
      stderr: '',
    });
    expect(waits).toEqual([90_000, 90_000, 90_000, 90_000]);
  });

  test('says once that the datastore is away, and all again when it is back', async () => {
    await cluster({ calicoVersion: 'v3.30.0' });
    const known = 'Cluster Version:   v3.30.0\nCluster Type:      unknown\n';
    between(
      () => (shell.env.DATASTORE_TYPE = 'consul'),
      () => undefined,
      () => delete shell.env.DATASTORE_TYPE,
    );
    const { exitCode, stdout, stderr } = await shell.run('version', '--poll=1s');
    expect([exitCode, stdout]).toEqual([0, `${CLIENT}${known}${known}`]);
    expect(stderr).toMatch(/^Unable to retrieve Cluster Version or Type: DATASTORE_TYPE[^\n]*\n$/);
  });

  test('leaves nothing behind that an interruption would call', async () => {
    const listening = () => getEventListeners(shell.interruption.signal, 'abort').length;
    const seen: number[] = [];
    between(...Array.from({ length: 3 }, () => () => seen.push(listening())));
    await shell.run('version', '--poll', '1s');
    expect([...seen, listening()]).toEqual([1, 1, 1, 0]);
  });

  test('0 is once, and what is no duration cannot be meant', async () => {
    expect((await shell.run('version', '--poll', '0')).stdout).toContain('Cluster Type:      unknown\n');
    expect(await shell.run('version', '--poll', '5 minutes')).toEqual({
      exitCode: 64,
      stdout: '',
      stderr: "--poll = '5 minutes': is not a duration such as 120s or 2m0s\n",
    });
    expect((await shell.run('version', '--client', '--poll', '1s')).stdout).toBe(CLIENT);
  });
});
