import { BgpError } from '../error.ts';
import { openError } from '../iana.ts';
import { constant, flag, optional, record, text } from '../json/codec.ts';
import { decodeUtf8, encodeUtf8 } from '../utf8.ts';
import type { CapabilitySpec, Named } from './spec.ts';

/**
 * draft-abraitis-bgp-version-capability: a text, behind its length as FRR and GoBGP write it, or `bare` as ExaBGP does
 * today. For people only.
 */
export const softwareVersion: CapabilitySpec<Named<'software-version'>> = {
  code: 75,
  onMalformed: 'keep',
  json: record<Named<'software-version'>>({ name: constant('software-version'), version: text, bare: optional(flag) }),
  line: ({ version }) => `software ${version}`,
  decode: (value) => {
    const octets = value.rest();
    const bare = octets[0] !== octets.length - 1;
    const version = decodeUtf8(bare ? octets : octets.subarray(1));
    if (version === undefined || (bare && !isPrintable(version))) {
      throw new BgpError('neither a text nor a text behind its length', openError.unspecific);
    }
    return { name: 'software-version', version, ...(bare && { bare }) };
  },
  encode: (out, { version, bare }) => {
    const octets = encodeUtf8(version);
    if (bare !== true) out.prefixed(1, () => out.bytes(octets));
    else if (isPrintable(version) && octets[0] !== octets.length - 1) out.bytes(octets);
    else throw new Error('a bare software version would be read as one behind its length, or as none');
  },
};

/** Something to read, and nothing that a length octet could be. */
const isPrintable = (version: string): boolean => version !== '' && !/\p{Cc}/u.test(version);
