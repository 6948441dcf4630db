/**
 * A file beside the socket that stands from the moment the speaker listens until it takes leave of its peers. Who finds it
 * at the start follows one that crashed, was killed, or ended for an upgrade: peers may still have its routes.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';

export class RestartMark {
  readonly #path: string;

  constructor(socketPath: string) {
    this.#path = `${socketPath}.running`;
  }

  get isThere(): boolean {
    return existsSync(this.#path);
  }

  set(): void {
    writeFileSync(this.#path, `${process.pid}\n`);
  }

  remove(): void {
    rmSync(this.#path, { force: true });
  }
}
