import type { Speaker } from '../../bird/index.ts';

/** A speaker that knows nobody and does nothing, but for what a test says. */
export const fakeSpeaker = (does: Partial<Speaker> = {}): Speaker => ({
  start: () => Promise.resolve(),
  setPeers: () => undefined,
  setDynamicPeers: () => undefined,
  setOriginated: () => undefined,
  setClusterId: () => undefined,
  learnedRoutes: () => [],
  isConverged: () => true,
  peers: () => [],
  tables: () => [],
  refusedCallers: () => [],
  refusedPasswords: () => [],
  routes: () => [],
  advertised: () => [],
  explainPeer: () => undefined,
  explainRoute: (prefix) => ({ prefix, verdict: 'nobody told', paths: [], advertised: [] }),
  resetPeer: () => false,
  refreshPeer: () => undefined,
  onRoutesChange: () => () => undefined,
  close: () => Promise.resolve(),
  ...does,
});
