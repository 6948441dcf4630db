import * as z from 'zod';
import { InvalidValueError } from '../model/invalid.ts';
import { parseResourceName } from '../model/resource-name.ts';
import { checkedText, fields } from './fields.ts';

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
  /** Kubernetes' own, as Calico's CNI plugin stores them; carried along unread. */
  readonly generateName?: string;
  readonly generation?: number;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly Readonly<Record<string, unknown>>[];
}

const NAME_PART = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** What Kubernetes allows of all annotations together, keys included. */
const MAX_ANNOTATION_OCTETS = 256 * 1024;

/** Kubernetes' rules: `[dns.prefix/]name`, at most 63 characters; the value likewise, or empty. */
export function checkLabel(key: string, value: string, field: string): void {
  checkKey(key, field, 'is not a label name');
  if (value !== '' && !NAME_PART.test(value))
    throw new InvalidValueError(`${field}.${key}`, value, 'is not a label value');
}

function checkKey(key: string, field: string, reason: string): void {
  const [name = '', prefix, ...rest] = key.split('/').reverse();
  if (rest.length > 0 || !NAME_PART.test(name)) throw new InvalidValueError(field, key, reason);
  if (prefix !== undefined) parseResourceName(prefix, field);
}

/** A map whose entries `check` must accept; what it refuses with InvalidValueError becomes a fault of the entry. */
const checkedMap = (check: (key: string, value: string) => void) =>
  z.record(z.string(), z.string()).check((ctx) => {
    for (const [key, value] of Object.entries(ctx.value)) {
      try {
        check(key, value);
      } catch (error) {
        if (!(error instanceof InvalidValueError)) throw error;
        ctx.issues.push({ code: 'custom', path: [key], input: value, message: error.reason });
      }
    }
  });

export const labels = checkedMap((key, value) => checkLabel(key, value, ''));

/** Their keys are those of labels, in any case; their values are free. */
export const annotations = checkedMap((key) =>
  checkKey(key.toLowerCase(), '', 'is not the name of an annotation'),
).check((ctx) => {
  const size = new TextEncoder().encode(Object.entries(ctx.value).flat().join('')).length;
  if (size <= MAX_ANNOTATION_OCTETS) return;
  const message = `are ${size} octets long together, which is more than ${MAX_ANNOTATION_OCTETS}`;
  ctx.issues.push({ code: 'custom', input: ctx.value, message });
});

/** Kubernetes' tools write `creationTimestamp: null` into what they generate. */
const textOrNothing = z
  .string()
  .nullable()
  .transform((value) => value ?? undefined)
  .optional();

/** An empty map says as little as none. */
const orNothing = <T extends object>(map: T): T | undefined => (Object.keys(map).length === 0 ? undefined : map);

export function metadata(kind: string, namespaced: boolean) {
  const notNamespaced = `namespace should not be specified for a non-namespaced resource. ${kind} is not a namespaced resource`;
  const namespace = checkedText((value) => parseResourceName(value));
  return fields(`${kind}.metadata`, {
    name: checkedText((value) => parseResourceName(value)),
    namespace: namespaced ? namespace.default(DEFAULT_NAMESPACE) : z.literal('', { error: notNamespaced }).optional(),
    labels: labels.transform(orNothing).optional(),
    annotations: annotations.transform(orNothing).optional(),
    uid: textOrNothing,
    creationTimestamp: textOrNothing,
    resourceVersion: textOrNothing,
    generateName: textOrNothing,
    generation: z.int().optional(),
    deletionTimestamp: textOrNothing,
    deletionGracePeriodSeconds: z.int().optional(),
    finalizers: z.array(z.string()).optional(),
    ownerReferences: z.array(z.record(z.string(), z.unknown())).optional(),
    // Notes of Kubernetes' API server; as good as absent.
    managedFields: z
      .unknown()
      .transform(() => undefined)
      .optional(),
    selfLink: z
      .unknown()
      .transform(() => undefined)
      .optional(),
  }).transform((value) => withoutUndefined(value) as unknown as Metadata);
}

const withoutUndefined = (value: object): object =>
  Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined && field !== ''));
