import { flagCapability } from './spec.ts';

/** RFC 8654 §3. */
export const extendedMessage = flagCapability(6, { name: 'extended-message' });
