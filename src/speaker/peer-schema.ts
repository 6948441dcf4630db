/** The settings of a peer as the file has them. Every one may stand with the peer, in a template, and in `defaults`. */
import * as z from 'zod';
import {
  asn,
  family,
  interfaceName,
  ipAddress,
  name,
  password,
  peerAddress,
  prefix,
  shortText,
  strict,
  wholeNumber,
} from './fields.ts';
import { BFD_DEFAULTS, DYNAMIC_LIMIT, PEER_DEFAULTS, WARN_PERCENT } from './peer-defaults.ts';

/** Absent means that a weaker place decides; `fallback` is the value that holds where none does. */
const setting = <T extends z.ZodType>(schema: T, description: string, fallback?: unknown) =>
  schema.exactOptional().meta({ description, ...(fallback === undefined ? {} : { default: fallback }) });

const flag = (description: string) => setting(z.boolean(), description, false);

const seconds = (max: number, description: string, fallback?: unknown) =>
  setting(wholeNumber(0, max), description, fallback);

/** RFC 4271 §4.2: no hold time at all, or three seconds at least. */
const holdTime = wholeNumber(0, 65_535).refine((value) => value === 0 || value >= 3, {
  error: 'is below three seconds, which RFC 4271 does not allow; 0 turns it off',
});

const prefixLimit = strict({
  maximum: wholeNumber(1, 0xffff_ffff).meta({ description: 'So many prefixes' }),
  warnPercent: wholeNumber(1, 100).default(WARN_PERCENT).meta({ description: 'A warning from here on' }),
  action: z
    .enum(['warn', 'drop', 'shutdown'])
    .meta({ description: 'Only say so, keep what is beyond out of selection, or end the session' }),
  restartSeconds: wholeNumber(1, 86_400)
    .exactOptional()
    .meta({ description: 'After `shutdown`, try again so much later; absent: not by itself' }),
});

const bfd = strict({
  transmitMs: wholeNumber(10, 60_000).default(BFD_DEFAULTS.transmitMs),
  receiveMs: wholeNumber(10, 60_000).default(BFD_DEFAULTS.receiveMs),
  multiplier: wholeNumber(1, 255).default(BFD_DEFAULTS.multiplier),
  multihop: z.boolean().exactOptional().meta({ description: 'RFC 5883; default: single hop' }),
});

const SESSION = {
  asn: setting(asn, "The peer's AS number"),
  localAsn: setting(asn, "Our AS number towards it, in the place of the speaker's (FRR: no-prepend replace-as)"),
  port: setting(wholeNumber(1, 65_535), 'Where we dial', PEER_DEFAULTS.port),
  localAddress: setting(ipAddress, 'Source address of the connection; default: the kernel chooses'),
  interface: setting(interfaceName, 'The link of a link-local address, where it does not stand behind it'),
  families: setting(z.array(family).min(1, 'is empty'), 'What is spoken of; default: the family of the address'),
  passive: flag('Wait for the peer to dial'),
  description: setting(shortText, 'For people'),
  kind: setting(shortText, 'For people, the type in `node status`; default: iBGP or eBGP, and whose client'),
  shutdown: setting(z.union([z.boolean(), shortText]), 'Held down; a text is told to the peer (RFC 9003)', false),
} as const;

const TIMERS = {
  holdSeconds: setting(holdTime, '0: no hold timer', PEER_DEFAULTS.holdSeconds),
  keepaliveSeconds: setting(wholeNumber(1, 21_845), 'RFC 4271 §4.4; default: a third of the hold time agreed on'),
  sendHoldSeconds: setting(wholeNumber(1, 131_070), 'RFC 9687; default: twice the hold time, at least 120'),
  connectDelaySeconds: seconds(3600, 'Before the first try of a new peer', PEER_DEFAULTS.connectDelaySeconds),
  dialAtStart: flag(
    'When the speaker itself starts: dial at once, a passive peer after 0.2 s, and each second in the first five',
  ),
  connectRetrySeconds: setting(wholeNumber(1, 3600), 'Between two tries', PEER_DEFAULTS.connectRetrySeconds),
  errorWaitSeconds: setting(
    z.tuple([wholeNumber(1, 3600), wholeNumber(1, 3600)], 'is not two whole numbers such as [5, 30]'),
    'After an error: from the first, doubling, to the second',
    PEER_DEFAULTS.errorWaitSeconds,
  ),
  delayOpenSeconds: seconds(240, 'DelayOpen, RFC 4271 §8.1.1; default: none'),
  bfd: setting(bfd, 'RFC 5880; default: none'),
} as const;

const RESTART = {
  gracefulRestartSeconds: seconds(4095, 'RFC 4724; 0: none', PEER_DEFAULTS.gracefulRestartSeconds),
  notificationRestart: setting(z.boolean(), 'RFC 8538; default: true with graceful restart'),
  longLivedSeconds: seconds(16_777_215, 'RFC 9494; 0: none', 0),
} as const;

const SECURITY = {
  password: setting(password, 'TCP MD5, RFC 2385'),
  passwordFile: setting(z.string().min(1, 'is empty'), 'A file with the password; relative to this one'),
  ttlSecurityHops: setting(wholeNumber(1, 254), 'GTSM, RFC 5082: so many hops away at most; default: off'),
} as const;

const CAPABILITIES = {
  addPath: setting(strict({ send: z.boolean(), receive: z.boolean() }), 'RFC 7911; default: neither'),
  extendedNextHop: flag('RFC 8950: IPv6 next hops for IPv4 routes'),
  extendedMessages: flag('RFC 8654'),
  role: setting(z.enum(['provider', 'rs', 'rs-client', 'customer', 'peer']), 'RFC 9234: ours towards an eBGP peer'),
  roleStrict: flag('RFC 9234: refuse a peer that names no role'),
} as const;

const ROUTES = {
  nextHop: setting(z.enum(['auto', 'self', 'keep']), 'What we tell as next hop', PEER_DEFAULTS.nextHop),
  routeReflectorClient: flag('RFC 4456; an iBGP peer, and `clusterId` is set'),
  routeServerClient: flag('RFC 7947: neither our AS nor our address is put in; an eBGP peer'),
  allowOwnAsn: setting(wholeNumber(0, 10), 'So often our AS may stand in a path', PEER_DEFAULTS.allowOwnAsn),
  asOverride: flag("Our AS in the place of the peer's in what it is told"),
  removePrivateAs: flag('No private AS numbers (RFC 6996) but its own in what an eBGP peer is told'),
  enforceFirstAs: flag('Refuse a path that does not begin with the AS of the eBGP peer'),
  requirePolicy: flag('RFC 8212: nothing to and from an eBGP peer without filters'),
  importFilters: setting(z.array(name), 'Names from `filters`; the first rule that matches decides', []),
  exportFilters: setting(z.array(name), 'The same, before any built-in rule', []),
  prefixLimits: setting(
    strict({ ipv4: prefixLimit.exactOptional(), ipv6: prefixLimit.exactOptional() }),
    'How much the peer may announce; default: any number',
  ),
} as const;

export const PEER_FIELDS = { ...SESSION, ...TIMERS, ...RESTART, ...SECURITY, ...CAPABILITIES, ...ROUTES } as const;

export const peerFields = strict(PEER_FIELDS).meta({ id: 'peerSettings' });
export type PeerFields = z.output<typeof peerFields>;

const template = name.exactOptional().meta({ description: 'A name from `templates`' });

export const peer = strict({
  address: peerAddress.meta({ description: 'IPv4, IPv6, or link-local with its link: `fe80::1%eth0`' }),
  template,
  ...PEER_FIELDS,
});
export type Peer = z.output<typeof peer>;

export const dynamicPeers = strict({
  prefix: prefix.meta({ description: 'Whoever connects from here is a peer; we never dial' }),
  limit: wholeNumber(1, 100_000).default(DYNAMIC_LIMIT).meta({ description: 'So many at a time' }),
  asns: z
    .array(asn)
    .min(1, 'is empty')
    .exactOptional()
    .meta({ description: 'Only these AS numbers, instead of `asn`' }),
  template,
  ...PEER_FIELDS,
});
export type DynamicPeersText = z.output<typeof dynamicPeers>;
