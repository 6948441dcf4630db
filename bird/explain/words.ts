/** Numbers as people say them. Pure. */
import { roughDuration } from '../../src/model/duration.ts';

/** `4 s ago`, `3 min ago`. */
export const ago = (ms: number): string => `${roughDuration(ms)} ago`;

export const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

export const hops = (count: number): string => (count === 1 ? 'one hop' : `${count} hops`);

export const segments = (count: number): string => (count === 1 ? '1 segment' : `${count} segments`);
