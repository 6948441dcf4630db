import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FuzzInput } from './mutate.ts';
import type { SessionJson } from './session.ts';
import { sessionFromJson, sessionToJson } from './session.ts';
import type { FuzzTarget } from './targets/target.ts';

/** A failure that can be had again: the input itself, and where it came from. */
export interface FuzzCase {
  readonly target: string;
  readonly seed: number;
  readonly index: number;
  readonly session: SessionJson;
  readonly hex: string;
  readonly error: string;
  readonly stack: string;
  /** ISO 8601. */
  readonly foundAt: string;
}

/** What a worker or the watch over it saw at one index. */
export interface Failure {
  readonly index: number;
  readonly target: string;
  readonly error: string;
  readonly stack: string;
}

export function caseOf(failure: Failure, seed: number, { octets, session }: FuzzInput): FuzzCase {
  const { target, index, error, stack } = failure;
  const hex = Buffer.from(octets).toString('hex');
  return {
    target,
    seed,
    index,
    session: sessionToJson(session),
    hex,
    error,
    stack,
    foundAt: new Date().toISOString(),
  };
}

/** Returns the path of the file. */
export function saveCase(directory: string, found: FuzzCase): string {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${found.target}-${found.seed}-${found.index}.json`);
  writeFileSync(file, `${JSON.stringify(found, undefined, 2)}\n`);
  return file;
}

export const loadCase = (file: string): FuzzCase => JSON.parse(readFileSync(file, 'utf8')) as FuzzCase;

export type Replay =
  { readonly kind: 'outcome'; readonly outcome: string } | { readonly kind: 'failure'; readonly error: Error };

/** Runs the case here and now; a hang hangs. */
export function replayCase({ target, hex, session }: FuzzCase, all: readonly FuzzTarget[]): Replay {
  const found = all.find(({ name }) => name === target);
  if (found === undefined) throw new Error(`no target ${target}`);
  return attempt(found, { octets: new Uint8Array(Buffer.from(hex, 'hex')), session: sessionFromJson(session) });
}

export function attempt(target: FuzzTarget, { octets, session }: FuzzInput): Replay {
  try {
    return { kind: 'outcome', outcome: target.run(octets, session) };
  } catch (error) {
    return { kind: 'failure', error: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** Failures of one kind: the text without its numbers and octets. */
export const kindOf = ({ target, error }: Pick<Failure, 'target' | 'error'>): string =>
  `${target}: ${error.replaceAll(/0x[0-9a-f]*|\d+|"[^"]*"/g, 'N').slice(0, 120)}`;
