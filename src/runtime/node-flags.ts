/**
 * How Node is to be started for the agent. Garbage of 100,000 routes that passes by would let V8's nursery grow to 64 MB and more,
 * and it never shrinks; 16 MB costs no time that we could measure. `--expose-gc` is for `heap-rest.ts`. The first line of the built files
 * says the same, as do the units in config/systemd.
 */
export const NODE_FLAGS = ['--max-semi-space-size=16', '--expose-gc'] as const;

/**
 * For each thread that allocates, glibc's malloc would have an arena of its own, and what one gave back another could not use: 4 MB of
 * an agent. It is read before the process starts.
 */
export const NODE_ENVIRONMENT = { MALLOC_ARENA_MAX: '1' } as const;

/** For calicoctl-ts, too: a nursery of its full size from the start saves a command the collections in which it would grow. */
export const CLI_NODE_FLAGS = ['--max-semi-space-size=16', '--min-semi-space-size=16'] as const;
