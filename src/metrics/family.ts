/** A metric family as a row of a table: what it is called, what it means, and how it is read off a moment. */
import type { Moment } from './moment.ts';

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  /** A counter only grows while the process lives. */
  readonly type: 'gauge' | 'counter';
  /** One sentence, with the unit or the meaning of the values. */
  readonly help: string;
  readonly labels: readonly string[];
  /** None: the family is left out of this scrape. */
  readonly read: (moment: Moment) => readonly Sample[];
}

/** `true` is 1; undefined: nothing is known, and nothing is said. */
export type Value = number | boolean | undefined;

type Row = (name: string, help: string, read: (moment: Moment) => Value) => Family;

const row =
  (type: Family['type']): Row =>
  (name, help, read) => ({ ...{ name, type, help, labels: [] }, read: (moment) => sample(read(moment)) });

export const gauge = row('gauge');
export const counter = row('counter');

/** A sample with labels, or none where its value is not known. */
export function sample(value: Value, labels?: Labels): readonly Sample[] {
  if (value === undefined) return [];
  return [{ value: Number(value), ...(labels !== undefined && { labels }) }];
}

interface LabelledRow extends Pick<Family, 'name' | 'help' | 'read'> {
  readonly labels: readonly string[];
}

export const gauges = (given: LabelledRow): Family => ({ type: 'gauge', ...given });
export const counters = (given: LabelledRow): Family => ({ type: 'counter', ...given });
