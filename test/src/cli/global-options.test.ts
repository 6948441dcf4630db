import { beforeEach, describe, expect, test } from 'vitest';
import { entryOf, manifest, resource } from '../../support/resources.ts';
import { FakeShell } from '../../support/cli.ts';

let shell: FakeShell;

beforeEach(() => {
  shell = new FakeShell();
});

const CONFIG = `apiVersion: projectcalico.org/v3
kind: CalicoAPIConfig
metadata:
spec:
  datastoreType: etcdv3
  etcdEndpoints: https://10.0.0.1:2379,https://10.0.0.2:2379
  etcdUsername: u
  etcdPassword: p
  kubeconfig: /root/.kube/config
`;

describe('-c', () => {
  const settings = {
    type: 'etcdv3',
    endpoints: ['https://10.0.0.1:2379', 'https://10.0.0.2:2379'],
    username: 'u',
    password: 'p',
  };

  test('names a CalicoAPIConfig, before or after the command; nothing of the environment mixes in', async () => {
    shell.hostTexts['/my.cfg'] = CONFIG;
    shell.env.ETCD_CA_CERT_FILE = '/ca';
    for (const args of [
      ['-c', '/my.cfg', 'get', 'nodes'],
      ['get', 'nodes', '--config', '/my.cfg'],
    ]) {
      shell.opened = undefined;
      expect((await shell.run(...args)).exitCode).toBe(0);
      expect(shell.opened).toEqual(settings);
    }
  });

  test('has a default that may be absent', async () => {
    shell.env.ETCD_ENDPOINTS = 'http://10.0.0.9:2379';
    await shell.run('get', 'nodes');
    expect(shell.opened).toMatchObject({ endpoints: ['http://10.0.0.9:2379'] });
    shell.hostTexts['/etc/calico/calicoctl.cfg'] = CONFIG;
    await shell.run('get', 'nodes');
    expect(shell.opened).toEqual(settings);
    expect((await shell.run('get', 'nodes', '-c', '/nowhere')).stderr).toBe('Error reading config file: /nowhere\n');
    expect((await shell.run('-c', '/nowhere', 'version', '--client')).exitCode).toBe(0);
  });

  test('names a directory of files, too', async () => {
    shell.hostTexts['/my.cfg'] = CONFIG.replace(/datastoreType[^]*/, 'datastoreType: file\n  fileDatastore: /data\n');
    await shell.run('-c', '/my.cfg', 'get', 'nodes');
    expect(shell.opened).toEqual({ type: 'file', directory: '/data', mustExist: true });
  });

  test.each([
    [
      'etcdEndpoints:',
      'etcdEndpoint:',
      '/my.cfg:6: spec.etcdEndpoint: is not a field of CalicoAPIConfig.spec; did you mean "etcdEndpoints"?',
    ],
    ['kind: CalicoAPIConfig', 'kind: Node', "/my.cfg:2: kind = 'Node': is not CalicoAPIConfig"],
    ['etcdUsername: u', 'etcdUsername: 7', "/my.cfg:7: spec.etcdUsername = '7': is not a string"],
    ['metadata:', 'more: x', '/my.cfg:3: more: is not a field of CalicoAPIConfig'],
    ['Type: etcdv3', 'Type: kubernetes', "DATASTORE_TYPE = 'kubernetes': is not supported yet"],
    [CONFIG, '', '/my.cfg: is not one CalicoAPIConfig'],
  ])('is refused with %j as %j', async (good, bad, message) => {
    shell.hostTexts['/my.cfg'] = CONFIG.replace(good, bad);
    const { exitCode, stderr } = await shell.run('-c', '/my.cfg', 'get', 'nodes');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(message)]);
  });
});

describe('the version of the cluster', () => {
  const cluster = async (spec: object): Promise<void> => {
    const { key, value } = entryOf(resource('ClusterInformation', 'default', spec));
    await shell.store.create(key, value);
  };

  test.each([
    ['v1.2.3', 'calico-ts,bgp', true],
    ['1.2.3-7-gabc', 'k8s, calico-ts', true],
    ['', 'calico-ts', true],
    ['v1.2.4', 'calico-ts', false],
    // Calico's own numbers say nothing of ours.
    ['v3.30.1', 'k8s,bgp', true],
  ])('%s of %s: %s', async (calicoVersion, clusterType, fits) => {
    await cluster({ calicoVersion, clusterType });
    const { exitCode, stderr } = await shell.run('get', 'nodes');
    expect(exitCode).toBe(fits ? 0 : 1);
    if (!fits) {
      expect(stderr).toBe(
        'version mismatch.\nClient Version:   1.2.3\nCluster Version:  1.2.4\nUse the same version, or --allow-version-mismatch.\n',
      );
      expect((await shell.run('get', 'nodes', '--allow-version-mismatch')).exitCode).toBe(0);
      shell.files.pool = JSON.stringify(manifest('IPPool', 'p', { cidr: '10.0.0.0/16' }));
      expect((await shell.run('validate', '-f', 'pool')).exitCode).toBe(0);
      expect((await shell.run('apply', '-f', 'pool', '--dry-run')).exitCode).toBe(1);
    }
  });

  test('is shown by version, which any cluster suits', async () => {
    expect((await shell.run('version')).stdout).toBe(
      'Client Version:    v1.2.3\nGit commit:        0c0ffee\nCluster Version:   unknown\nCluster Type:      unknown\n',
    );
    await cluster({ calicoVersion: 'v9.9.9', clusterType: 'calico-ts,k8s' });
    expect(await shell.run('version')).toEqual({
      exitCode: 0,
      stdout:
        'Client Version:    v1.2.3\nGit commit:        0c0ffee\nCluster Version:   v9.9.9\nCluster Type:      calico-ts,k8s\n',
      stderr: '',
    });
    shell.env.DATASTORE_TYPE = 'consul';
    expect((await shell.run('version', '--client')).stdout).toBe(
      'Client Version:    v1.2.3\nGit commit:        0c0ffee\n',
    );
    expect(await shell.run('version')).toEqual({
      exitCode: 1,
      stdout: 'Client Version:    v1.2.3\nGit commit:        0c0ffee\n',
      stderr: expect.stringMatching(/^Unable to retrieve Cluster Version or Type: DATASTORE_TYPE = 'consul'/),
    });
  });
});

describe('-l', () => {
  test('debug tells where an error comes from; a wrong one lists the right ones', async () => {
    expect((await shell.run('get', 'node', 'x', '-l', 'debug')).stderr).toMatch(
      /^resource does not exist.*\n.*Error.*\n +at /,
    );
    expect((await shell.run('get', 'node', 'x', '-l', 'info')).stderr.split('\n')).toHaveLength(2);
    expect((await shell.run('-l', 'loud', 'get', 'nodes')).stderr).toContain(
      'unknown log level; it is one of panic, fatal, error, warn, info, debug',
    );
  });
});
