/** Which address of a host is the node's: every one considered, ranked, and each with its reason. Pure. */
import { formatDetectionMethod } from '../config/detection-method.ts';
import type { DetectionMethod } from '../config/detection-method.ts';
import type { HostAddress, HostInterface } from '../../felix/index.ts';
import { formatPrefix, sameAddress } from '../model/ip.ts';
import type { InterfaceAddress, IpAddress, IpFamily } from '../model/ip.ts';
import { isPassedOverByName, specialKind } from './autodetect-links.ts';
import { demerits, isUsable, ownerOfVirtual, refuseAddress, refuseLink, withSubnet } from './autodetect-rules.ts';
import type { Question, Refusal } from './autodetect-rules.ts';

/** One row of the ranking. */
export interface Candidate {
  readonly interfaceName: string;
  /** Absent where the interface has none of the family. */
  readonly address?: InterfaceAddress;
  readonly standing: 'taken' | 'lower' | 'left out';
  /** `is the only one that fits`, `is a bridge`: what comes after the subject. */
  readonly reason: string;
}

export type Detection = {
  readonly reason: string;
  /** What is taken, what would do as well in order, and what is left out: one row for each interface that is as a whole. */
  readonly candidates: readonly Candidate[];
} & (
  | {
      readonly kind: 'found';
      readonly address: InterfaceAddress;
      readonly interfaceName: string;
      /** Only the order of interfaces decided between it and the next. */
      readonly isAmbiguous: boolean;
    }
  | { readonly kind: 'none' }
);

/** What the host has, as far as detection looks. */
export interface DetectionInputs {
  readonly family: IpFamily;
  readonly interfaces: readonly HostInterface[];
  /** For can-reach: the source address that the kernel would use towards the destination. */
  readonly sourceTowards?: IpAddress;
  /** For kubernetes-internal-ip: of the Node resource, either family. Absent: it has none. */
  readonly internalIps?: readonly IpAddress[];
  /** The address that the node has: it stays while it is up and the method does not exclude it. */
  readonly stored?: IpAddress;
}

interface Considered {
  readonly link: HostInterface;
  readonly address?: HostAddress;
  /** Of the link as a whole, or of this address. */
  readonly refusal?: Refusal & { readonly isOfLink: boolean };
  readonly demerits: readonly (string | undefined)[];
}

/**
 * This node's address with its subnet's length, by Calico's method. What is as good as another is taken by the
 * interfaces' indexes, the highest first, as Calico does, and the verdict says that it was so.
 */
export function detectAddress(method: DetectionMethod, inputs: DetectionInputs): Detection {
  const { family, sourceTowards, internalIps = [], stored } = inputs;
  const interfaces = inputs.interfaces.toSorted((a, b) => b.index - a.index);
  const wanted = wantedBy(sourceTowards, interfaces);
  const question: Question = { method, family, interfaces, internalIps, ...(wanted && { wanted }) };
  const considered = interfaces.flatMap((link) => considerLink(link, question));
  const fit = considered.filter(({ refusal }) => refusal === undefined).sort(compareDemerits);
  const kept = stored && findKept(stored, considered);
  const taken = kept ?? fit[0];
  const others = fit.filter((each) => each !== taken);
  const refused = leftOut(considered.filter((each) => each !== taken));
  if (taken?.address === undefined) {
    const reason = `no IPv${family} address by ${formatDetectionMethod(method)}: ${whyNone(method, inputs, refused)}`;
    return { kind: 'none', reason, candidates: refused };
  }
  const isAmbiguous = kept === undefined && others.some((each) => compareDemerits(each, taken) === 0);
  const address = withSubnet(taken.address, taken.link);
  const interfaceName = taken.link.name;
  const how = kept === undefined ? `by ${formatDetectionMethod(method)}` : 'which the node has already';
  return {
    ...{ kind: 'found', address, interfaceName, isAmbiguous },
    reason: `${formatPrefix(address)} of ${interfaceName}, ${how}`,
    candidates: [
      asRow(taken, 'taken', whyTaken(taken, { isKept: kept !== undefined, isAmbiguous, count: fit.length })),
      ...others.map((each) => asRow(each, 'lower', whyLower(each, taken, kept !== undefined))),
      ...refused,
    ],
  };
}

/** The interface address that equals `address`: its mask is what CrossSubnet needs, never /32 by default. */
export function maskOf(address: IpAddress, interfaces: readonly HostInterface[]): InterfaceAddress | undefined {
  for (const link of interfaces) {
    const found = link.addresses.find((each) => sameAddress(each.address, address));
    if (found !== undefined) return withSubnet(found, link);
  }
  return undefined;
}

/** `eth0 10.0.0.5/24 is a secondary address`; the first rows, and how many more there are. */
export function candidateLines(candidates: readonly Candidate[], limit = 20): readonly string[] {
  const lines = candidates
    .slice(0, limit)
    .map(({ interfaceName, address, reason }) =>
      [interfaceName, address && formatPrefix(address), reason].filter(Boolean).join(' '),
    );
  return candidates.length > limit ? [...lines, `and ${candidates.length - limit} more`] : lines;
}

/** A virtual address may be the source towards itself; its interface's own is meant then. */
function wantedBy(source: IpAddress | undefined, links: readonly HostInterface[]): IpAddress | undefined {
  if (source === undefined) return undefined;
  const carried = links.flatMap((link) =>
    link.up ? link.addresses.filter(({ address }) => sameAddress(address, source)).map((each) => ({ each, link })) : [],
  );
  const owners = carried.map(({ each, link }) => ownerOfVirtual(each, link));
  return owners.every((owner) => owner !== undefined) ? (owners[0]?.address ?? source) : source;
}

/** One entry for each usable address; one for a link without any, unless nobody would look for one there. */
function considerLink(link: HostInterface, question: Question): readonly Considered[] {
  const { family } = question;
  const usable = link.addresses.filter(({ address }) => address.family === family && isUsable(address));
  const ofLink = refuseLink(link, question);
  if (usable.length === 0) {
    if (isPassedOverByName(link) || specialKind(link) !== undefined) return [];
    const refusal = ofLink ?? { reason: `has no IPv${family} address`, isOurs: false };
    return [{ link, refusal: { ...refusal, isOfLink: true }, demerits: [] }];
  }
  return usable.map((address) => {
    const refusal = ofLink ?? refuseAddress(address, link, question);
    return {
      ...{ link, address, demerits: demerits(address, link, question) },
      ...(refusal && { refusal: { ...refusal, isOfLink: refusal === ofLink } }),
    };
  });
}

const asRow = ({ link, address }: Considered, standing: Candidate['standing'], reason: string): Candidate => ({
  interfaceName: link.name,
  ...(address && { address: { address: address.address, length: address.length } }),
  ...{ standing, reason },
});

/** A link that is left out as a whole is one row: kube-ipvs0 has the address of every service. */
function leftOut(considered: readonly Considered[]): readonly Candidate[] {
  const links = new Set<HostInterface>();
  return considered.flatMap((each) => {
    const { link, refusal } = each;
    if (refusal === undefined || (refusal.isOfLink && links.has(link))) return [];
    links.add(link);
    return [asRow(each, 'left out', refusal.reason)];
  });
}

/** What Calico would pass over is not kept; what only we would not take anew is. */
function findKept(stored: IpAddress, considered: readonly Considered[]): Considered | undefined {
  const same = considered.filter(({ address }) => address !== undefined && sameAddress(address.address, stored));
  return same.find(({ refusal }) => refusal === undefined) ?? same.find(({ refusal }) => refusal?.isOurs);
}

/** Below zero where `a` is better. */
function compareDemerits(a: Considered, b: Considered): number {
  const differing = a.demerits.findIndex((each, i) => (each === undefined) !== (b.demerits[i] === undefined));
  if (differing < 0) return 0;
  return a.demerits[differing] === undefined ? -1 : 1;
}

function whyTaken(
  { demerits: against, refusal }: Considered,
  { isKept, isAmbiguous, count }: { readonly isKept: boolean; readonly isAmbiguous: boolean; readonly count: number },
): string {
  const although = [refusal?.reason, ...against].find((each) => each !== undefined);
  const end = although === undefined ? '' : `, although it ${although}`;
  if (isKept) return `stays, for the node has it and it is up${end}`;
  if (count === 1) return `is the only one that fits${end}`;
  return isAmbiguous ? `comes first of what would do as well${end}` : `is the best that fits${end}`;
}

function whyLower(each: Considered, taken: Considered, isKept: boolean): string {
  const worse = each.demerits.find((demerit, i) => demerit !== undefined && taken.demerits[i] === undefined);
  if (compareDemerits(each, taken) > 0 && worse !== undefined) return worse;
  if (isKept) return 'would do, but the address that the node has stays while it is up';
  if (each.link === taken.link) return 'would do as well, but comes later on its interface';
  return 'would do as well, but its interface has a lower index';
}

function whyNone(
  method: DetectionMethod,
  { family, sourceTowards, internalIps = [] }: DetectionInputs,
  refused: readonly Candidate[],
): string {
  if (method.kind === 'can-reach' && sourceTowards === undefined) {
    return `no IPv${family} route leads there, or the name is not known here`;
  }
  if (method.kind === 'kubernetes-internal-ip' && !internalIps.some((internal) => internal.family === family)) {
    return `spec.addresses of the Node resource has no IPv${family} address of type InternalIP`;
  }
  return refused.length === 0 ? 'there is no interface' : candidateLines(refused).join(', ');
}
