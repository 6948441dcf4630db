import { AS_TRANS } from '../iana.ts';
import { asPathLength, isConfederation, MAX_SEGMENT } from './as-segments.ts';
import type { AsSegment } from './path-attributes.ts';
import type { WireAttributes } from './table.ts';

/**
 * What a peer without four-octet AS numbers meant. RFC 6793 §4.2.3: AS4_PATH replaces the tail of AS_PATH that it
 * covers, unless somebody who knew neither attribute aggregated on the way.
 */
export function mergeAs4(wire: WireAttributes): Pick<WireAttributes, 'asPath' | 'aggregator'> {
  const { asPath, as4Path, aggregator, as4Aggregator } = wire;
  const aggregatedByOld = aggregator !== undefined && aggregator.asn !== AS_TRANS;
  if (aggregatedByOld && as4Aggregator !== undefined) return pick(asPath, aggregator);
  const trueAggregator = aggregator === undefined ? undefined : (as4Aggregator ?? aggregator);
  const merged = asPath === undefined || as4Path === undefined ? asPath : mergePaths(asPath, as4Path);
  return pick(merged, trueAggregator);
}

/** What a peer without four-octet AS numbers needs beside AS_PATH and AGGREGATOR. RFC 6793 §4.2.2. */
export function splitAs4({ asPath, aggregator }: WireAttributes): Pick<WireAttributes, 'as4Path' | 'as4Aggregator'> {
  const needsPath = asPath?.some((segment) => !isConfederation(segment) && segment.asns.some((asn) => asn > 0xffff));
  const needsAggregator = aggregator !== undefined && aggregator.asn > 0xffff;
  return {
    ...(asPath !== undefined &&
      needsPath === true && { as4Path: asPath.filter((segment) => !isConfederation(segment)) }),
    ...(needsAggregator && { as4Aggregator: aggregator }),
  };
}

/** The leading part of `asPath` that `as4Path` does not cover, then `as4Path`. A longer AS4_PATH is ignored. */
function mergePaths(asPath: readonly AsSegment[], as4Path: readonly AsSegment[]): readonly AsSegment[] {
  let surplus = asPathLength(asPath) - asPathLength(as4Path);
  if (surplus < 0) return asPath;
  const merged: AsSegment[] = [];
  for (const segment of asPath) {
    // Confederation segments count nothing; they stay where they lead or follow what is kept.
    if (isConfederation(segment)) {
      merged.push(segment);
      continue;
    }
    if (surplus === 0) break;
    const asns = segment.type === 'set' ? segment.asns : segment.asns.slice(0, surplus);
    merged.push({ type: segment.type, asns });
    surplus -= segment.type === 'set' ? 1 : asns.length;
  }
  return join(merged, as4Path);
}

/** One sequence that was cut in two is one sequence again, as long as it fits a segment. */
function join(head: readonly AsSegment[], tail: readonly AsSegment[]): readonly AsSegment[] {
  const last = head.at(-1);
  const first = tail[0];
  if (last?.type !== 'sequence' || first?.type !== 'sequence' || last.asns.length + first.asns.length > MAX_SEGMENT) {
    return [...head, ...tail];
  }
  return [...head.slice(0, -1), { type: 'sequence', asns: [...last.asns, ...first.asns] }, ...tail.slice(1)];
}

const pick = (
  asPath: WireAttributes['asPath'],
  aggregator: WireAttributes['aggregator'],
): Pick<WireAttributes, 'asPath' | 'aggregator'> => ({
  ...(asPath !== undefined && { asPath }),
  ...(aggregator !== undefined && { aggregator }),
});
