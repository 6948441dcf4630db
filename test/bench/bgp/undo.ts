/** What must be undone whatever happens: at the end, after a failure, and when a signal ends the whole. */
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const pending = new Set<() => void>();

/** Undoes all that is pending, the newest first, then leaves as a process does that the signal ended. */
function onSignal(signal: NodeJS.Signals): void {
  for (const undo of [...pending].reverse()) undo();
  process.exit(128 + constants.signals[signal]);
}

/**
 * Remembers what undoes a step, and gives a function that does it now, once. It must be synchronous, for a signal leaves
 * no time for more, and must bear that the step was done by half.
 */
export function remember(undo: () => void): () => void {
  if (pending.size === 0) for (const signal of SIGNALS) process.on(signal, onSignal);
  const once = (): void => {
    if (!pending.delete(once)) return;
    if (pending.size === 0) for (const signal of SIGNALS) process.off(signal, onSignal);
    try {
      undo();
    } catch (error) {
      console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  pending.add(once);
  return once;
}
