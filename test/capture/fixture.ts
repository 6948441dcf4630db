import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CodecContext, FamilyKey } from '../../bird/bgp-ts/index.ts';

/** Everything that one daemon sent, in one file. */
export interface CaptureFixture {
  readonly daemon: string;
  /** As the daemon itself prints it. */
  readonly version: string;
  /** Name and version of the Debian package. */
  readonly package: string;
  /** The day of the capture, `2026-11-25`. */
  readonly made: string;
  /** The command line that made the file. */
  readonly how: string;
  /** What this daemon cannot be made to send, and why, by session or subject. */
  readonly cannot: Readonly<Record<string, string>>;
  readonly sessions: readonly CapturedSession[];
}

export interface CapturedSession extends SessionText {
  readonly context: ContextText;
  /** Our OPEN as hex. */
  readonly sent: string;
  /** Each message of the daemon as hex: the OPEN, one KEEPALIVE, all UPDATEs. */
  readonly messages: readonly string[];
}

/**
 * What is written by hand: the daemon's config and what must follow from it. SOCKET and COMMANDS in a config stand for
 * files of the one run.
 */
export interface SessionText {
  readonly name: string;
  readonly config: string;
  /** Lines for the daemon's own command line before the session starts. */
  readonly before?: readonly string[];
  /** The same after the first feed. */
  readonly after?: readonly string[];
  readonly expect: readonly Expected[];
}

/** A CodecContext as JSON holds it. */
export interface ContextText {
  readonly fourOctetAs: boolean;
  readonly addPath: readonly FamilyKey[];
  readonly extendedNextHop: readonly FamilyKey[];
  readonly extendedMessage: boolean;
  readonly external: boolean;
}

/** What a receiver must understand, in any order, as the messages come in any. */
export type Expected =
  | ({ readonly family: FamilyKey; readonly announce: NlriText } & AttributesText)
  | { readonly family: FamilyKey; readonly withdraw: NlriText }
  | { readonly family: FamilyKey; readonly endOfRib: true };

/**
 * A prefix; with labels, a route distinguisher (`type:administrator:number`) or a path identifier (`any`: the daemon
 * chose it); or the components of a FlowSpec rule. A component's values: `=6`, `>=1&<=9 | =12`; of bit masks `=2` where
 * the match bit is set, `!2` where the not bit is, `2` where neither.
 */
export type NlriText =
  | string
  | {
      readonly prefix: string;
      readonly pathId?: number | 'any';
      readonly labels?: readonly number[];
      readonly rd?: string;
    }
  | { readonly flow: readonly string[]; readonly rd?: string };

/** Attributes in the words of people. What is not named here must not be in the message. */
export interface AttributesText {
  readonly origin: 'igp' | 'egp' | 'incomplete';
  /** `64512 {1,2}`; the empty path is the empty string. */
  readonly asPath: string;
  readonly nextHop?: string;
  readonly med?: number;
  readonly localPref?: number;
  readonly atomicAggregate?: true;
  /** `65010 192.0.2.1` */
  readonly aggregator?: string;
  readonly communities?: readonly string[];
  readonly largeCommunities?: readonly string[];
  /** `rt 65010:100`, `soo 192.0.2.1:7`; anything else as 16 digits of hex. */
  readonly extendedCommunities?: readonly string[];
  readonly originatorId?: string;
  readonly clusterList?: readonly string[];
  /** Unknown attributes, `code value` with the value as hex. */
  readonly unknown?: readonly string[];
  /** The metric of RFC 7311. */
  readonly aigp?: number;
}

export const FIXTURES = 'test/vectors/captures';

export const fixturePath = (daemon: string, folder = FIXTURES): string => join(folder, `${daemon}.json`);

/** Throws where the file is not there. */
export const readFixture = (daemon: string): CaptureFixture =>
  JSON.parse(readFileSync(fixturePath(daemon), 'utf8')) as CaptureFixture;

export const contextOf = (text: ContextText): CodecContext => ({
  ...text,
  addPath: new Set(text.addPath),
  extendedNextHop: new Set(text.extendedNextHop),
});
