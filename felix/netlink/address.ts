/** RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR: struct ifaddrmsg and its attributes. */
import type { KernelAddress } from '../kernel.ts';
import {
  LITTLE_ENDIAN,
  addressOctets,
  concat,
  decodeAttributes,
  encodeAttributes,
  readAddress,
  viewOf,
} from './attribute.ts';
import { AF, FLAG, IFA, RTM } from './constants.ts';
import type { Request } from './header.ts';

const FIXED_OCTETS = 8;

/** IFA_F_NODAD: what IPAM gave out is nobody else's, and a tunnel has nobody to ask; until the kernel had it would not use it. */
const NO_DUPLICATE_DETECTION = 2;
const SECONDARY = 1;
const DEPRECATED = 0x20;

function encodeAddress({ ifindex, address, scope }: KernelAddress, flags = 0): Uint8Array {
  const fixed = new Uint8Array(FIXED_OCTETS);
  fixed[0] = address.address.family === 4 ? AF.inet : AF.inet6;
  fixed[1] = address.length;
  fixed[2] = flags;
  fixed[3] = scope;
  viewOf(fixed).setUint32(4, ifindex, LITTLE_ENDIAN);
  const octets = addressOctets(address.address);
  const attributes = encodeAttributes([
    [IFA.local, octets],
    [IFA.address, octets],
  ]);
  return concat([fixed, attributes]);
}

export const encodeNewAddress = (address: KernelAddress): Request => ({
  type: RTM.newAddress,
  flags: FLAG.create | FLAG.excl,
  body: encodeAddress(address, address.address.address.family === 6 ? NO_DUPLICATE_DETECTION : 0),
});

export const encodeDeleteAddress = (address: KernelAddress): Request => ({
  type: RTM.delAddress,
  flags: 0,
  body: encodeAddress(address),
});

export const encodeAddressDump = (): Request => ({
  type: RTM.getAddress,
  flags: FLAG.dump,
  body: new Uint8Array(FIXED_OCTETS),
});

/** IFA_LOCAL is ours; IFA_ADDRESS is the far end of a point-to-point link, and ours everywhere else. */
export function decodeAddress(body: Uint8Array): KernelAddress | undefined {
  if (body[0] !== AF.inet && body[0] !== AF.inet6) return undefined;
  const attributes = decodeAttributes(body.subarray(FIXED_OCTETS));
  const octets = attributes.get(IFA.local) ?? attributes.get(IFA.address);
  if (octets === undefined) return undefined;
  const flags = body[2]!;
  return {
    ifindex: viewOf(body).getUint32(4, LITTLE_ENDIAN),
    address: { address: readAddress(octets), length: body[1]! },
    scope: body[3]!,
    ...((flags & SECONDARY) !== 0 && { secondary: true }),
    ...((flags & DEPRECATED) !== 0 && { deprecated: true }),
  };
}
