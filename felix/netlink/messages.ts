/** What the main thread and the netlink thread say to each other. Octets are handed over, not copied. */

/** What the thread is born with. */
export interface ThreadOrder {
  /** An eventfd that is written to after each message: the thread sleeps in poll(2) and hears nothing else. */
  readonly wakeFd: number;
}

/** One datagram to the kernel; the answer is over with a verdict or an end of dump on message `until`. */
export interface Exchange {
  readonly do: 'exchange';
  readonly fd: number;
  readonly octets: Uint8Array<ArrayBuffer>;
  readonly until: number;
  /** The kernel is done with it in some ten microseconds, where nobody holds its lock. */
  readonly isBrief?: boolean;
}

/** One sysctl, by its path below /proc/sys; without `value` it is read. */
export interface SysctlAccess {
  readonly path: string;
  readonly value?: string;
}

/** One after the other, in the network namespace of a descriptor; undefined: in ours. */
export interface SysctlTask {
  readonly do: 'sysctls';
  readonly namespaceFd: number | undefined;
  readonly accesses: readonly SysctlAccess[];
}

/** Whose process a netlink port of that namespace is; see port-owner.ts. Answered in JSON. */
export interface PortQuestion {
  readonly do: 'owner';
  readonly namespaceFd: number | undefined;
  readonly port: number;
}

/** Reads a non-blocking socket whenever something has come, until it is told to forget it. `taken`: one more may be told. */
export interface WatchSocket {
  readonly do: 'watch' | 'forget' | 'taken';
  readonly fd: number;
}

/** So many `heard` of one socket may wait for the main thread; what comes then stays with the kernel, which counts what it loses. */
export const MAX_HEARD = 32;

export type Task = Exchange | SysctlTask | PortQuestion | WatchSocket;

export type ToThread = (Task & { readonly id: number }) | { readonly do: 'halt' };

/** A system call failed: the number of its errno and what it was. */
export interface Failure {
  readonly ok: false;
  readonly call: string;
  readonly errno: number;
}

export interface Success {
  readonly ok: true;
  readonly text?: string;
  /** Of several accesses: what each came to, in order. */
  readonly each?: readonly (string | Failure)[];
  /** The answer, or the last part of it. */
  readonly octets?: Uint8Array<ArrayBuffer>;
}

export type Outcome = Success | Failure;

export type FromThread =
  /** A part of an answer that has more parts, as many whole datagrams as fit. */
  | { readonly type: 'octets'; readonly id: number; readonly octets: Uint8Array<ArrayBuffer> }
  | { readonly type: 'done'; readonly id: number; readonly outcome: Outcome }
  /** From a watched socket; `overrun`: the kernel threw away what did not fit. */
  | { readonly type: 'heard'; readonly fd: number; readonly octets: Uint8Array<ArrayBuffer> | 'overrun' };
