export const FAMILIES = ['ipv4', 'ipv6'] as const;
export type Family = (typeof FAMILIES)[number];

/** Sorted as text. */
export type Prefixes = Readonly<Record<Family, readonly string[]>>;
