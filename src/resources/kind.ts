import * as z from 'zod';
import type { Json } from '../datastore/store.ts';
import { fields } from './fields.ts';
import type { Metadata } from './metadata.ts';
import { metadata } from './metadata.ts';

export const API_VERSION = 'projectcalico.org/v3';

export interface Resource<K extends string, Spec> {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: K;
  readonly metadata: Metadata;
  readonly spec: Spec;
  /** Written by controllers; carried along unread. */
  readonly status?: Readonly<Record<string, unknown>>;
}

/** What a column needs to know beyond the resource itself. */
export interface ColumnContext {
  /** AS number of nodes that have none of their own. */
  readonly globalAsn: number;
}

export interface Column<R> {
  readonly heading: string;
  readonly value: (resource: R, context: ColumnContext) => string;
}

/** A single resource that lies elsewhere than the others, in another form. */
export interface Kept {
  readonly key: string;
  readonly name: string;
  readonly toDocument: (value: Json) => object;
}

export interface Unheeded {
  /** What happens instead, after `is kept, but`. */
  readonly instead: string;
  /** The value that asks for just that. */
  readonly unless?: string;
}

/** Everything that is particular to one kind: one row of the table. */
export interface KindSpec<R> {
  readonly kind: string;
  readonly plural: string;
  /** Beside the kind and its plural, lower case. */
  readonly aliases: readonly string[];
  readonly namespaced: boolean;
  /** Made at the first call: nineteen of them would take most of the start of `calicoctl-ts get`. */
  readonly schema: () => z.ZodType<R>;
  readonly columns: readonly Column<R>[];
  readonly wideColumns: readonly Column<R>[];
  /** The agent writes it; people look at it only. */
  readonly readOnly?: true;
  /** Stored and checked; nothing here goes by it yet. */
  readonly inert?: true;
  /** Fields under `spec` that are checked and kept, and not acted upon. */
  readonly unheeded?: Readonly<Record<string, Unheeded>>;
  /** Fields under `spec` that stay as they were created. */
  readonly immutable?: readonly string[];
  /** Why a resource of this name can not be written, or not be deleted. */
  readonly reserved?: (name: string, operation: 'write' | 'delete') => string | undefined;
  readonly kept?: Kept;
  /** The order of lists; absent: by name. Equals stay in the order of their names. */
  readonly compare?: (a: R, b: R) => number;
}

/** What stands around every spec. A missing spec is an empty one: its fields say what they require. */
export const envelopeShape = <K extends string, S extends z.ZodType>(kind: K, namespaced: boolean, spec: S) => ({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal(kind),
  metadata: metadata(kind, namespaced),
  spec: z.preprocess((value) => value ?? {}, spec),
  status: z.record(z.string(), z.unknown()).exactOptional(),
});

export const envelope = <K extends string, S extends z.ZodType>(kind: K, namespaced: boolean, spec: S) =>
  fields(kind, envelopeShape(kind, namespaced, spec));

export const nameColumn: Column<{ readonly metadata: Metadata }> = {
  heading: 'NAME',
  value: ({ metadata: { name } }) => name,
};

/** Pointers of Calico's print as their value or `-`. */
export const orDash = (value: string | number | boolean | undefined): string =>
  value === undefined ? '-' : String(value);

const MAX_CELL = 80;

/** A list in one cell; Calico cuts long ones to 80 characters. */
export function joinedShort(values: readonly string[]): string {
  const joined = values.join(',');
  return joined.length <= MAX_CELL ? joined : `${joined.slice(0, MAX_CELL - 3)}...`;
}
