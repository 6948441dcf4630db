/**
 * A pass over the rows of a table that goes on behind the changes, a little at a time. The cursor is the number of a row,
 * which is its own for as long as anybody holds it: so the table may change between two steps. What changes meanwhile,
 * before the cursor or behind it, is for those who change it to bring about; a walk that finds it done does nothing.
 */
export interface Walk {
  /** One more than the last row; asked before each, so 0 ends the walk. */
  readonly rows: () => number;
  /** How many rows there were with something to do, each of which is a step: it may take rows behind this one along, `most` at most. */
  readonly visit: (row: number, most: number) => number;
  /** After the last row. */
  readonly end?: () => void;
}

/** So many rows with nothing to do make one step. */
const IDLE_ROWS = 16;

/** A walk where it stands. */
class Course {
  readonly #walk: Walk;
  #row = 0;

  constructor(walk: Walk) {
    this.#walk = walk;
  }

  /**
   * How many steps it was, `most` at most; 0 where there is no row left. A row that throws is left behind, and the next step goes on
   * with the next.
   */
  step(most: number): number {
    const { rows, visit } = this.#walk;
    for (let idle = 0; idle < IDLE_ROWS; idle++) {
      if (this.#row >= rows()) return 0;
      const done = visit(this.#row++, most);
      if (done > 0) return done;
    }
    return 1;
  }

  end(): void {
    this.#walk.end?.();
  }
}

/** What is to be done to whole tables, so that no turn of the loop has to go through one. */
export class Chores {
  readonly #waiting = new Map<string | symbol, Course>();

  get hasWork(): boolean {
    return this.#waiting.size > 0;
  }

  has(name: string): boolean {
    return this.#waiting.has(name);
  }

  /** Begins anew where one of this name is under way. */
  set(name: string, walk: Walk): void {
    this.#waiting.delete(name);
    this.#waiting.set(name, new Course(walk));
  }

  /** One that nobody asks for again. */
  add(walk: Walk): void {
    this.#waiting.set(Symbol('walk'), new Course(walk));
  }

  drop(name: string): void {
    this.#waiting.delete(name);
  }

  /** At most so many steps of the oldest, then of the next. */
  run(most: number): void {
    let left = most;
    for (const [name, course] of this.#waiting) {
      while (left > 0 && this.#waiting.get(name) === course) {
        const steps = course.step(left);
        left -= Math.max(1, steps);
        if (steps > 0) continue;
        this.#waiting.delete(name);
        course.end();
      }
      if (left === 0) return;
    }
  }
}
