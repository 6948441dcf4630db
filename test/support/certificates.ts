import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const HAS_OPENSSL = process.env['CI'] !== undefined || spawnSync('openssl', ['version']).status === 0;

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface CertificateOptions {
  /** `IP:127.0.0.1`, `DNS:etcd.example`; default: loopback. */
  readonly names?: string;
  /** From now; negative: it has run out. Default: a day. */
  readonly days?: number;
}

/** A certificate authority in a temporary directory, by openssl. */
export class CertificateAuthority {
  readonly #directory = mkdtempSync(join(tmpdir(), 'calico-ts-ca-'));
  readonly #files: CertificateFiles;
  #serial = 1;

  constructor(name: string) {
    this.#files = { certFile: this.#at('ca.pem'), keyFile: this.#at('ca.key') };
    const subject = ['-subj', `/CN=${name}`, '-days', '2'];
    this.#openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      ...subject,
      ...['-keyout', this.#files.keyFile, '-out', this.#files.certFile],
    );
  }

  get caFile(): string {
    return this.#files.certFile;
  }

  /** For servers and clients alike. */
  issue(name: string, { names = 'IP:127.0.0.1,DNS:localhost', days = 1 }: CertificateOptions = {}): CertificateFiles {
    const serial = String(this.#serial++);
    const files = { certFile: this.#at(`${name}-${serial}.pem`), keyFile: this.#at(`${name}-${serial}.key`) };
    const [request, extensions] = [this.#at('request'), this.#at('extensions')];
    writeFileSync(extensions, `subjectAltName=${names}\nextendedKeyUsage=serverAuth,clientAuth\n`);
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', files.keyFile];
    this.#openssl('req', ...key, '-subj', `/CN=${name}`, '-out', request);
    const by = ['-CA', this.#files.certFile, '-CAkey', this.#files.keyFile, '-set_serial', serial];
    this.#openssl(
      'x509',
      '-req',
      '-in',
      request,
      ...by,
      '-days',
      String(days),
      '-extfile',
      extensions,
      '-out',
      files.certFile,
    );
    return files;
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #at(name: string): string {
    return join(this.#directory, name);
  }

  #openssl(...args: readonly string[]): void {
    const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
  }
}
