import type { Logger } from '../src/runtime/logger.ts';
import type { PassResult } from './reconcile.ts';

/** A kernel that refuses one route may refuse ten thousand; routes() tells of each. */
const MAX_LOGGED = 5;

/** What the parts of a pass came to, all in one; logged where something was done or refused. `routes`: how many are in the kernel now. */
export function reportPass(results: readonly PassResult<unknown>[], routes: number, log: Logger): PassResult<unknown> {
  const changed = results.reduce((sum, result) => sum + result.changed, 0);
  const failed = new Map(results.flatMap((result) => [...result.failed]));
  const examples = [...failed.values()].slice(0, MAX_LOGGED).map(({ message }) => message);
  if (failed.size > 0) log.warn({ failed: failed.size, examples }, 'the kernel refused; will try again');
  if (changed > 0) log.info({ changed, routes }, 'dataplane programmed');
  return { changed, failed };
}
