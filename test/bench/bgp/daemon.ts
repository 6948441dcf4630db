/** What the runner needs to know of a daemon. Each is one file in daemons/ and one row in daemons/index.ts. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Addresses, Family, LoadPeer } from './topology.ts';

/** `router` keeps a table; `relay` passes on without one, `sink` only reads: both show what the generator can do. */
export type DaemonKind = 'router' | 'relay' | 'sink';

/** One run's facts, from which a daemon makes its configuration. */
export interface RunContext {
  /** This run's own: configuration, sockets and logs. Removed after it. */
  readonly folder: string;
  readonly family: Family;
  readonly addresses: Addresses;
  readonly peers: readonly LoadPeer[];
  readonly isReflector: boolean;
}

/** Accepts the peers of a run, imports and exports all (eBGP: next hop self), and writes nothing to a kernel. */
export interface LoadedDaemon {
  readonly name: string;
  readonly kind: DaemonKind;
  /** How many processes there are when it is ready. */
  readonly processes: number;
  /** In one line; undefined where it is not installed here. */
  version(): string | undefined;
  /** Files to be written to the folder, by name; read and written by root alone. */
  configure(run: RunContext): Readonly<Record<string, string>>;
  /** It must stay in the foreground. */
  command(run: RunContext): readonly string[];
}

export const inFolder = ({ folder }: RunContext, name: string): string => join(folder, name);

/** The first line that a command prints, on whichever stream; undefined where it cannot be run. */
export function firstLine(command: string, ...args: readonly string[]): string | undefined {
  try {
    const printed = execFileSync('sh', ['-c', 'exec "$@" 2>&1', 'sh', command, ...args], {
      encoding: 'utf8',
      env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
    });
    return printed.trim().split('\n')[0];
  } catch {
    return undefined;
  }
}

/** Whether a socket of the network namespace of `pid` listens on this port. */
export function listens(pid: number, port: number): boolean {
  const LISTEN = '0A';
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return ['tcp', 'tcp6'].some((table) => {
    try {
      const rows = readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n').slice(1);
      return rows.some((row) => {
        const [, local, , state] = row.trim().split(/\s+/);
        return state === LISTEN && local?.endsWith(suffix) === true;
      });
    } catch {
      return false;
    }
  });
}
