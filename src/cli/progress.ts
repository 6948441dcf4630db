import type { CliIo } from './io.ts';

/** A line on a terminal that counts long work up, and is gone when it is done; nothing elsewhere. */
export function progressLine(what: string, io: Pick<CliIo, 'stderr' | 'stderrIsTerminal'>) {
  return (done: number, all: number): void => {
    if (io.stderrIsTerminal) io.stderr(done < all ? `\r${what} ${done} of ${all}` : '\r\u001b[K');
  };
}
