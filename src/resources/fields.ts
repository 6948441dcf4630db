import * as z from 'zod';
import { parseAsn } from '../model/asn.ts';
import { formatDuration, parseDuration } from '../model/duration.ts';
import { InvalidValueError } from '../model/invalid.ts';
import { formatIpAddress, parseInterfaceAddress, parseIpAddress } from '../model/ip.ts';
import type { IpFamily } from '../model/ip.ts';
import { nearest } from '../model/nearest.ts';
import { parseResourceName } from '../model/resource-name.ts';
import { parseSelector } from '../model/selector.ts';
import type { Selector } from '../model/selector.ts';

/**
 * An object of which every field is known: `notYet` are those that Calico has and we do not honour.
 * Accepting one of them in silence would promise what nobody keeps. One line of the message for each field.
 */
export function fields<S extends z.ZodRawShape>(owner: string, shape: S, notYet: readonly string[] = []) {
  const known = [...Object.keys(shape), ...notYet];
  const refusal = (name: string): string =>
    notYet.includes(name) ? 'is not supported yet' : notAField(name, owner, known);
  const object = z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? issue.keys.map(refusal).join('\n') : undefined),
  });
  return notYet.length === 0 ? object : object.meta({ notYet });
}

function notAField(name: string, owner: string, known: readonly string[]): string {
  const folded = known.find((candidate) => candidate.toLowerCase() === name.toLowerCase());
  const meant = folded ?? nearest(name, known, Math.max(1, Math.floor(name.length / 4)));
  return `is not a field of ${owner}${meant === undefined ? '' : `; did you mean "${meant}"?`}`;
}

/** A text that `read` turns into what is stored; what it refuses with InvalidValueError becomes a fault of the field. */
export const text = <T>(read: (value: string) => T) =>
  z.string().transform((value, ctx) => refusable(() => read(value), ctx));

/** A text that `read` must understand, stored as it was written. */
export const checkedText = (read: (value: string) => unknown) =>
  text((value) => {
    read(value);
    return value;
  });

export function refusable<T>(read: () => T, ctx: z.RefinementCtx): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InvalidValueError)) throw error;
    ctx.addIssue({ code: 'custom', message: error.reason });
    return z.NEVER;
  }
}

/** What a schema says of any wrong value; that one is missing is told elsewhere. */
export const saying =
  (reason: string) =>
  ({ input }: { readonly input?: unknown }): string | undefined =>
    input === undefined || input === null ? undefined : reason;

/** How such values are written, and what is said of one that is neither a number nor a text. */
interface NumberOrText {
  readonly examples: readonly (number | string)[];
  readonly reason: string;
}

/** A number or a text, which `read` turns into what is stored. */
export const numberOrText = <T>({ examples, reason }: NumberOrText, read: (value: number | string) => T) =>
  z
    .union([z.number(), z.string()], { error: saying(reason) })
    .meta({ type: ['integer', 'string'], samples: [...examples] })
    .transform((value, ctx) => refusable(() => read(value), ctx));

const ASN = { examples: [64512, '1.10'], reason: 'is not an AS number between 1 and 4294967295' } as const;

/** In plain or dotted form; stored as a number. */
export const asNumber = numberOrText(ASN, (value) => {
  // 1.10 without quotes reaches us as 1.1: another AS.
  if (typeof value === 'string' || Number.isInteger(value)) return parseAsn(value);
  throw new InvalidValueError('', value, ASN.reason);
});

/** Where in the value, and what is wrong there. */
export type Fault = readonly [path: readonly PropertyKey[], reason: string];

/** A rule over several fields: each of its faults becomes one of the resource. */
export const obeys =
  <T>(faults: (value: T) => readonly Fault[]) =>
  (ctx: z.core.ParsePayload<T>): void => {
    for (const [path, message] of faults(ctx.value)) {
      ctx.issues.push({ code: 'custom', path: [...path], input: ctx.value, message });
    }
  };

/** A list that names nothing twice. */
export const distinct = <T extends z.ZodType>(entry: T) =>
  z.array(entry).check((ctx) => {
    for (const [i, value] of ctx.value.entries()) {
      if (ctx.value.indexOf(value) === i) continue;
      ctx.issues.push({ code: 'custom', path: [i], input: value, message: 'is there twice' });
    }
  });

/** Both ends belong to it. */
const durationBetween = (minSeconds: number, maxSeconds: number) =>
  text((value) => {
    const ms = parseDuration(value);
    if (ms >= minSeconds * 1000 && ms <= maxSeconds * 1000) return formatDuration(ms);
    throw new InvalidValueError('', value, `is not between ${minSeconds}s and ${maxSeconds}s`);
  }).meta({ samples: ['2m0s'] });

/** RFC 4724 §3: the Restart Time has twelve bits. */
export const restartTime = durationBetween(0, 4095);

/** RFC 4271 §4.4: no faster than one a second; a third of the longest Hold Time. */
export const keepaliveTime = durationBetween(1, 21_845);

const SELECTOR = { samples: ["rack == 'a'", 'all()'] };

export const selector = checkedText((value) => parseSelector(value)).meta(SELECTOR);

/** `global()` means something only in the namespaceSelector of a rule. */
export const plainSelector = checkedText((value) => {
  if (holdsGlobal(parseSelector(value))) throw new InvalidValueError('', value, 'may not contain global()');
}).meta(SELECTOR);

export function holdsGlobal(selector: Selector): boolean {
  if (selector.op === '!') return holdsGlobal(selector.operand);
  if (selector.op === '&&' || selector.op === '||') return selector.operands.some(holdsGlobal);
  return selector.op === 'global';
}

/** The name of another resource, or of a node. */
export const resourceName = checkedText((value) => parseResourceName(value));

/** An address, or a network that need not be masked; as it was written. */
export const addressOrNetwork = checkedText((value) => parseInterfaceAddress(value)).meta({
  samples: ['10.0.0.1', '10.0.0.0/24'],
});

export const ipAddress = (family: IpFamily) =>
  text((value) => {
    const address = parseIpAddress(value);
    if (address.family !== family) throw new InvalidValueError('', value, `is not an IPv${family} address`);
    return formatIpAddress(address);
  }).meta({ samples: [family === 4 ? '10.0.0.1' : '2001:db8::1'] });

export const macAddress = z
  .string()
  .regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i, 'is not a MAC address such as 66:12:34:56:78:9a');

export function wholeNumber(min: number, max: number) {
  const error = saying(`is not a whole number between ${min} and ${max}`);
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** Lower is preferred; the inverse of LOCAL_PREF. Calico's route priorities. */
export const routePriority = wholeNumber(1, 2_147_483_646);

/** One entry of a Secret: Kubernetes' rules for the names of both. */
export const secretKeyRef = (owner: string) =>
  fields(
    `${owner}.secretKeyRef`,
    {
      name: resourceName,
      key: z.string().regex(/^(?!\.{1,2}$)[-._a-zA-Z0-9]{1,253}$/, 'is not the key of a Secret'),
    },
    ['optional'],
  );

/** A password that stands elsewhere. */
export const password = (owner: string) => fields(owner, { secretKeyRef: secretKeyRef(owner) });
