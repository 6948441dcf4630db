import { renameSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeAgentLab, until, untilSettled } from '../support/agent-lab.ts';
import type { AgentLab, LabNode } from '../support/agent-lab.ts';
import { readExposition, valueOf } from '../support/exposition.ts';
import { isRoot } from '../support/netns.ts';

/** /metrics of a running agent, as Prometheus asks for it. */
describe.skipIf(!isRoot && process.env['CI'] === undefined)('metrics', () => {
  let lab: AgentLab;
  let a: LabNode;
  let b: LabNode;

  beforeEach(() => {
    lab = makeAgentLab('ctm', { environment: { FELIX_PROMETHEUSMETRICSENABLED: 'true' } });
    [a, b] = lab.nodes as [LabNode, LabNode];
    for (const node of lab.nodes) node.start();
  });
  afterEach(() => lab.remove());

  const scrape = (port = 9091): string =>
    a.netns.run(
      process.execPath,
      '-e',
      `fetch('http://127.0.0.1:${port}/metrics').then(async (r) => process.stdout.write(await r.text()), (e) => console.log(e.cause.code))`,
    );
  const untilSeries = (series: string, value: number, port?: number): Promise<void> =>
    until(
      () => Promise.resolve(scrape(port).split('\n').includes(`${series} ${value}`)),
      () => `${series} is not ${value}\n${scrape(port)}\n${a.log()}`,
    );

  test('the datastore goes and is back', async () => {
    await untilSettled(lab);
    const text = scrape();
    expect(readExposition(text).size).toBeGreaterThan(30);
    expect(valueOf(text, 'calico_ts_datastore_stale')).toBe(0);
    expect(valueOf(text, 'felix_resync_state')).toBe(3);
    expect(valueOf(text, 'calico_ts_bgp_session_up{peer="172.30.7.12"}')).toBe(1);
    expect(valueOf(text, 'felix_cluster_num_hosts')).toBe(2);

    renameSync(lab.store, `${lab.store}-away`);
    await untilSeries('calico_ts_datastore_stale', 1);
    expect(scrape()).toContain('calico_ts_datastore_stale_since_timestamp_seconds ');
    renameSync(`${lab.store}-away`, lab.store);
    await untilSeries('calico_ts_datastore_stale', 0);
    expect(valueOf(scrape(), 'calico_ts_datastore_losses_total')).toBe(1);
  });

  test('the peer goes, and why, and is back', async () => {
    await untilSettled(lab);
    await b.kill('SIGKILL');
    // From the first try on, five seconds later, nobody listens.
    const down =
      /^calico_ts_bgp_session_down_info\{peer="172\.30\.7\.12",cause="(connection lost|nobody listens)"\} 1$/m;
    const isDown = (text: string): boolean => valueOf(text, 'calico_ts_bgp_session_up{peer="172.30.7.12"}') === 0;
    await until(() => {
      const text = scrape();
      return Promise.resolve(isDown(text) && down.test(text));
    }, scrape);
    b.start();
    await untilSeries('calico_ts_bgp_session_up{peer="172.30.7.12"}', 1);
    expect(valueOf(scrape(), 'calico_ts_bgp_session_flaps_total{peer="172.30.7.12"}')).toBe(1);
  });

  test('a FelixConfiguration moves them, and thins them out, without a restart', async () => {
    await untilSettled(lab);
    const felix = (spec: object): Promise<void> =>
      lab.cli(
        ['apply', '-f', '-'],
        JSON.stringify({
          ...{ apiVersion: 'projectcalico.org/v3', kind: 'FelixConfiguration' },
          ...{ metadata: { name: 'default' }, spec },
        }),
      );
    expect(scrape()).toContain('\nprocess_open_fds ');
    await felix({ prometheusMetricsPort: 9191, prometheusProcessMetricsEnabled: false });
    await untilSeries('calico_ts_datastore_stale', 0, 9191);
    expect(scrape(9191)).not.toContain('process_open_fds');
    expect(scrape(9091)).toBe('ECONNREFUSED\n');
    await felix({ prometheusMetricsPort: 9191, prometheusGoMetricsEnabled: false });
    await until(
      () => Promise.resolve(scrape(9191).includes('process_open_fds') && !scrape(9191).includes('nodejs_')),
      () => scrape(9191),
    );
  });
});
