import type { Datastore, Encapsulation, SwitchKind } from './options.ts';

/** What was asked for, or picked, once and for the whole cluster. */
export interface ClusterChoice {
  readonly datastore: Datastore;
  readonly encap: Encapsulation;
  readonly switches: SwitchKind;
  /** The directory that holds `config` and `dist`. */
  readonly project: string;
}
