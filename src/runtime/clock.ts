/** Time as the drivers see it; tests turn the hands themselves. */
export interface Clock {
  /** Milliseconds on a monotonic clock. */
  now(): number;
  /** Milliseconds since 1970, for people only. */
  wallTime(): number;
  /** Calls back once after `ms`; the returned function cancels. 0: in the next turn, when what has arrived was read. */
  after(ms: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  after: (ms, callback) => {
    // A timer of 0 ms waits for one, and then for the others that are due.
    if (ms <= 0) {
      const immediate = setImmediate(callback);
      return () => clearImmediate(immediate);
    }
    let timer: ReturnType<typeof setTimeout>;
    const wait = (left: number): void => {
      const now = Math.min(left, MAX_TIMEOUT_MS);
      timer = setTimeout(() => (left > now ? wait(left - now) : callback()), now);
    };
    wait(ms);
    return () => clearTimeout(timer);
  },
};

/** setTimeout takes longer waits for 1 ms; 24.8 days, and a long-lived stale time may be 194. */
const MAX_TIMEOUT_MS = 0x7fff_ffff;
