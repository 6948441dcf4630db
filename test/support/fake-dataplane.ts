import type { Dataplane } from '../../felix/index.ts';

/** A dataplane that programs nothing, but for what a test says. */
export const fakeDataplane = (does: Partial<Dataplane> = {}): Dataplane => ({
  start: () => Promise.resolve(),
  adoptedRoutes: () => 0,
  configure: () => undefined,
  update: () => undefined,
  settled: () => Promise.resolve(),
  ready: () => Promise.resolve(),
  routes: () => [],
  tally: () =>
    Promise.resolve({
      ...{ routes: [], tunnels: [], workloadInterfaces: 0, passes: { ended: 0, failed: 0, totalMs: 0, full: 0 } },
    }),
  health: () => ({ hasReconciled: true }),
  heartbeat: () => Promise.resolve(),
  nat: () => [],
  repairs: () => ({ counts: { route: 0, link: 0, address: 0, neighbour: 0, fdb: 0, sysctl: 0, nat: 0 }, fights: [] }),
  interfaces: () => Promise.resolve([]),
  addWorkloadInterface: () => Promise.resolve({ mac: '', mtu: 1500 }),
  lookAtWorkloadInterface: () => Promise.resolve({ reached: [] }),
  removeWorkloadInterface: () => Promise.resolve(),
  onChange: () => () => undefined,
  close: () => Promise.resolve(),
  ...does,
});
