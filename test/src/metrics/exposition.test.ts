import { beforeAll, describe, expect, test } from 'vitest';
import { FAMILIES } from '../../../src/metrics/catalogue.ts';
import { loadExposition } from '../../../src/metrics/exposition.ts';
import type { Expose } from '../../../src/metrics/exposition.ts';
import type { Moment } from '../../../src/metrics/moment.ts';
import { readExposition, valueOf } from '../../support/exposition.ts';
import { AGENT, BARE_MOMENT, MOMENT, PEERS, peerView } from '../../support/moment.ts';

let expose: Expose;
beforeAll(async () => {
  expose = await loadExposition();
});

const textOf = async (moment: Moment): Promise<string> => (await expose(moment)).text;
const withAgent = (some: Partial<NonNullable<Moment['agent']>>): Moment => ({
  ...MOMENT,
  agent: { ...AGENT, ...some },
});

describe('the exposition', () => {
  test('is Prometheus’ text format, and has every family of the catalogue once', async () => {
    const { contentType, text } = await expose(MOMENT);
    expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
    const families = readExposition(text);
    expect([...families.keys()]).toEqual(FAMILIES.map(({ name }) => name));
    for (const { name, type, help, labels } of FAMILIES) {
      expect(families.get(name)).toMatchObject({ type, help });
      for (const sample of families.get(name)!.samples.values()) {
        expect(Object.keys(sample.labels).toSorted(), name).toEqual([...labels].toSorted());
      }
    }
  });

  test('of an agent that waits for its datastore says what is known, and nothing else', async () => {
    const text = await textOf(BARE_MOMENT);
    const names = [...readExposition(text).keys()];
    expect(names).toContain('calico_ts_build_info');
    expect(names.filter((name) => /^(process|nodejs)_|_bgp_session|_ipam_|_routes$|locked|since/.test(name))).toEqual(
      [],
    );
    expect(valueOf(text, 'felix_resync_state')).toBe(1);
    expect(valueOf(text, 'calico_ts_datastore_in_sync')).toBe(0);
    expect(valueOf(text, 'calico_ts_bgp_listening')).toBe(0);
  });

  test('escapes what names may hold', async () => {
    const pool = 'a"b\\c\nd{e}|f,g=h é';
    const text = await textOf(withAgent({ pools: [{ pool, blocks: 1, allocated: 0, cooling: 0, free: 64 }] }));
    const samples = [...readExposition(text).get('calico_ts_ipam_blocks')!.samples.values()];
    expect(samples).toEqual([{ labels: { pool }, value: 1 }]);
  });

  test('of a thousand peers has each once', async () => {
    const peers = Array.from({ length: 1000 }, (_, i) => ({ peer: `10.0.${i >> 8}.${i & 255}`, view: peerView() }));
    const families = readExposition(await textOf(withAgent({ bgp: { ...AGENT.bgp!, peers } })));
    expect(families.get('calico_ts_bgp_session_up')!.samples.size).toBe(1000);
    expect(families.get('calico_ts_bgp_sessions')!.samples.get('calico_ts_bgp_sessions{state="Established"}')).toEqual({
      ...{ labels: { state: 'Established' }, value: 1000 },
    });
  });

  test('forgets a peer that is gone', async () => {
    await textOf(MOMENT);
    const text = await textOf(withAgent({ bgp: { ...AGENT.bgp!, peers: PEERS.slice(0, 1) } }));
    expect(text).not.toContain('fe80::1%eth0');
  });
});

describe('names', () => {
  test('are ours, felix’s or those of every process, in the conventions of Prometheus', () => {
    const wrong = FAMILIES.filter(({ name, type }) => {
      if (name.startsWith('felix_')) return false;
      if (!/^(calico_ts|process|nodejs)_[a-z_]+$/.test(name)) return true;
      return name.endsWith('_total') !== (type === 'counter');
    });
    expect(wrong.map(({ name }) => name)).toEqual([]);
    expect(new Set(FAMILIES.map(({ name }) => name)).size).toBe(FAMILIES.length);
  });

  test.each(FAMILIES.map(({ name, help }) => [name, help]))('%s says in a sentence what it is', (_, help) => {
    expect(help).toMatch(/^[A-Z0-9].*\.$/s);
  });
});

describe('values', () => {
  test.each([
    ['calico_ts_datastore_stale', 1],
    ['calico_ts_datastore_stale_since_timestamp_seconds', 1_700_000_004],
    ['calico_ts_datastore_in_sync', 1],
    ['calico_ts_datastore_lists_total', 2],
    ['calico_ts_datastore_losses_total', 1],
    ['felix_resync_state', 2],
    ['calico_ts_bgp_session_up{peer="172.30.1.1"}', 1],
    ['calico_ts_bgp_session_up{peer="fe80::1%eth0"}', 0],
    ['calico_ts_bgp_session_state{peer="fe80::1%eth0"}', 3],
    ['calico_ts_bgp_session_down_info{peer="fe80::1%eth0",cause="wrong AS"}', 1],
    ['calico_ts_bgp_session_down_info{peer="172.30.1.1",cause="wrong AS"}', undefined],
    ['calico_ts_bgp_session_since_timestamp_seconds{peer="172.30.1.1"}', 1.5],
    ['calico_ts_bgp_session_flaps_total{peer="172.30.1.1"}', 4],
    ['calico_ts_bgp_prefixes_received{peer="172.30.1.1",family="ipv4"}', 3],
    ['calico_ts_bgp_prefixes_accepted{peer="172.30.1.1",family="ipv4"}', 2],
    ['calico_ts_bgp_prefixes_advertised{peer="172.30.1.1",family="ipv4"}', 1],
    ['calico_ts_bgp_table_best_paths{family="ipv4"}', 8],
    ['calico_ts_bfd_session_up{peer="172.30.1.1"}', 1],
    ['calico_ts_bfd_session_up{peer="fe80::1%eth0"}', undefined],
    ['calico_ts_routes{class="ipip",state="failed"}', 2],
    ['calico_ts_routes_failed', 2],
    ['calico_ts_routes_pending', 3],
    ['calico_ts_dataplane_pass_seconds_total', 0.25],
    ['calico_ts_dataplane_last_full_pass_timestamp_seconds', 1_700_000_008],
    ['felix_int_dataplane_failures', 1],
    ['calico_ts_repairs_total{kind="route"}', 5],
    ['calico_ts_fights{kind="route"}', 1],
    ['calico_ts_fights{kind="link"}', 0],
    ['calico_ts_nat_rules{state="in force"}', 1],
    ['calico_ts_ipam_addresses{pool="blue",state="free"}', 122],
    ['calico_ts_ready{part="event loop"}', 0],
    ['calico_ts_live{part="event loop"}', 1],
    ['calico_ts_event_loop_lag_seconds', 0.012],
    ['calico_ts_setting_problems', 1],
    ['felix_cluster_num_hosts', 3],
    ['felix_active_local_endpoints', 6],
  ])('%s is %s', async (series, value) => {
    expect(valueOf(await textOf(MOMENT), series)).toBe(value);
  });

  const { datastore } = AGENT;
  const { view } = datastore;
  test.each([
    ['fresh', { ...datastore, view: { entries: new Map(), revision: 7, inSync: true } }, 3],
    ['locked', { ...datastore, isLocked: true }, 1],
    ['never read', { ...datastore, view: { ...view!, inSync: false } }, 2],
  ])('a datastore that is %s', async (_, state, felix) => {
    expect(valueOf(await textOf(withAgent({ datastore: state })), 'felix_resync_state')).toBe(felix);
  });

  test('a datastore that answers again is stale since no time', async () => {
    const text = await textOf(
      withAgent({ datastore: { ...datastore, view: { ...view!, stale: undefined } as never } }),
    );
    expect(valueOf(text, 'calico_ts_datastore_stale')).toBe(0);
  });
});
