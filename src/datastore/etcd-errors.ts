import { CompactedError, UnavailableError } from './store.ts';

/** gRPC's words around etcd's own: `14 UNAVAILABLE: No connection established. Last error: connect ECONNREFUSED ...`. */
const GRPC_PREFIX = /^(?:\d+ [A-Z_]+: )+/;
/** What gRPC says of itself before and after the cause: how it resolved the name, where a call spent its time. */
const GRPC_DETAIL =
  /^No connection established\. Last error: (?:Error: )?|\.? *Resolution note:[^]*$|(?<=^Deadline exceeded after [\d.]+s),[^]*$/g;

/** The request never left this machine, so a second attempt cannot apply it twice. */
export const wasNeverSent = (cause: unknown): boolean =>
  /No connection established|Name resolution failed|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH/.test(messageOf(cause));

/** An error of etcd3 or gRPC as one of the port's: whatever etcd did not do for us, it may do later. */
export function asStoreError(cause: unknown, endpoints: readonly string[]): Error {
  if (cause instanceof CompactedError || cause instanceof UnavailableError) return cause;
  const message = messageOf(cause).replace(GRPC_PREFIX, '').replace(GRPC_DETAIL, '').trim();
  if (message.includes('required revision has been compacted')) {
    return new CompactedError('etcd has compacted the revision asked for', { cause });
  }
  const where = `etcd at ${endpoints.join(', ')}`;
  if (/authentication failed|permission denied|user name is empty|invalid auth token/.test(message)) {
    return new UnavailableError(`${where} refuses us: ${message}`, { cause });
  }
  return new UnavailableError(`${where} does not answer: ${message}`, { cause });
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
