import { flagCapability } from './spec.ts';

/** RFC 7313 §3.1. */
export const enhancedRouteRefresh = flagCapability(70, { name: 'enhanced-route-refresh' });
