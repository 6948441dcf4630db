import { z } from 'zod';
import { InvalidValueError } from '../model/invalid.ts';
import { parseResourceName } from '../model/resource-name.ts';
import { checkedText, fields } from './fields.ts';

export const API_VERSION = 'projectcalico.org/v3';
export const DEFAULT_NAMESPACE = 'default';

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly uid?: string;
  readonly creationTimestamp?: string;
  /** The revision of the stored entry, never stored itself. */
  readonly resourceVersion?: string;
}

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

/** Everything that is particular to one kind: one row of the table. */
export interface KindSpec<R> {
  readonly kind: string;
  readonly plural: string;
  /** Beside the kind and its plural, lower case. */
  readonly aliases: readonly string[];
  readonly namespaced: boolean;
  readonly schema: z.ZodType<R>;
  readonly columns: readonly Column<R>[];
  readonly wideColumns: readonly Column<R>[];
  /** The agent writes it; people look at it only. */
  readonly readOnly?: true;
  /** Fields under `spec` that stay as they were created. */
  readonly immutable?: readonly string[];
}

const NAME_PART = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** Kubernetes' rules: `[dns.prefix/]name`, at most 63 characters; the value likewise, or empty. */
export function checkLabel(key: string, value: string, field: string): void {
  const [name = '', prefix, ...rest] = key.split('/').reverse();
  if (rest.length > 0 || !NAME_PART.test(name)) throw new InvalidValueError(field, key, 'is not a label name');
  if (prefix !== undefined) parseResourceName(prefix, field);
  if (value !== '' && !NAME_PART.test(value))
    throw new InvalidValueError(`${field}.${key}`, value, 'is not a label value');
}

const labels = z.record(z.string(), z.string()).check((ctx) => {
  for (const [key, value] of Object.entries(ctx.value)) {
    try {
      checkLabel(key, value, '');
    } catch (error) {
      if (!(error instanceof InvalidValueError)) throw error;
      ctx.issues.push({ code: 'custom', path: [key], input: value, message: error.reason });
    }
  }
});

/** Kubernetes' tools write `creationTimestamp: null` into what they generate. */
const textOrNothing = z
  .string()
  .nullable()
  .transform((value) => value ?? undefined)
  .optional();

/** An empty map says as little as none. */
const orNothing = <T extends object>(map: T): T | undefined => (Object.keys(map).length === 0 ? undefined : map);

function metadata(kind: string, namespaced: boolean) {
  const notNamespaced = `namespace should not be specified for a non-namespaced resource. ${kind} is not a namespaced resource`;
  const namespace = checkedText((value) => parseResourceName(value));
  return fields(`${kind}.metadata`, {
    name: checkedText((value) => parseResourceName(value)),
    namespace: namespaced ? namespace.default(DEFAULT_NAMESPACE) : z.literal('', { error: notNamespaced }).optional(),
    labels: labels.transform(orNothing).optional(),
    annotations: z.record(z.string(), z.string()).transform(orNothing).optional(),
    uid: textOrNothing,
    creationTimestamp: textOrNothing,
    resourceVersion: textOrNothing,
  }).transform((value) => withoutUndefined(value) as unknown as Metadata);
}

const withoutUndefined = (value: object): object =>
  Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined && field !== ''));

/** The envelope around a kind's spec. A missing spec is an empty one: its fields say what they require. */
export function envelope<K extends string, S extends z.ZodType>(kind: K, namespaced: boolean, spec: S) {
  return fields(kind, {
    apiVersion: z.literal(API_VERSION),
    kind: z.literal(kind),
    metadata: metadata(kind, namespaced),
    spec: z.preprocess((value) => value ?? {}, spec),
    status: z.record(z.string(), z.unknown()).exactOptional(),
  });
}

export const nameColumn: Column<{ readonly metadata: Metadata }> = {
  heading: 'NAME',
  value: ({ metadata: { name } }) => name,
};

/** Pointers of Calico's print as their value or `-`. */
export const orDash = (value: string | number | boolean | undefined): string =>
  value === undefined ? '-' : String(value);
