import { renameSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { makeAgentLab, until, untilSettled } from '../support/agent-lab.ts';
import type { AgentLab, LabNode } from '../support/agent-lab.ts';
import { isRoot } from '../support/netns.ts';

const SETTINGS = { FELIX_HEALTHENABLED: 'true', CALICO_BIRD_READY: 'true', WAIT_FOR_DATASTORE: 'true' };

/** /liveness and /readiness of a running agent as a kubelet asks for them, while its hearts are stopped one by one. */
describe.skipIf(!isRoot && process.env['CI'] === undefined)('probes', () => {
  let lab: AgentLab;
  let a: LabNode;
  let b: LabNode;

  afterEach(() => lab.remove());

  /** `200 text`, by a client inside the node's namespace. */
  const probe = (node: LabNode, path: string): string =>
    node.netns.run(
      process.execPath,
      '-e',
      `fetch('http://127.0.0.1:9099${path}').then(async (r) => console.log(r.status, await r.text()), (e) => console.log(e.cause.code))`,
    );
  const untilProbe = (path: string, ...says: readonly string[]): Promise<void> =>
    until(
      () => Promise.resolve(says.every((text) => probe(a, path).includes(text))),
      () => `${probe(a, path)}\n${a.log()}`,
    );

  test('without its datastore it lives and is not ready', async () => {
    lab = makeAgentLab('cth', {
      environment: { ...SETTINGS, DATASTORE_TYPE: 'etcdv3', ETCD_ENDPOINTS: 'http://127.0.0.1:2379' },
    });
    [a] = lab.nodes as [LabNode, LabNode];
    a.start();
    await untilProbe('/readiness', '503', 'datastore', 'not asked yet');
    expect(probe(a, '/liveness')).toContain('200');
    await a.kill('SIGTERM');
    expect(probe(a, '/liveness')).toBe('ECONNREFUSED\n');
  });

  test('its only peer dies, the datastore goes, the process stands still: each is told, and passes', async () => {
    lab = makeAgentLab('cth', { environment: SETTINGS });
    [a, b] = lab.nodes as [LabNode, LabNode];
    for (const node of lab.nodes) node.start();
    await untilSettled(lab);
    await untilProbe('/readiness', '200', '1 of 1 peers Established');

    await b.kill('SIGKILL');
    await untilProbe('/readiness', '503', 'BGP not established with 172.30.7.12');
    expect(probe(a, '/liveness')).toContain('200');
    b.start();
    await untilProbe('/readiness', '200');

    renameSync(lab.store, `${lab.store}-away`);
    await untilProbe('/readiness', '200', 'stale for', 'what was known is kept');
    renameSync(`${lab.store}-away`, lab.store);
    await untilProbe('/readiness', '200', 'in sync at revision');

    a.signal('SIGSTOP');
    await sleep(11_500);
    a.signal('SIGCONT');
    await untilProbe('/liveness', '503', 'it stood still for 1');
    await untilProbe('/readiness', '503', 'event loop | NOT LIVE');
  });
});
