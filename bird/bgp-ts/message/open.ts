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
    return { type: 'open', ...fixed, capabilities: decodeParameters(body) };
  },
  encode: (out, { version, asn, holdSeconds, bgpIdentifier, capabilities }) => {
    out.u8(version);
    out.u16(asn);
    out.u16(holdSeconds);
    out.u32(bgpIdentifier);
    encodeParameters(out, capabilities.map(encodeCapability));
  },
};

function decodeParameters(body: Reader): readonly Capability[] {
  const capabilities: Capability[] = [];
  const declared = body.u8();
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
      const data = copyOf(body.bytes, start, body.at);
      throw new BgpError(`optional parameter ${type} is not supported`, openError.unsupportedParameter, data);
    }
    while (parameter.left > 0) capabilities.push(decodeCapability(parameter));
  }
  return capabilities;
}

/** One parameter per capability: some old speakers read no more than one. RFC 9072's form only where 255 octets are too few. */
function encodeParameters(out: Writer, capabilities: readonly Uint8Array[]): void {
  const plainOctets = capabilities.reduce((sum, { length }) => sum + 2 + length, 0);
  const extended = plainOctets > 255;
  if (extended) {
    out.u8(EXTENDED);
    out.u8(EXTENDED);
  }
  out.prefixed(extended ? 2 : 1, () => {
    for (const capability of capabilities) {
      out.u8(CAPABILITIES);
      out.prefixed(extended ? 2 : 1, () => out.bytes(capability));
    }
  });
}
