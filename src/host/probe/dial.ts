/** Whether a TCP port of another node answers; nothing is said there, and the connection is closed at once. */
import { connect } from 'node:net';
import type { IpAddress } from '../../model/ip.ts';
import { formatIpAddress } from '../../model/ip.ts';

export interface DialTarget {
  readonly address: IpAddress;
  readonly port: number;
  /** Our own, of the same family; absent: the kernel's choice. */
  readonly source?: IpAddress;
}

export type DialOutcome =
  | { readonly kind: 'connected' }
  /** `code`: errno(3) `ECONNREFUSED`, `EHOSTUNREACH`, `EPERM` … */
  | { readonly kind: 'failed'; readonly code: string }
  | { readonly kind: 'silent' };

/** A lost SYN is sent again after one second, and after two more. */
const PATIENCE_MS = 3500;

/** All at once. */
export const dial = (
  targets: readonly DialTarget[],
  sleep: (ms: number) => Promise<void>,
): Promise<readonly DialOutcome[]> => Promise.all(targets.map((target) => dialOne(target, sleep)));

async function dialOne(
  { address, port, source }: DialTarget,
  sleep: (ms: number) => Promise<void>,
): Promise<DialOutcome> {
  const from = source && { localAddress: formatIpAddress(source) };
  const socket = connect({ host: formatIpAddress(address), port, ...from });
  const answered = new Promise<DialOutcome>((resolve) => {
    socket.once('connect', () => resolve({ kind: 'connected' }));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve({ kind: 'failed', code: error.code ?? error.message }),
    );
  });
  const late = sleep(PATIENCE_MS).then((): DialOutcome => ({ kind: 'silent' }));
  const outcome = await Promise.race([answered, late]);
  socket.destroy();
  // A kernel that gave up by itself says no more than silence does.
  return outcome.kind === 'failed' && outcome.code === 'ETIMEDOUT' ? { kind: 'silent' } : outcome;
}
