import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../runtime/clock.ts';
import type { PasswordLookup, SecretRef } from './peerings.ts';

/** TCP_MD5SIG_MAXKEYLEN, tcp(7). */
const MAX_PASSWORD_OCTETS = 80;

/** Secrets change by hand, and their volumes within a minute. */
const POLL_MS = 5_000;

export interface SecretFilesPorts {
  /** Absent: nobody has said where secrets are. */
  readonly directory: string | undefined;
  readonly clock: Clock;
  /** A file that was asked for says something else now. */
  readonly onChange: () => void;
}

type Told = Map<string, { readonly secret: SecretRef; readonly answer: ReturnType<PasswordLookup> }>;

/**
 * Secrets as Kubernetes mounts them: the file NAME/KEY of a directory holds the password, and is swapped under its name when
 * it changes. Those that the last computation asked for are looked at again every five seconds.
 */
export class SecretFiles {
  readonly #ports: SecretFilesPorts;
  /** What the last computation was told. */
  #told: Told = new Map();
  #stopPolling: (() => void) | undefined;

  constructor(ports: SecretFilesPorts) {
    this.#ports = ports;
  }

  /** For one computation, which reads each Secret once; what earlier ones asked for is no longer watched. */
  lookup(): PasswordLookup {
    const told: Told = new Map();
    this.#told = told;
    return (secret) => {
      const id = `${secret.name}/${secret.key}`;
      const answer = told.get(id)?.answer ?? this.#read(secret);
      told.set(id, { secret, answer });
      this.#poll();
      return answer;
    };
  }

  close(): void {
    this.#stopPolling?.();
  }

  #poll(): void {
    this.#stopPolling ??= this.#ports.clock.after(POLL_MS, () => {
      this.#stopPolling = undefined;
      if (this.#told.size === 0) return;
      const isOther = [...this.#told.values()].some(
        ({ secret, answer }) => JSON.stringify(this.#read(secret)) !== JSON.stringify(answer),
      );
      if (isOther) this.#ports.onChange();
      this.#poll();
    });
  }

  #read(secret: SecretRef): ReturnType<PasswordLookup> {
    return readSecret(this.#ports.directory, secret);
  }
}

/** The password without the newline that editors leave at its end, or why there is none. */
function readSecret(directory: string | undefined, { name, key }: SecretRef): ReturnType<PasswordLookup> {
  const id = `key ${key} of Secret ${name}`;
  if (directory === undefined) return { missing: `${id} is not to be had: CALICO_BGP_PASSWORDS is not set` };
  const path = join(directory, name, key);
  try {
    const password = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    const octets = Buffer.byteLength(password);
    if (octets === 0) return { missing: `${path} is empty` };
    if (octets <= MAX_PASSWORD_OCTETS) return { password };
    return { missing: `the password in ${path} has ${octets} octets, TCP MD5 takes ${MAX_PASSWORD_OCTETS} at most` };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { missing: code === 'ENOENT' ? `${path} does not exist` : `${path} cannot be read: ${message}` };
  }
}
