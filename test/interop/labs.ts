/** The labs of one daemon's trials: one for each trial that disturbs something, one for all that only look. */
import { SpeakerLab } from '../support/speaker-lab.ts';

export class Labs {
  readonly #name: string;
  readonly #own = new Set<SpeakerLab>();
  readonly #shared = new Set<SpeakerLab>();
  #opened = 0;

  /** `name` is short, its own among all tests. */
  constructor(name: string) {
    this.#name = name;
  }

  /** For one trial; `closeOwn` ends it, whatever became of the trial. */
  open(...hosts: readonly string[]): SpeakerLab {
    return this.#open(hosts, this.#own);
  }

  /** What `prepare` makes of a lab: once, when a trial asks for it first. `closeAll` ends it. */
  shared<T>(hosts: readonly string[], prepare: (lab: SpeakerLab) => Promise<T>): () => Promise<T> {
    let prepared: Promise<T> | undefined;
    return () => {
      if (prepared !== undefined) return prepared;
      return (prepared = prepare(this.#open(hosts, this.#shared)));
    };
  }

  async closeOwn(): Promise<void> {
    await closeEach(this.#own);
  }

  async closeAll(): Promise<void> {
    await this.closeOwn();
    await closeEach(this.#shared);
  }

  #open(hosts: readonly string[], among: Set<SpeakerLab>): SpeakerLab {
    const lab = new SpeakerLab(`${this.#name}${++this.#opened}`, hosts);
    among.add(lab);
    return lab;
  }
}

async function closeEach(labs: Set<SpeakerLab>): Promise<void> {
  const closing = [...labs];
  labs.clear();
  await Promise.all(closing.map((lab) => lab.close()));
}
