import type { IpFamily } from '../../src/model/ip.ts';
import type { AdjRibIn } from '../rib/adj-rib-in.ts';
import type { Lane } from '../rib/lane.ts';
import type { PrefixTable } from '../rib/prefix-table.ts';
import type { Chores, Walk } from './chores.ts';
import type { RoutingCore, RoutingPeer } from './peer.ts';

const WALKS = ['sweep', 'judge', 'age', 'room', 'source'] as const;
/** What goes on behind the changes, one of each at a time. */
export type RowsWalk = (typeof WALKS)[number];

/** A walk over the rows of a peer. */
export interface RowWork {
  /** Lanes that have such rows; the walk is over where none does. */
  readonly lanes: (lane: Lane) => boolean;
  readonly rows: (lane: Lane, prefix: number) => boolean;
  /** How many rows it was, with those behind that it took along: `most` at most. */
  readonly visit: (lane: Lane, prefix: number, most: number) => number;
  readonly end?: () => void;
}

export type RowVisit = (lane: Lane, prefix: number) => void;

/** Each row by itself. */
export const rowByRow = (visit: RowVisit): RowWork['visit'] => {
  return (lane, prefix) => {
    visit(lane, prefix);
    return 1;
  };
};

/** The walks over what one peer said in one family. */
export class RowWalks {
  readonly #chores: Chores;
  readonly #prefixes: PrefixTable;
  readonly #adjRibIn: AdjRibIn;
  /** Whose they are, in their names. */
  readonly #owner: string;

  constructor({ chores, tables }: RoutingCore, peer: RoutingPeer, family: IpFamily) {
    this.#chores = chores;
    this.#prefixes = tables[family].prefixes;
    this.#adjRibIn = peer.adjRibIn[family];
    this.#owner = `${peer.index} IPv${family}`;
  }

  /** Anew where one of the kind is under way. */
  begin(what: RowsWalk, { lanes, rows, visit, end }: RowWork): void {
    const [prefixes, adjRibIn] = [this.#prefixes, this.#adjRibIn];
    const walk: Walk = {
      rows: () => (adjRibIn.lanes.some(lanes) ? prefixes.capacity : 0),
      visit: (prefix, most) => {
        let done = 0;
        for (const lane of adjRibIn.lanes) if (rows(lane, prefix)) done = visit(lane, prefix, most);
        return done;
      },
      ...(end !== undefined && { end }),
    };
    this.#chores.set(this.#nameOf(what), walk);
  }

  isUnderWay(what: RowsWalk): boolean {
    return this.#chores.has(this.#nameOf(what));
  }

  /** Nothing goes on behind the changes any more. */
  close(): void {
    for (const what of WALKS) this.#chores.drop(this.#nameOf(what));
  }

  #nameOf(what: RowsWalk): string {
    return `${what} ${this.#owner}`;
  }
}
