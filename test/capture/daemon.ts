import type { Capability } from '../../bird/bgp-ts/index.ts';
import type { SessionText } from './fixture.ts';
import type { DaemonHost } from './lab.ts';

/** A BGP daemon that can be recorded. */
export interface Daemon {
  readonly name: string;
  /** Debian's package. */
  readonly package: string;
  /** Files that must be there. */
  readonly programs: readonly string[];
  /** The command that prints its version; the first line counts. */
  readonly version: readonly [string, ...string[]];
  /** Who opens the TCP connection: `recorder` dials the daemon, `daemon` the recorder. */
  readonly dials: 'recorder' | 'daemon';
  /** Starts it on the host; resolves when `control` may be called. */
  start(lab: DaemonHost, config: string): Promise<void>;
  /** One line for its own command line; gives what that printed. Throws where it fails. */
  control(lab: DaemonHost, line: string): string;
  readonly sessions: readonly CaptureSession[];
  readonly cannot: Readonly<Record<string, string>>;
}

export interface CaptureSession extends SessionText {
  readonly ours: OurSide;
}

/** What the recorder says in its OPEN. */
export interface OurSide {
  readonly asn: number;
  readonly capabilities: readonly Capability[];
  /** The IP version of the TCP session; 4 where nothing is said. */
  readonly over?: 4 | 6;
}
