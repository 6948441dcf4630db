/** The kernel's socket options that BGP needs, as octets, on Linux x86-64 and arm64. Pure. */
import type { IpAddress, IpFamily, Prefix } from '../../src/model/ip.ts';
import { formatPrefix, hostPrefix, isHostPrefix } from '../../src/model/ip.ts';
import { SYS } from '../../src/linux/libc.ts';
import { addressOctets } from './address.ts';
import type { LinkOptions } from './transport.ts';

export interface SocketOption {
  readonly level: number;
  readonly name: number;
  readonly value: Uint8Array;
  /** In words, for whoever is told that the kernel refuses it. */
  readonly what: string;
}

const IP = { level: 0, tos: 1, ttl: 2, minTtl: 21, bindAddressNoPort: 24 } as const;
const IPV6 = { level: 41, unicastHops: 16, v6Only: 26, tclass: 67, minHopCount: 73 } as const;
const TCP = { level: 6, noDelay: 1, info: 11, md5: 14, saveSyn: 27, savedSyn: 28, md5Ext: 32 } as const;

/** Network control, as every router marks BGP: precedence 6, DSCP CS6. RFC 4594 §3.2. */
const NETWORK_CONTROL = 0xc0;
/** Far enough for any peer that is not next door. */
const PLAIN_TTL = 64;
const MAX_TTL = 255;
/** TCP_MD5SIG_MAXKEYLEN */
const MAX_KEY_OCTETS = 80;

const MD5_OCTETS = 216;
const MD5_FLAG_PREFIX = 1;
/** Where struct tcp_md5sig has what; the address comes first, in 128 octets. */
const MD5_AT = { flags: 128, prefixLength: 129, keyLength: 130, key: 136 } as const;

/** TCP_INFO, of which the first octets are enough: struct tcp_info has tcpi_retransmits in the third. */
export const INFO = { level: TCP.level, name: TCP.info, octets: 8 } as const;
export const retransmitsIn = (info: Uint8Array): number | undefined => info[2];

/** What every connection of a family has. */
export const plainOptions = (family: IpFamily): readonly SocketOption[] => [
  { level: TCP.level, name: TCP.noDelay, value: int(1), what: 'TCP_NODELAY' },
  family === 4
    ? { level: IP.level, name: IP.tos, value: int(NETWORK_CONTROL), what: 'IP_TOS' }
    : { level: IPV6.level, name: IPV6.tclass, value: int(NETWORK_CONTROL), what: 'IPV6_TCLASS' },
];

/**
 * How far the other side may be. GTSM, RFC 5082 §3: `hops` 1 is the directly connected peer, of which only TTL 255 is
 * taken; each hop more takes one off. FRR's `ttl-security hops`, BIRD's `multihop` with `ttl security`, and Calico's
 * `ttlSecurity` count the same way.
 */
export function distanceOptions(family: IpFamily, hops: number | undefined): readonly SocketOption[] {
  if (hops === undefined) return PLAIN_DISTANCE[family];
  const least = int(MAX_TTL + 1 - hops);
  return [
    ttlOption(family, MAX_TTL, 'TTL security'),
    family === 4
      ? { level: IP.level, name: IP.minTtl, value: least, what: 'TTL security' }
      : { level: IPV6.level, name: IPV6.minHopCount, value: least, what: 'TTL security' },
  ];
}

const ttlOption = (family: IpFamily, ttl: number, what = 'TTL'): SocketOption =>
  family === 4
    ? { level: IP.level, name: IP.ttl, value: int(ttl), what }
    : { level: IPV6.level, name: IPV6.unicastHops, value: int(ttl), what };

/** A new socket takes packets of any TTL, and so does one that our listeners let in. */
const PLAIN_DISTANCE = { 4: [ttlOption(4, PLAIN_TTL)], 6: [ttlOption(6, PLAIN_TTL)] } as const;

/** A listener's SYN-ACK must please a caller that wants TTL 255, and it is sent before we know who calls. */
export const listenerTtl = (family: IpFamily): SocketOption => ttlOption(family, MAX_TTL);

/** A listener's: the kernel keeps the header of each SYN. What a caller says before we have judged it is queued by then. */
export const SAVE_SYN: SocketOption = { level: TCP.level, name: TCP.saveSyn, value: int(1), what: 'TCP_SAVE_SYN' };
/** Of a connection that came in: that header, from IP on, once. */
export const SAVED_SYN = { level: TCP.level, name: TCP.savedSyn } as const;

/** Why a caller is too far away, by the header of its SYN; undefined where it is not, or nothing was kept. RFC 5082 §3. */
export function distanceFault(syn: Uint8Array, hops: number): string | undefined {
  const ttl = syn[(syn[0] ?? 0) >> 4 === 6 ? 7 : 8];
  const least = MAX_TTL + 1 - hops;
  if (ttl === undefined || ttl >= least) return undefined;
  return `it comes from farther away than TTL security lets in: TTL ${ttl} of at least ${least}`;
}

/** What comes from `prefix` and goes there is signed with `password`; without one, no more. RFC 2385. */
export function md5Option(prefix: Prefix, password: string | undefined): SocketOption {
  const isHost = isHostPrefix(prefix);
  const key = new TextEncoder().encode(password ?? '');
  const value = new Uint8Array(MD5_OCTETS);
  value.set(socketAddress(prefix.address, 0), 0);
  if (!isHost) {
    value[MD5_AT.flags] = MD5_FLAG_PREFIX;
    value[MD5_AT.prefixLength] = prefix.length;
  }
  value.set(new Uint8Array(Uint16Array.of(key.length).buffer), MD5_AT.keyLength);
  value.set(key.subarray(0, MAX_KEY_OCTETS), MD5_AT.key);
  const what = isHost ? 'TCP-MD5' : `TCP-MD5 for ${formatPrefix(prefix)}`;
  return { level: TCP.level, name: isHost ? TCP.md5 : TCP.md5Ext, value, what };
}

export const deviceOption = (name: string): SocketOption => ({
  level: SYS.solSocket,
  name: SYS.soBindToDevice,
  value: new TextEncoder().encode(`${name}\0`),
  what: `interface ${name}`,
});

/** Before a bind whose port the kernel picks: it does so at connect, and two peers may share one. */
export const LATE_PORT: SocketOption = {
  level: IP.level,
  name: IP.bindAddressNoPort,
  value: int(1),
  what: 'IP_BIND_ADDRESS_NO_PORT',
};

export const REUSE_ADDRESS: SocketOption = {
  level: SYS.solSocket,
  name: SYS.soReuseAddress,
  value: int(1),
  what: 'SO_REUSEADDR',
};

export const IPV6_ONLY: SocketOption = { level: IPV6.level, name: IPV6.v6Only, value: int(1), what: 'IPV6_V6ONLY' };

/** All that protects a connection with `address`. `linkFault` must have found nothing. */
export const linkOptions = (
  address: IpAddress,
  { ttlSecurityHops, password }: LinkOptions,
): readonly SocketOption[] => [
  ...distanceOptions(address.family, ttlSecurityHops),
  ...(password === undefined ? [] : [md5Option(hostPrefix(address), password)]),
];

/** Why nothing can be protected so, in one sentence; undefined where it can. */
export function linkFault({ ttlSecurityHops, password }: LinkOptions): string | undefined {
  if (ttlSecurityHops !== undefined && !(ttlSecurityHops >= 1 && ttlSecurityHops <= MAX_TTL)) {
    return `TTL security of ${ttlSecurityHops} hops is not possible: 1 to ${MAX_TTL} are`;
  }
  return password === undefined ? undefined : passwordFault(password);
}

/** The kernel cuts a long name, and takes an empty one for none: both would be another link. */
export const interfaceFault = (name: string | undefined): string | undefined =>
  name === undefined || /^[^\s/]{1,15}$/.test(name) ? undefined : `there is no interface ${JSON.stringify(name)}`;

/** An empty key would take the protection away, and a longer one the kernel refuses. */
export function passwordFault(password: string): string | undefined {
  const octets = new TextEncoder().encode(password).length;
  if (octets === 0) return 'the password is empty';
  return octets > MAX_KEY_OCTETS
    ? `the password has ${octets} octets, and TCP-MD5 takes ${MAX_KEY_OCTETS} at most`
    : undefined;
}

/** struct sockaddr_in or sockaddr_in6. The link of a link-local address is the socket's own (SO_BINDTODEVICE). */
export function socketAddress(address: IpAddress, port: number): Uint8Array {
  const octets = new Uint8Array(address.family === 4 ? 16 : 28);
  const family = address.family === 4 ? SYS.familyIpv4 : SYS.familyIpv6;
  octets.set(new Uint8Array(Uint16Array.of(family).buffer), 0);
  octets[2] = port >> 8;
  octets[3] = port & 255;
  octets.set(addressOctets(address), address.family === 4 ? 4 : 8);
  return octets;
}

function int(value: number): Uint8Array {
  return new Uint8Array(Int32Array.of(value).buffer);
}
