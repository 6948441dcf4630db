/** Which of a peer's routes selection may use. Pure; a rejection is a small number that Adj-RIB-In keeps with the route. */
import type { PathAttributes } from '../wire.ts';

/** What import asks of us and of the session. */
export interface ImportContext {
  /** Our AS towards this peer. */
  readonly localAsn: number;
  readonly bgpIdentifier: number;
  readonly clusterId: number | undefined;
  readonly allowOwnAsn: number;
  readonly external: boolean;
  /** Our end of the TCP connection, as next hop octets. */
  readonly localAddress: Uint8Array;
}

export const ACCEPTED = 0;

/** In the order in which they are tested; the number is the place. */
const REJECTIONS = [
  'accepted',
  'AS_PATH holds our own AS',
  'ORIGINATOR_ID is our own BGP Identifier',
  'CLUSTER_LIST holds our own cluster id',
  'the next hop is our own address',
  'the next hop is no host address',
  'the prefix lies inside a block of this node',
] as const;

export const REJECTED_OWN_BLOCK = 6;

export function rejectionText(rejection: number, { localAsn }: Pick<ImportContext, 'localAsn'>): string {
  const text = REJECTIONS[rejection] ?? `rule ${rejection}`;
  return rejection === 1 ? `${text} ${localAsn}` : text;
}

/** What the attributes alone decide, for all prefixes of an UPDATE at once. */
export function judgeAttributes(attributes: PathAttributes, context: ImportContext): number {
  if (countAsn(attributes, context.localAsn) > context.allowOwnAsn) return 1; // RFC 4271 §9.1.2
  if (!context.external && attributes.originatorId === context.bgpIdentifier) return 2; // RFC 4456 §8
  if (context.clusterId !== undefined && attributes.clusterList?.includes(context.clusterId) === true) return 3;
  const { nextHop } = attributes;
  if (nextHop === undefined || !isHostAddress(nextHop)) return 5;
  if (sameOctets(nextHop, context.localAddress)) return 4; // RFC 4271 §6.3: logged and ignored, the session stays
  return ACCEPTED;
}

function countAsn({ asPath = [] }: PathAttributes, asn: number): number {
  let count = 0;
  for (const { asns } of asPath) for (const one of asns) if (one === asn) count++;
  return count;
}

function isHostAddress(nextHop: Uint8Array): boolean {
  const first = nextHop[0] ?? 0;
  if (nextHop.length === 4) return first !== 0 && first !== 127 && first < 224;
  return first !== 0xff && nextHop.subarray(0, 16).some((octet) => octet !== 0);
}

const sameOctets = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((octet, i) => octet === b[i]);
