/**
 * Hears who changes our table. The kernel tells of every change to nftables (NFNLGRP_NFTABLES, linux/netfilter/nfnetlink.h):
 * each object that a transaction touches, then NFT_MSG_NEWGEN with who did it and the number of the generation that it made. The
 * netlink thread reads it as it comes; whoever reads the table asks for the generation first, and hears of no earlier one any more.
 */
import type { Libc } from '../../src/linux/libc.ts';
import { decodeAttributes, readText, viewOf } from '../netlink/attribute.ts';
import { decodeMessages } from '../netlink/header.ts';
import type { Message, Request } from '../netlink/header.ts';
import { Monitor } from '../netlink/monitor.ts';
import { NetlinkSocket, openNetlinkSocket } from '../netlink/socket.ts';
import type { Heard, Performer } from '../netlink/thread.ts';
import { OUR_TABLE } from './listing.ts';

const NFNLGRP_NFTABLES = 7;
const NFNL_SUBSYS_NFTABLES = 10;
const NFPROTO_INET = 1;
/** struct nfgenmsg: family, version, resource. */
const NFGENMSG_OCTETS = 4;
const NFT_MSG = { newGeneration: 15, getGeneration: 16 } as const;
/** In every NFTA_*_TABLE of what a table holds, and NFTA_TABLE_NAME. */
const TABLE_ATTRIBUTE = 1;
const NFTA_GEN = { id: 1, processId: 2, processName: 3 } as const;

/** A transaction that touched our table, or may have. */
export interface TableChange {
  /** `process 71 (nft)`, as far as the kernel tells. */
  readonly by?: string;
  /** Absent: events were lost. */
  readonly generation?: number;
}

/** From what a watching socket hears to the transactions that touched our table; those of others leave no trace. */
export class TableChanges {
  #isTouched = false;

  read(heard: Heard): readonly TableChange[] {
    if (heard === 'overrun') return [{}];
    return decodeMessages(heard).flatMap((message) => this.#take(message));
  }

  #take({ type, body }: Message): readonly TableChange[] {
    if (type >> 8 !== NFNL_SUBSYS_NFTABLES || body.length < NFGENMSG_OCTETS) return [];
    if ((type & 0xff) !== NFT_MSG.newGeneration) {
      const table = decodeAttributes(body.subarray(NFGENMSG_OCTETS)).get(TABLE_ATTRIBUTE);
      const isOurs = body[0] === NFPROTO_INET && table !== undefined && readText(table) === OUR_TABLE.name;
      this.#isTouched ||= isOurs;
      return [];
    }
    if (!this.#isTouched) return [];
    this.#isTouched = false;
    return [decodeGeneration(body)];
  }
}

/** Netfilter's numbers are in network order. */
function decodeGeneration(body: Uint8Array): TableChange {
  const attributes = decodeAttributes(body.subarray(NFGENMSG_OCTETS));
  const number = (attribute: number): number | undefined => {
    const octets = attributes.get(attribute);
    return octets === undefined ? undefined : viewOf(octets).getUint32(0);
  };
  const [generation, process] = [number(NFTA_GEN.id), number(NFTA_GEN.processId)];
  const name = attributes.get(NFTA_GEN.processName);
  return {
    ...(generation !== undefined && { generation }),
    ...(process !== undefined && name !== undefined && { by: `process ${process} (${readText(name)})` }),
  };
}

const GET_GENERATION: Request = {
  type: (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG.getGeneration,
  flags: 0,
  body: new Uint8Array(NFGENMSG_OCTETS),
};

/** Generations are counted round 32 bits. */
const isNewer = (generation: number, than: number): boolean => ((generation - than) | 0) > 0;

export class TableWatch {
  readonly #questions: NetlinkSocket;
  readonly #monitor: Monitor<TableChange>;
  readonly #listener: (by: string | undefined) => void;
  /** What the last reader saw; undefined: nobody has read yet. */
  #seen: number | undefined;
  /** While somebody asks for the generation nobody can say what is news. */
  #asking = 0;
  #held: TableChange[] = [];

  /** Subscribed when this returns, in the namespace that the thread is in now. Throws SystemError. */
  constructor(libc: Libc, thread: Performer, listener: (by: string | undefined) => void) {
    this.#listener = listener;
    const groups = 1 << (NFNLGRP_NFTABLES - 1);
    const fd = openNetlinkSocket(libc, { protocol: 'netfilter', groups, nonBlocking: true });
    try {
      this.#questions = new NetlinkSocket(libc, thread, 'netfilter');
    } catch (error) {
      libc.close(fd);
      throw error;
    }
    const changes = new TableChanges();
    this.#monitor = new Monitor(
      { libc, thread, fd },
      (heard) => changes.read(heard),
      (change) => this.#hear(change),
    );
  }

  start(): Promise<void> {
    return this.#monitor.start();
  }

  /** Whoever reads the table after this has seen all until now, and hears of none of it. */
  async mark(): Promise<void> {
    this.#asking++;
    // Where the kernel does not say, one look more is all that it costs.
    const answer = await this.#questions.query(GET_GENERATION).catch(() => undefined);
    this.#asking--;
    if (answer !== undefined && 'body' in answer) this.#seen = decodeGeneration(answer.body).generation ?? this.#seen;
    for (const change of this.#held.splice(0)) this.#hear(change);
  }

  async close(): Promise<void> {
    await Promise.all([this.#monitor.close(), this.#questions.close()]);
  }

  #hear(change: TableChange): void {
    const { by, generation } = change;
    if (this.#asking > 0) this.#held.push(change);
    else if (generation === undefined || this.#seen === undefined || isNewer(generation, this.#seen))
      this.#listener(by);
  }
}
