/**
 * How Node is to be started for the agent. Garbage of 100,000 routes that passes by would let V8's nursery grow to 64 MB and more,
 * and it never shrinks; 16 MB costs no time that we could measure. The first line of the built files says the same.
 */
export const NODE_FLAGS = ['--max-semi-space-size=16'] as const;

/** For calicoctl-ts, too: a nursery of its full size from the start saves a command the collections in which it would grow. */
export const CLI_NODE_FLAGS = [...NODE_FLAGS, '--min-semi-space-size=16'] as const;
