import { expect, test } from 'vitest';
import type { Cluster } from '../../../src/demo/cluster.ts';
import { runCheck } from '../../../src/demo/checks/index.ts';
import type { CheckResult } from '../../../src/demo/checks/index.ts';
import { formatCheck, formatPick, formatTotal, formatTour, makeReport } from '../../../src/demo/report.ts';
import type { Report } from '../../../src/demo/report.ts';

const result = (ok: boolean): CheckResult => ({
  name: 'x',
  title: 'x holds',
  ok,
  lines: ['one', 'two'],
  data: null,
  seconds: 1.5,
});
const cluster: Report['cluster'] = {
  ...{ where: 'here', encap: 'vxlan', reason: 'this kernel has no ipip', datastore: 'etcd', kernel: '6.1.0' },
  ...{ switches: 'own', switchesReason: 'FRR not installed' },
};

test('a report counts what passed and what failed', () => {
  const report = makeReport(cluster, [result(true), result(false), result(true)], 12.3);
  expect(report).toMatchObject({ passed: 2, failed: 1 });
  expect(formatTotal(report)).toBe('2 passed, 1 failed in 12.3 s\n');
});

test('a check is shown with its verdict, its number and its lines', () => {
  expect(formatCheck(result(false), 3)).toBe('✗ 3. x holds (1.5 s)\n     one\n     two\n');
  expect(formatCheck(result(true), 3)).toMatch(/^✓ /);
});

test('what was picked is named with its reason, and so is who plays the switches', () => {
  expect(formatPick(cluster)).toBe(
    'between racks: VXLAN on vxlan.calico, on this kernel (Linux 6.1.0): this kernel has no ipip\n' +
      'switches are played by our own speaker: FRR not installed\n',
  );
});

test('the tour of a kept cluster names the way to its datastore and to the switches that there are', () => {
  const layout = { prefix: 'p-', directory: '/run/p' };
  const own = formatTour(layout, makeReport(cluster, [], 0), '192.168.1.1');
  expect(own).toContain('ip netns exec p-etcd env DATASTORE_TYPE=etcdv3');
  expect(own).not.toContain('birdc');
  expect(own).toContain('ping 192.168.1.1');
  const real = formatTour(
    layout,
    makeReport({ ...cluster, datastore: 'file', switches: 'real' }, [], 0),
    '192.168.1.1',
  );
  expect(real).toContain('birdc -s /run/p/tor-a/bird.ctl');
  expect(real).toContain('CALICO_FILE_DATASTORE=/run/p/datastore');
});

test('a check that throws has failed with that message, but an interrupt ends the demo', async () => {
  const controller = new AbortController();
  const check = { name: 'x', title: 'x holds', run: () => Promise.reject(new Error('the agent is gone')) };
  const on = { signal: controller.signal } as Cluster;
  expect(await runCheck(check, on)).toMatchObject({ name: 'x', ok: false, lines: ['the agent is gone'] });
  controller.abort(new Error('interrupted'));
  await expect(runCheck(check, on)).rejects.toThrow('interrupted');
});
