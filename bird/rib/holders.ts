/** Nobody holds the prefix. */
export const NOBODY = -1;
/** More than one does: ask for the list. */
export const SEVERAL = -2;

/**
 * Who has a path of each prefix, holders being small integers: one integer where it is a single one, which is nearly
 * always; only the others have a list. Holds no prefix alive: its user does, for as long as somebody stands here.
 */
export class Holders {
  readonly #lists = new Map<number, readonly number[]>();
  #only = new Int32Array(8).fill(NOBODY);

  /** A holder, NOBODY or SEVERAL. */
  only(prefix: number): number {
    return this.#only[prefix] ?? NOBODY;
  }

  /** In the order in which they came. */
  all(prefix: number): readonly number[] {
    const only = this.only(prefix);
    if (only === NOBODY) return [];
    return only === SEVERAL ? this.#lists.get(prefix)! : [only];
  }

  add(prefix: number, holder: number): void {
    if (prefix >= this.#only.length) this.#only = grown(this.#only, prefix + 1);
    const only = this.#only[prefix]!;
    if (only === holder) return;
    if (only === NOBODY) {
      this.#only[prefix] = holder;
    } else if (only === SEVERAL) {
      const list = this.#lists.get(prefix)!;
      if (!list.includes(holder)) this.#lists.set(prefix, [...list, holder]);
    } else {
      this.#only[prefix] = SEVERAL;
      this.#lists.set(prefix, [only, holder]);
    }
  }

  remove(prefix: number, holder: number): void {
    const only = this.only(prefix);
    if (only === holder) {
      this.#only[prefix] = NOBODY;
    } else if (only === SEVERAL) {
      const left = this.#lists.get(prefix)!.filter((other) => other !== holder);
      this.#lists.set(prefix, left);
      if (left.length > 1) return;
      this.#lists.delete(prefix);
      this.#only[prefix] = left[0] ?? NOBODY;
    }
  }
}

function grown(column: Int32Array<ArrayBuffer>, rows: number): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(Math.max(rows, column.length * 2)).fill(NOBODY);
  longer.set(column);
  return longer;
}
