/**
 * Hears who changes our table. The kernel tells of every change to nftables (NFNLGRP_NFTABLES, linux/netfilter/nfnetlink.h):
 * each object that a transaction touches, then NFT_MSG_NEWGEN with who did it. Waits by SIGURG.
 */
import { isMainThread } from 'node:worker_threads';
import { SYS, SystemError, uninterrupted } from '../../src/linux/libc.ts';
import type { Libc } from '../../src/linux/libc.ts';
import { decodeAttributes, readText, viewOf } from '../netlink/attribute.ts';
import { AF } from '../netlink/constants.ts';
import { decodeMessages } from '../netlink/header.ts';
import type { Message } from '../netlink/header.ts';
import { netlinkAddress } from '../netlink/socket.ts';
import { OUR_TABLE } from './listing.ts';

export const NETLINK_NETFILTER = 12;
const NFNLGRP_NFTABLES = 7;
const NFNL_SUBSYS_NFTABLES = 10;
const NFPROTO_INET = 1;
/** struct nfgenmsg: family, version, resource. */
const NFGENMSG_OCTETS = 4;
const NFT_MSG_NEWGEN = 15;
/** In every NFTA_*_TABLE of what a table holds, and NFTA_TABLE_NAME. */
const TABLE_ATTRIBUTE = 1;
const NFTA_GEN = { processId: 2, processName: 3 } as const;

const SIGNAL = 'SIGURG';
const SIGNAL_NUMBER = 23;
const DATAGRAM_OCTETS = 64 << 10;
/** After so many datagrams others have their turn. */
const DATAGRAMS_PER_TURN = 64;
const MAX_SKIPPED = 10_000;

/** From the messages of a watch socket to who changed our table: for each transaction that did, one. */
export class TableChanges {
  #isTouched = false;

  /** `process 71 (nft)`; undefined in the list where the kernel does not tell. */
  read(messages: readonly Message[]): readonly (string | undefined)[] {
    const changes: (string | undefined)[] = [];
    for (const { type, body } of messages) {
      if (type >> 8 !== NFNL_SUBSYS_NFTABLES || body.length < NFGENMSG_OCTETS) continue;
      const attributes = decodeAttributes(body.subarray(NFGENMSG_OCTETS));
      if ((type & 0xff) !== NFT_MSG_NEWGEN) {
        const table = attributes.get(TABLE_ATTRIBUTE);
        const isOurs = body[0] === NFPROTO_INET && table !== undefined && readText(table) === OUR_TABLE.name;
        this.#isTouched ||= isOurs;
      } else if (this.#isTouched) {
        changes.push(processText(attributes));
        this.#isTouched = false;
      }
    }
    return changes;
  }
}

function processText(attributes: ReadonlyMap<number, Uint8Array>): string | undefined {
  const [id, name] = [attributes.get(NFTA_GEN.processId), attributes.get(NFTA_GEN.processName)];
  // Netfilter's numbers are in network order.
  return id === undefined || name === undefined ? undefined : `process ${viewOf(id).getUint32(0)} (${readText(name)})`;
}

export class TableWatch {
  readonly #libc: Libc;
  readonly #listener: (by: string | undefined) => void;
  readonly #fd: number;
  readonly #buffer = new Uint8Array(DATAGRAM_OCTETS);
  readonly #changes = new TableChanges();
  readonly #onSignal = (): void => this.#hear();
  #open = true;

  /** Subscribed when this returns, in the namespace that the thread is in now. Throws SystemError. */
  constructor(libc: Libc, listener: (by: string | undefined) => void) {
    if (!isMainThread) throw new Error('nftables can only be watched from the main thread: signals reach no other');
    this.#libc = libc;
    this.#listener = listener;
    this.#fd = openSocket(libc);
    process.on(SIGNAL, this.#onSignal);
    libc.fcntl(this.#fd, SYS.fcntlSetOwner, process.pid);
    libc.fcntl(this.#fd, SYS.fcntlSetSignal, SIGNAL_NUMBER);
    libc.fcntl(this.#fd, SYS.fcntlSetFlags, SYS.fileAsync | SYS.socketNonBlocking);
  }

  /** Forgets what has come until now: whoever reads the table next sees all of it. */
  skip(): void {
    // Whoever is that busy will be heard later, which costs one look more.
    for (let i = 0; i < MAX_SKIPPED; i++) if (this.#receive() === 'nothing') return;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#libc.close(this.#fd);
    process.off(SIGNAL, this.#onSignal);
  }

  #hear(): void {
    for (let i = 0; i < DATAGRAMS_PER_TURN; i++) {
      // A listener may close us.
      if (!this.#open) return;
      const changes = this.#receive();
      if (changes === 'nothing') return;
      for (const by of changes) this.#listener(by);
    }
    setImmediate(this.#onSignal);
  }

  #receive(): readonly (string | undefined)[] | 'nothing' {
    try {
      const octets = uninterrupted(() => this.#libc.receive(this.#fd, this.#buffer));
      if (octets > this.#buffer.length) return [undefined];
      return this.#changes.read(decodeMessages(this.#buffer.subarray(0, octets)));
    } catch (error) {
      if (error instanceof SystemError && error.code === 'EAGAIN') return 'nothing';
      // Events were lost; one of them may have been about us.
      if (error instanceof SystemError && error.code === 'ENOBUFS') return [undefined];
      throw error;
    }
  }
}

function openSocket(libc: Libc): number {
  const type = SYS.socketRaw | SYS.socketCloseOnExec | SYS.socketNonBlocking;
  const fd = libc.socket(AF.netlink, type, NETLINK_NETFILTER);
  try {
    libc.bind(fd, netlinkAddress(1 << (NFNLGRP_NFTABLES - 1)));
  } catch (error) {
    libc.close(fd);
    throw error;
  }
  return fd;
}
