import { flagCapability } from './spec.ts';

/** RFC 2918 §2. */
export const routeRefresh = flagCapability(2, { name: 'route-refresh' });
