import { CompactedError, UnavailableError } from './store.ts';

/** gRPC's words around etcd's own: `14 UNAVAILABLE: No connection established. Last error: connect ECONNREFUSED ...`. */
const GRPC_PREFIX = /^(?:\d+ [A-Z_]+: |rpc error: code = \w+ desc = )+/;
/** What gRPC says of itself before and after the cause: how it resolved the name, where a call spent its time. */
const GRPC_DETAIL =
  /^No connection established\. Last error: (?:Error: )?|\.? *Resolution note:[^]*$| \(\d{4}-\d\d-\d\dT[\d:.]+Z\)|(?<=^Deadline exceeded after [\d.]+s),[^]*$/g;
const DEADLINE = /^Deadline exceeded after ([\d.]+)s$/;

/** One member that was asked, and why it did not answer. */
export interface Failure {
  readonly endpoint: string;
  /** In words. */
  readonly reason: string;
  readonly cause?: unknown;
}

/** The request never left this machine, so a second attempt cannot apply it twice. */
export const wasNeverSent = (cause: unknown): boolean =>
  /No connection established|Name resolution failed|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|Waiting for LB pick|before call started/.test(
    messageOf(cause),
  );

/** A user, a role or a permission was changed since the token was given: another token may do. */
export const isOldAuth = (cause: unknown): boolean => messageOf(cause).includes('revision of auth store is old');

/** etcd is there and does not want to: no other member would say anything else. */
export class RefusedError extends UnavailableError {}
export const isRefusal = (error: Error): boolean => error instanceof RefusedError;

const REFUSAL =
  /authentication failed|permission denied|user name is empty|invalid auth token|authentication is not enabled|request is too large|database space exceeded|duplicate key|too many operations/;

/** An error of etcd3 or gRPC as one of the port's: whatever etcd did not do for us, it may do later. */
export function asStoreError(cause: unknown, endpoints: readonly string[]): Error {
  if (cause instanceof CompactedError || cause instanceof UnavailableError) return cause;
  const message = plainly(cause);
  if (message.includes('required revision has been compacted')) {
    return new CompactedError('etcd has compacted the revision asked for', { cause });
  }
  const where = `etcd at ${endpoints.join(', ')}`;
  if (REFUSAL.test(message)) return new RefusedError(`${where} refuses us: ${message}`, { cause });
  return new UnavailableError(`${where} does not answer: ${message}`, { cause });
}

/** Nobody answered: one sentence over all that were asked, each with its own cause where they differ. */
export function unanswered(failures: readonly Failure[]): UnavailableError {
  const reasons = new Set(failures.map(({ reason }) => reason));
  const endpoints = failures.map(({ endpoint }) => endpoint).join(', ');
  const each = failures.map(({ endpoint, reason }) => `${endpoint}: ${reason}`).join('; ');
  const why = reasons.size === 1 ? failures[0]!.reason : each;
  return new UnavailableError(`etcd at ${endpoints} does not answer: ${why}`, { cause: failures.at(-1)?.cause });
}

/** The cause without gRPC's words around it: the same for the same cause, whenever it comes. */
export function plainly(cause: unknown): string {
  const message = messageOf(cause).replace(GRPC_PREFIX, '').replace(GRPC_DETAIL, '').trim();
  return message.replace(DEADLINE, (_, seconds: string) => `no reply within ${Number(seconds).toFixed(1)} seconds`);
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
