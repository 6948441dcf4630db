import type { AsSegment, CodecContext, Message, PathAttributes } from '../../bird/bgp-ts/index.ts';

/**
 * A message as it may be compared after encoding. Through a session with two-octet AS numbers the path comes back as
 * RFC 6793 §4.2.3 puts it together, so that the lengths of AS_PATH and AS4_PATH may be others.
 */
export function comparable(message: Message, session: CodecContext): unknown {
  if (message.type !== 'update' || session.fourOctetAs) return message;
  return { ...message, form: undefined, attributes: comparableAttributes(message.attributes, session) };
}

/** The same for attributes alone, whose order is the encoder's. */
export function comparableAttributes(attributes: PathAttributes, { fourOctetAs }: CodecContext): PathAttributes {
  const { unknown, asPath } = attributes;
  const sorted = unknown !== undefined && unknown.length > 1 ? [...unknown].sort((a, b) => a.code - b.code) : unknown;
  if (fourOctetAs || asPath === undefined) {
    return sorted === unknown || sorted === undefined ? attributes : { ...attributes, unknown: sorted };
  }
  return { ...attributes, ...(sorted !== undefined && { unknown: sorted }), asPath: joined(asPath) };
}

/** Neighboring sequences as one; without the confederation segments behind the first hop, which AS4_PATH does not hold. */
function joined(asPath: readonly AsSegment[]): readonly AsSegment[] {
  const list: AsSegment[] = [];
  for (const segment of asPath) {
    const last = list.at(-1);
    if (last !== undefined && segment.type.startsWith('confed')) continue;
    if (last?.type === 'sequence' && segment.type === 'sequence') {
      list[list.length - 1] = { type: 'sequence', asns: [...last.asns, ...segment.asns] };
    } else list.push(segment);
  }
  return list;
}
