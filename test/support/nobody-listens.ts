import type { RoutingListener } from '../../bird/routing.ts';

/** Of tables that nobody watches. */
export const NOBODY_LISTENS: RoutingListener = {
  routesChanged: () => undefined,
  workWaits: () => undefined,
  hasNews: () => undefined,
  isReady: () => true,
  tell: () => undefined,
  limitReached: () => undefined,
  leftOut: () => undefined,
};
