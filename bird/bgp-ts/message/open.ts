import type { Capability } from '../capability/capability.ts';
import { decodeCapability, encodeCapability } from '../capability/table.ts';
import { BgpError } from '../error.ts';
import { openError } from '../iana.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { MessageCodec } from './codec.ts';
import type { Open } from './message.ts';
import { copyOf } from '../reader.ts';

const VERSION = 4;
const CAPABILITIES = 2;
/** As the type of the first parameter it says that lengths have two octets, RFC 9072 §2. */
const EXTENDED = 255;
const MAX_SHORT = 255;

/** RFC 4271 §4.2. AS, hold time and identifier are not judged here: only the two sides together can. */
export const open: MessageCodec<Open> = {
  decode: (body) => {
    const version = body.u8();
    if (version !== VERSION) {
      // RFC 4271 §6.2: the data is the largest version we speak, in two octets.
      throw new BgpError(
        `version ${version} is not ${VERSION}`,
        openError.unsupportedVersion,
        Uint8Array.of(0, VERSION),
      );
    }
    const fixed = { version, asn: body.u16(), holdSeconds: body.u16(), bgpIdentifier: body.u32() };
    return { type: 'open', ...fixed, ...decodeParameters(body) };
  },
  encode: (out, open) => {
    const { version, asn, holdSeconds, bgpIdentifier } = open;
    out.u8(version);
    out.u16(asn);
    out.u16(holdSeconds);
    out.u32(bgpIdentifier);
    encodeParameters(out, open);
  },
};

type Parameters = Pick<Open, 'capabilities' | 'parameters' | 'extendedParameters'>;

function decodeParameters(body: Reader): Parameters {
  const capabilities: Capability[] = [];
  const parameters: number[] = [];
  const declared = body.u8();
  // RFC 9072 §2: the type decides, and the length in front of it is ignored then.
  const extended = declared !== 0 && body.left > 0 && body.bytes[body.at] === EXTENDED;
  if (extended) body.u8();
  const octets = extended ? body.u16() : declared;
  if (octets !== body.left) {
    throw new BgpError(`optional parameters of ${octets} octets, but ${body.left} follow`, openError.unspecific);
  }
  while (body.left > 0) {
    const start = body.at;
    const type = body.u8();
    const parameter = body.part(extended ? body.u16() : body.u8());
    if (type !== CAPABILITIES) {
      // Departs from RFC 4271 §6.2, which names no data: the parameter itself, as BIRD sends it.
      const data = copyOf(body.bytes, start, body.at);
      throw new BgpError(`optional parameter ${type} is not supported`, openError.unsupportedParameter, data);
    }
    const before = capabilities.length;
    while (parameter.left > 0) capabilities.push(decodeCapability(parameter));
    parameters.push(capabilities.length - before);
  }
  const plainOctets = octets - (extended ? parameters.length : 0);
  return {
    capabilities,
    ...(parameters.some((count) => count !== 1) && { parameters }),
    ...(extended && plainOctets <= MAX_SHORT && { extendedParameters: true }),
  };
}

/** One parameter per capability: some old speakers read no more than one. RFC 9072's form only where 255 octets are too few. */
function encodeParameters(out: Writer, { capabilities, parameters, extendedParameters }: Parameters): void {
  const encoded = capabilities.map(encodeCapability);
  const groups = parameters === undefined ? encoded : grouped(encoded, parameters);
  const plainOctets = groups.reduce((sum, { length }) => sum + 2 + length, 0);
  const extended = plainOctets > MAX_SHORT || extendedParameters === true;
  if (extended) {
    out.u8(EXTENDED);
    out.u8(EXTENDED);
  }
  out.prefixed(extended ? 2 : 1, () => {
    for (const group of groups) {
      out.u8(CAPABILITIES);
      out.prefixed(extended ? 2 : 1, () => out.bytes(group));
    }
  });
}

/** The capabilities of each parameter, one behind the other. Throws a plain Error where the counts are not theirs. */
function grouped(capabilities: readonly Uint8Array[], counts: readonly number[]): readonly Uint8Array[] {
  if (counts.reduce((sum, count) => sum + count, 0) !== capabilities.length) {
    throw new Error(`parameters ${counts.join(' ')} do not hold ${capabilities.length} capabilities`);
  }
  let next = 0;
  return counts.map((count) => Uint8Array.from(capabilities.slice(next, (next += count)).flatMap((each) => [...each])));
}
