/** A number in [0, 1); a parameter of every driver that jitters. */
export type Random = () => number;

export const systemRandom: Random = () => Math.random();
