/** Milliseconds since 1970 with fractions: a moment that two processes of one machine can compare. */
export const wallNow = (): number => performance.timeOrigin + performance.now();
