import { beforeEach, describe, expect, test } from 'vitest';
import type { DataplaneHealth } from '../../../felix/index.ts';
import { AgentHealth } from '../../../src/agent/agent-health.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** Every heart of the agent under the test's hand. */
describe('the health of an agent', () => {
  let clock: FakeClock;
  let health: AgentHealth;
  let isNetlinkDeaf: boolean;
  let dataplane: DataplaneHealth;
  const view = { entries: new Map(), revision: 7, inSync: true };

  beforeEach(() => {
    clock = new FakeClock();
    isNetlinkDeaf = false;
    dataplane = { hasReconciled: true };
    health = new AgentHealth({
      clock,
      asBirdReady: true,
      dataplane: {
        heartbeat: () => (isNetlinkDeaf ? new Promise(() => undefined) : Promise.resolve()),
        health: () => dataplane,
        routes: () => [],
      },
    });
    health.start();
  });

  const attend = (peers: readonly { readonly address: string; readonly isUp: boolean }[] = []): void =>
    health.attend({ view: () => view, speaker: () => ({ converged: true, peers }), isLocked: () => false });
  const bad = (): readonly string[] =>
    health
      .report()
      .reporters.filter(({ ready }) => !ready)
      .map(({ name, live, detail }) => `${name} ${live ? 'not ready' : 'not live'}: ${detail}`);

  test('that waits for its datastore: live, not ready', async () => {
    await clock.advance(600_000);
    expect(health.report()).toMatchObject({ live: true, ready: false });
    expect(bad()).toEqual([
      'datastore not ready: not asked yet: the node registers first',
      'bgp not ready: does not listen yet',
    ]);
  });

  test('with everything well: ready, for hours', async () => {
    attend();
    await clock.advance(1);
    expect(bad()).toEqual([]);
    await clock.advance(3_600_000);
    expect(health.report()).toMatchObject({ live: true, ready: true });
    expect(health.report().reporters.map(({ name }) => name)).toEqual([
      ...['event loop', 'netlink', 'datastore', 'dataplane', 'bgp'],
    ]);
  });

  test('the netlink worker stops: not ready after 10 s, not live after 60 s, and well again at its next answer', async () => {
    attend();
    await clock.advance(1);
    isNetlinkDeaf = true;
    await clock.advance(15_001);
    expect(bad()).toEqual(['netlink not ready: no answer for 10 s']);
    await clock.advance(50_000);
    expect(bad()).toEqual(['netlink not live: no answer for 65 s']);
    expect(health.report().live).toBe(false);
  });

  test('a pass over the kernel hangs: not live', async () => {
    attend();
    dataplane = { hasReconciled: true, passSince: clock.now() };
    await clock.advance(90_000);
    expect(bad()).toEqual([]);
    await clock.advance(1000);
    expect(bad()).toEqual(['dataplane not live: a pass over the kernel has run for 91 s']);
  });

  test('before the first reconcile, and with a peer down in the first 30 s: not ready', async () => {
    attend([
      { address: '172.30.1.12', isUp: true },
      { address: '172.30.1.13', isUp: false },
    ]);
    dataplane = { hasReconciled: false };
    await clock.advance(20_000);
    expect(bad()).toEqual([
      'dataplane not ready: the first reconcile has not ended yet',
      'bgp not ready: listens, 1 of 2 peers Established; BGP not established with 172.30.1.13',
    ]);
    dataplane = { hasReconciled: true };
    await clock.advance(11_000);
    expect(bad()).toEqual([]);
  });

  test('closed: no timer is left', () => {
    health.close();
    expect(clock.pending).toBe(0);
  });
});
