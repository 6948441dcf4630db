/** The real nftables behind the port. Every call is synchronous, a fraction of a millisecond, in the right namespace. */
import { loadLibc, SystemError } from '../../src/linux/libc.ts';
import type { Libc } from '../../src/linux/libc.ts';
import { openNamespace, ownNamespace } from '../netlink/namespace.ts';
import type { Namespace } from '../netlink/namespace.ts';
import { openNetlinkSocket } from '../netlink/socket.ts';
import { netlinkThread } from '../netlink/thread.ts';
import { LIBRARY, loadLibnftables } from './libnftables.ts';
import type { NftContext } from './libnftables.ts';
import { LowDescriptors } from './low-descriptors.ts';
import { LIST_COMMANDS, OUR_TABLE, REMOVE_COMMANDS, readListing, replaceCommands } from './listing.ts';
import type { Listing } from './listing.ts';
import type { Nftables } from './nftables.ts';
import { NftablesUnavailableError } from './nftables.ts';
import type { NatTable } from './plan.ts';
import { TableWatch } from './table-watch.ts';

export interface LinuxNftablesOptions {
  /** Path of a network namespace, `/var/run/netns/NAME`; absent: the one that we run in. */
  readonly netns?: string;
  /** Default `libnftables.so.1`. */
  readonly library?: string;
}

/** Opens no socket yet: a host on which nobody wants NAT needs no libnftables. */
export const createLinuxNftables = (options: LinuxNftablesOptions = {}): Nftables => new LinuxNftables(options);

interface Opened {
  readonly libc: Libc;
  readonly namespace: Namespace;
  readonly context: NftContext;
}

const NO_SUCH = 'No such file or directory';
const MODULES = 'nf_tables nft_masq nft_fib_inet nft_counter';

class LinuxNftables implements Nftables {
  readonly #options: LinuxNftablesOptions;
  /** From the start: later there may be a thousand sessions. */
  readonly #descriptors = new LowDescriptors();
  #opened: Opened | undefined;
  #watch: TableWatch | undefined;
  #isClosed = false;

  constructor(options: LinuxNftablesOptions) {
    this.#options = options;
  }

  async read(): Promise<Listing | undefined> {
    await this.#watch?.mark();
    return this.#visit(({ context }) => {
      try {
        return readListing(context.run(LIST_COMMANDS));
      } catch (error) {
        if ((error as Error).message === NO_SUCH) return undefined;
        throw new Error(`list table ${TABLE_TEXT}: ${(error as Error).message}`, { cause: error });
      }
    });
  }

  replace(table: NatTable): Promise<void> {
    return this.#change(`write table ${TABLE_TEXT}`, replaceCommands(table));
  }

  remove(): Promise<void> {
    return this.#change(`delete table ${TABLE_TEXT}`, REMOVE_COMMANDS);
  }

  async watch(listener: (by: string | undefined) => void): Promise<void> {
    const previous = this.#watch;
    this.#watch = await this.#visit(({ libc }) => new TableWatch(libc, netlinkThread, listener));
    if (previous === undefined) netlinkThread.take();
    await previous?.close();
    await this.#watch.start();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#descriptors.close();
    this.#opened?.context.close();
    this.#opened?.namespace.close();
    this.#opened = undefined;
    if (this.#watch === undefined) return;
    await this.#watch.close();
    await netlinkThread.release();
  }

  #change(what: string, commands: string): Promise<void> {
    return this.#visit(({ context }) => {
      try {
        context.run(commands);
      } catch (error) {
        throw new Error(`${what}: ${withHint((error as Error).message)}`, { cause: error });
      }
    });
  }

  /** libnftables opens sockets of its own for some commands, so each call goes where the first one was. */
  #visit<T>(work: (opened: Opened) => T): Promise<T> {
    return new Promise((resolve) => {
      if (this.#isClosed) throw new Error('nftables was closed');
      resolve(
        this.#descriptors.lend(() => {
          const opened = (this.#opened ??= open(this.#options));
          return opened.namespace.visit(() => work(opened));
        }),
      );
    });
  }
}

const TABLE_TEXT = `${OUR_TABLE.family} ${OUR_TABLE.name}`;

function open({ netns, library = LIBRARY }: LinuxNftablesOptions): Opened {
  const libnftables = load(library);
  const libc = loadLibc();
  const namespace = netns === undefined ? ownNamespace : openNamespace(libc, netns);
  try {
    const context = namespace.visit(() => {
      requireNetfilter(libc);
      return libnftables.open();
    });
    return { libc, namespace, context };
  } catch (error) {
    namespace.close();
    throw error;
  }
}

function load(library: string): ReturnType<typeof loadLibnftables> {
  try {
    return loadLibnftables(library);
  } catch (error) {
    throw new NftablesUnavailableError(`${library} cannot be loaded: install libnftables (Debian: libnftables1)`, {
      cause: error,
    });
  }
}

/** libnftables ends the whole process where it gets no socket, so we ask first. */
function requireNetfilter(libc: Libc): void {
  try {
    libc.close(openNetlinkSocket(libc, { protocol: 'netfilter' }));
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new NftablesUnavailableError(`the kernel has no nftables (modprobe ${MODULES}): ${error.message}`, {
      cause: error,
    });
  }
}

/** What the kernel says of an expression, a hook or a subsystem that it does not have. */
function withHint(message: string): string {
  const isMissing = [NO_SUCH, 'Operation not supported', 'Protocol not supported'].some((text) =>
    message.includes(text),
  );
  return isMissing ? `${message}: the kernel may lack a module, modprobe ${MODULES}` : message;
}
