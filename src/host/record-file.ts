/** What the host was before us, in a file beside the node's name. */
import { mkdirSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { EMPTY_RECORD } from '../../felix/index.ts';
import type { HostMemory, HostRecord } from '../../felix/index.ts';
import { formatPrefix, parseInterfaceAddress } from '../model/ip.ts';

const FILE_NAME = 'host-before.json';

const schema = z.strictObject({
  /** Sysctls and links are gone with the boot and the network namespace that they were of. */
  boot: z.string(),
  netns: z.string(),
  sysctls: z.record(z.string(), z.strictObject({ before: z.string(), ours: z.string(), along: z.string().optional() })),
  links: z.record(
    z.string(),
    z
      .strictObject({
        ...{ up: z.boolean(), mtu: z.number(), addresses: z.array(z.string()) },
        pmtuDiscovery: z.boolean().exactOptional(),
      })
      .nullable(),
  ),
});

type Stored = z.infer<typeof schema>;

/** Where the record is, of a node whose name is in `nodeNameFile`. */
export const recordPath = (nodeNameFile: string): string => join(dirname(nodeNameFile), FILE_NAME);

export class HostRecordFile implements HostMemory {
  readonly #path: string;
  readonly #onBroken: (sentence: string) => void;

  /** `onBroken` hears where the file cannot be understood; it counts as none then. */
  constructor(path: string, onBroken: (sentence: string) => void) {
    this.#path = path;
    this.#onBroken = onBroken;
  }

  load(): HostRecord {
    const stored = this.#read();
    if (stored?.boot !== bootId() || stored.netns !== netnsId()) return EMPTY_RECORD;
    return {
      sysctls: new Map(
        Object.entries(stored.sysctls).map(([path, { before, ours, along }]) => [
          path,
          { before, ours, ...(along === undefined ? {} : { along }) },
        ]),
      ),
      links: new Map(
        Object.entries(stored.links).map(([name, link]) => [
          name,
          link === null
            ? undefined
            : { ...link, addresses: link.addresses.map((text) => parseInterfaceAddress(text, name)) },
        ]),
      ),
    };
  }

  save({ sysctls, links }: HostRecord): void {
    const stored: Stored = {
      ...{ boot: bootId(), netns: netnsId(), sysctls: Object.fromEntries(sysctls) },
      links: Object.fromEntries(
        [...links].map(([name, link]) => [
          name,
          link === undefined ? null : { ...link, addresses: link.addresses.map(formatPrefix) },
        ]),
      ),
    };
    mkdirSync(dirname(this.#path), { recursive: true });
    // No fsync: a file that a power failure loses tells of a boot that is over.
    writeFileSync(`${this.#path}.new`, `${JSON.stringify(stored, null, 2)}\n`);
    renameSync(`${this.#path}.new`, this.#path);
  }

  forget(): void {
    rmSync(this.#path, { force: true });
  }

  #read(): Stored | undefined {
    try {
      return schema.parse(JSON.parse(readFileSync(this.#path, 'utf8')));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      this.#onBroken(`${this.#path} is no record of what this host was: ${(error as Error).message}`);
      return undefined;
    }
  }
}

const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

/** `net:[4026531840]` */
const netnsId = (): string => readlinkSync('/proc/self/ns/net');
