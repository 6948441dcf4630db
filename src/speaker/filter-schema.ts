/** A filter's rules in the words of Calico's BGPFilter, both families in one list. Where Calico wraps a value, the bare one does too. */
import * as z from 'zod';
import { anyCommunity, asn, family, prefix, strict, wholeNumber } from './fields.ts';

/** Calico's `{value: …}`, or the value alone. */
const wrapped = <T extends z.ZodType>(key: string, inner: T) =>
  z.union([inner, strict({ [key]: inner }).transform((object) => object[key] as z.output<T>)]);

const asnList = z.array(asn).min(1, 'is empty').max(10, 'has more than 10 AS numbers');

/** Calico's scale: the smaller the better, LOCAL_PREF = 2147483647 − priority. */
const priority = wholeNumber(1, 2_147_483_646);
const localPref = wholeNumber(0, 0xffff_ffff);

const operation = strict({
  addCommunity: wrapped('value', anyCommunity).exactOptional(),
  prependASPath: wrapped('prefix', asnList).exactOptional().meta({ description: 'The first becomes the nearest' }),
  setPriority: wrapped('value', priority).exactOptional(),
  setLocalPref: wrapped('value', localPref).exactOptional(),
}).refine((value) => Object.keys(value).length === 1, { error: 'is not exactly one operation' });
export type Operation = z.output<typeof operation>;

export const rule = strict({
  action: z.enum(['Accept', 'Reject']),
  cidr: prefix.exactOptional(),
  matchOperator: z.enum(['Equal', 'NotEqual', 'In', 'NotIn']).exactOptional().meta({ description: 'Goes with `cidr`' }),
  prefixLength: strict({ min: wholeNumber(0, 128).exactOptional(), max: wholeNumber(0, 128).exactOptional() })
    .exactOptional()
    .meta({ description: "Lengths of the route's prefix; default: from the cidr's own to all" }),
  family: family.exactOptional().meta({ description: "Default: the cidr's, else both" }),
  source: z.enum(['RemotePeers', 'Local']).exactOptional().meta({ description: 'Learned by BGP, or from `originate`' }),
  interface: z
    .string()
    .regex(/^[a-zA-Z0-9_.*-]{1,15}$/, 'is not the name of an interface, with "*" for any characters')
    .exactOptional()
    .meta({ description: 'Of the next hop, where it is known' }),
  peerType: z.enum(['eBGP', 'iBGP']).exactOptional(),
  communities: z
    .union([
      anyCommunity,
      strict({ values: z.tuple([anyCommunity], 'is not a list of one community') }).transform(
        ({ values: [value] }) => value,
      ),
    ])
    .exactOptional()
    .meta({ description: 'One that the route must carry' }),
  asPathPrefix: asnList.exactOptional().meta({ description: 'How the AS_PATH must begin, nearest AS first' }),
  priority: priority.exactOptional().meta({ description: "Calico's scale: LOCAL_PREF = 2147483647 − priority" }),
  localPref: localPref.exactOptional(),
  operations: z
    .array(operation)
    .min(1, 'is empty')
    .max(10, 'has more than 10 operations')
    .exactOptional()
    .meta({ description: 'In order; with `Accept` alone' }),
});
export type Rule = z.output<typeof rule>;
