import { join } from 'node:path';
import * as z from 'zod';
import { parseAsn } from '../model/asn.ts';
import { parseDuration } from '../model/duration.ts';
import { InvalidValueError } from '../model/invalid.ts';
import { formatPrefix, parseInterfaceAddress, parseIpAddress, parsePrefix } from '../model/ip.ts';
import type { InterfaceAddress, IpAddress, IpFamily, Prefix } from '../model/ip.ts';
import { parseResourceName } from '../model/resource-name.ts';
import { parseSelector } from '../model/selector.ts';
import { LOG_LEVELS } from '../runtime/logger.ts';
import type { LogLevel } from '../runtime/logger.ts';
import { parseDetectionMethod } from './detection-method.ts';
import { SOCKET_NAME } from './socket-name.ts';

/** Where this node's own address of one family comes from, as Calico's IP and IP6 say it. */
export type IpSetting =
  | { readonly kind: 'autodetect' }
  /** Not set: what the datastore has; without that an IPv4 address is detected, an IPv6 one is not. */
  | { readonly kind: 'keep' }
  /** What the datastore has, and never more. */
  | { readonly kind: 'none' }
  | { readonly kind: 'address'; readonly address: InterfaceAddress; readonly hasLength: boolean };

export type PoolMode = 'Always' | 'CrossSubnet' | 'Never';

const NAT_EXCLUSIONS = ['IPPoolsOnly', 'IPPoolsAndHostIPs'] as const;
export type NatExclusions = (typeof NAT_EXCLUSIONS)[number];

/** Both ends belong to it. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** One variable of the environment: its parser, which names field and value when it refuses. */
const variable = <T>(parse: (text: string, field: string) => T, field: string): z.ZodType<T, string> =>
  z.string().transform((text, context) => {
    try {
      return parse(text.trim(), field);
    } catch (error) {
      if (!(error instanceof InvalidValueError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });

/** `whenUnset`: what it means not to set it, as it would be written; absent where nothing that can be written means that. */
const row = <T>(
  field: string,
  parse: (text: string, field: string) => T,
  whenUnset?: string,
): readonly [string, z.ZodOptional<z.ZodType<T, string>>, string?] =>
  whenUnset === undefined
    ? ([field, variable(parse, field).optional()] as const)
    : ([field, variable(parse, field).optional(), whenUnset] as const);

/**
 * Every variable that the agent reads, under Calico's name where Calico has one
 * (calico-node reference, "Configuring calico/node"); ours are marked. One row, one variable.
 */
export const variables = {
  nodeName: row('NODENAME', parseResourceName),
  hostName: row('HOSTNAME', (text) => text),
  ip: row('IP', parseIp(4)),
  ipDetection: row('IP_AUTODETECTION_METHOD', (text, field) => parseDetectionMethod(text, field, 4), 'first-found'),
  ip6: row('IP6', parseIp(6)),
  ip6Detection: row('IP6_AUTODETECTION_METHOD', (text, field) => parseDetectionMethod(text, field, 6), 'first-found'),
  detectionPollSeconds: row('AUTODETECT_POLL_INTERVAL', parsePollInterval),
  asn: row('AS', parseAsn),
  routerId: row('CALICO_ROUTER_ID', parseRouterId),
  noDefaultPools: row('NO_DEFAULT_POOLS', parseBoolean, 'false'),
  poolCidr: row('CALICO_IPV4POOL_CIDR', parsePoolCidr),
  poolIpip: row('CALICO_IPV4POOL_IPIP', parsePoolMode, 'Never'),
  poolVxlan: row('CALICO_IPV4POOL_VXLAN', parsePoolMode, 'Never'),
  poolBlockSize: row('CALICO_IPV4POOL_BLOCK_SIZE', integerBetween(20, 32), '26'),
  poolNodeSelector: row('CALICO_IPV4POOL_NODE_SELECTOR', parseNodeSelector, 'all()'),
  poolNatOutgoing: row('CALICO_IPV4POOL_NAT_OUTGOING', parseBooleanOrNone, 'true'),
  poolDisableBgpExport: row('CALICO_IPV4POOL_DISABLE_BGP_EXPORT', parseBoolean, 'false'),
  waitForDatastore: row('WAIT_FOR_DATASTORE', parseBoolean, 'false'),
  nodeNameFile: row('CALICO_NODENAME_FILE', (text) => text, '/var/lib/calico/nodename'),
  routeRefreshSeconds: row('FELIX_ROUTEREFRESHINTERVAL', parseInterval, '90'),
  ipipMtu: row('FELIX_IPINIPMTU', parseMtu, '0'),
  vxlanMtu: row('FELIX_VXLANMTU', parseMtu, '0'),
  vxlanMtuV6: row('FELIX_VXLANMTUV6', parseMtu, '0'),
  vxlanVni: row('FELIX_VXLANVNI', integerBetween(1, 16_777_215), '4096'),
  vxlanPort: row('FELIX_VXLANPORT', integerBetween(1, 65_535), '4789'),
  healthEnabled: row('FELIX_HEALTHENABLED', parseBoolean, 'false'),
  healthHost: row('FELIX_HEALTHHOST', parseHost, 'localhost'),
  healthPort: row('FELIX_HEALTHPORT', integerBetween(1, 65_535), '9099'),
  metricsEnabled: row('FELIX_PROMETHEUSMETRICSENABLED', parseBoolean, 'false'),
  metricsHost: row('FELIX_PROMETHEUSMETRICSHOST', parseHostOrAll),
  metricsPort: row('FELIX_PROMETHEUSMETRICSPORT', integerBetween(1, 65_535), '9091'),
  runtimeMetricsEnabled: row('FELIX_PROMETHEUSGOMETRICSENABLED', parseBooleanOrNone, 'true'),
  processMetricsEnabled: row('FELIX_PROMETHEUSPROCESSMETRICSENABLED', parseBooleanOrNone, 'true'),
  logSeverityScreen: row('FELIX_LOGSEVERITYSCREEN', parseSeverity, 'Info'),
  leakGraceMs: row('CALICO_IPAM_LEAK_GRACE_PERIOD', parseGrace, '15m'), // ours; Calico's leakGracePeriod
  birdReady: row('CALICO_BIRD_READY', parseBoolean, 'false'), // ours
  natPortRange: row('FELIX_NATPORTRANGE', parsePortRange),
  natOutgoingAddress: row('FELIX_NATOUTGOINGADDRESS', parseIpv4),
  natOutgoingExclusions: row('FELIX_NATOUTGOINGEXCLUSIONS', parseNatExclusions, 'IPPoolsOnly'),
  adoptCalicoRoutes: row('FELIX_ADOPTCALICOROUTES', parseBoolean, 'false'), // ours
  runDirectory: row('CALICO_RUN_DIR', parseRunDirectory, '/var/run/calico'), // ours
  socketMode: row('CALICO_SOCKET_MODE', parseMode, '0660'), // ours
  installCni: row('CALICO_INSTALL_CNI', parseBoolean, 'false'), // ours
  logLevel: row('CALICO_LOG_LEVEL', parseLogLevel), // ours
  holdSeconds: row('CALICO_BGP_HOLD_TIME', parseHoldTime, '240'), // ours
  deferralSeconds: row('CALICO_BGP_RESTART_DEFERRAL', integerBetween(0, 600), '30'), // ours
  passwordDirectory: row('CALICO_BGP_PASSWORDS', parseDirectory), // ours
} as const;

function parseIp(family: IpFamily): (text: string, field: string) => IpSetting {
  return (text, field) => {
    if (text === '') return { kind: 'keep' };
    if (text === 'none' || text === 'autodetect') return { kind: text };
    const address = parseInterfaceAddress(text, field);
    if (address.address.family !== family) throw new InvalidValueError(field, text, `is not an IPv${family} address`);
    return { kind: 'address', address, hasLength: text.includes('/') };
  };
}

/** Go's notation, as in Calico; the network is not asked more often than once a second. */
function parsePollInterval(text: string, field: string): number {
  const seconds = parseDuration(text, field) / 1000;
  if (seconds >= 1 && seconds <= 86_400) return seconds;
  throw new InvalidValueError(field, text, 'is not between 1s and 24h');
}

/** Twice a grace somebody looks, so it is no less than a second. */
function parseGrace(text: string, field: string): number {
  const ms = parseDuration(text, field);
  if (ms === 0 || (ms >= 1000 && ms <= 86_400_000)) return ms;
  throw new InvalidValueError(field, text, 'is neither 0 nor between 1s and 24h');
}

function parseRouterId(text: string, field: string): IpAddress | 'hash' {
  if (text === 'hash') return 'hash';
  const address = parseIpAddress(text, field);
  if (address.family !== 4 || address.words[0] === 0) {
    throw new InvalidValueError(field, text, 'is not a BGP Identifier: an IPv4 address other than 0.0.0.0, or "hash"');
  }
  return address;
}

/** Calico's manner: false, 0, no, n and f are false, anything else that is set is true. */
function parseBoolean(text: string): boolean {
  return !['', 'false', '0', 'no', 'n', 'f'].includes(text.toLowerCase());
}

/** For what is on by default: a template that leaves it empty says nothing, and does not switch it off. */
function parseBooleanOrNone(text: string): boolean | undefined {
  return text === '' ? undefined : parseBoolean(text);
}

function parsePoolCidr(text: string, field: string): Prefix | 'none' {
  if (text === 'none') return 'none';
  const cidr = parsePrefix(text, field);
  if (cidr.address.family !== 4) throw new InvalidValueError(field, formatPrefix(cidr), 'is not an IPv4 network');
  return cidr;
}

const POOL_MODES = new Map<string, PoolMode>([
  ['', 'Never'],
  ['off', 'Never'],
  ['never', 'Never'],
  ['always', 'Always'],
  ['crosssubnet', 'CrossSubnet'],
  ['cross-subnet', 'CrossSubnet'],
]);

function parsePoolMode(text: string, field: string): PoolMode {
  const mode = POOL_MODES.get(text.toLowerCase());
  if (mode === undefined) throw new InvalidValueError(field, text, 'is none of Always, CrossSubnet, Never');
  return mode;
}

function integerBetween(min: number, max: number): (text: string, field: string) => number {
  return (text, field) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidValueError(field, text, `is not a whole number from ${min} to ${max}`);
    }
    return value;
  };
}

/** Seconds, as Calico's with decimals; 0: never. More often than once a second is a load and no help. */
function parseInterval(text: string, field: string): number {
  const seconds = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && (seconds === 0 || (seconds >= 1 && seconds <= 86_400))) return seconds;
  throw new InvalidValueError(field, text, 'is not 0 or a number of seconds from 1 to 86400');
}

/** As written; the pool's schema reads it again. */
function parseNodeSelector(text: string, field: string): string {
  parseSelector(text, field);
  return text;
}

/** RFC 791: every link carries 68 octets. */
function parseMtu(text: string, field: string): number {
  const mtu = Number(text);
  if (/^\d+$/.test(text) && (mtu === 0 || (mtu >= 68 && mtu <= 65_535))) return mtu;
  throw new InvalidValueError(field, text, 'is not 0 or a whole number from 68 to 65535');
}

/** A name or an address; whether this host has it shows when it is listened on. */
function parseHost(text: string, field: string): string {
  if (/^[a-zA-Z0-9.:%_-]+$/.test(text)) return text;
  throw new InvalidValueError(field, text, 'is neither a host name nor an address');
}

/** Felix's empty host is every address of this one. */
function parseHostOrAll(text: string, field: string): string | undefined {
  return text === '' ? undefined : parseHost(text, field);
}

/** `32768:65535` or one port, as Calico's numorstring.Port. */
function parsePortRange(text: string, field: string): PortRange | undefined {
  if (text === '') return undefined;
  const [, first = '', last = first] = /^(\d+)(?::(\d+))?$/.exec(text) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (from >= 1 && from <= to && to <= 65_535) return { from, to };
  throw new InvalidValueError(field, text, 'is no range of ports from 1 to 65535, like 32768:65535');
}

function parseIpv4(text: string, field: string): IpAddress | undefined {
  if (text === '') return undefined;
  const address = parseIpAddress(text, field);
  if (address.family === 4) return address;
  throw new InvalidValueError(field, text, 'is not an IPv4 address');
}

function parseNatExclusions(text: string, field: string): NatExclusions {
  const found = NAT_EXCLUSIONS.find((name) => name.toLowerCase() === text.toLowerCase());
  if (found !== undefined) return found;
  throw new InvalidValueError(field, text, `is none of ${NAT_EXCLUSIONS.join(', ')}`);
}

/** `sun_path` in unix(7), less the zero at its end. */
const MAX_SOCKET_PATH = 107;

function parseDirectory(text: string, field: string): string | undefined {
  if (text === '') return undefined;
  if (!text.startsWith('/')) throw new InvalidValueError(field, text, 'is not an absolute path');
  return text;
}

function parseRunDirectory(text: string, field: string): string | undefined {
  if (parseDirectory(text, field) === undefined) return undefined;
  const octets = new TextEncoder().encode(join(text, SOCKET_NAME)).length;
  if (octets <= MAX_SOCKET_PATH) return text;
  throw new InvalidValueError(
    field,
    text,
    `is too long: ${SOCKET_NAME} in it would have a path of ${octets} octets, a unix socket has ${MAX_SOCKET_PATH} at most`,
  );
}

/** RFC 4271 §4.2: zero, or at least three seconds. */
function parseHoldTime(text: string, field: string): number {
  const seconds = integerBetween(0, 65_535)(text, field);
  if (seconds === 1 || seconds === 2) {
    throw new InvalidValueError(field, text, 'is below three seconds, which RFC 4271 does not allow (0 turns it off)');
  }
  return seconds;
}

function parseMode(text: string, field: string): number {
  if (!/^0?[0-7]{3}$/.test(text)) throw new InvalidValueError(field, text, 'is not a file mode in octal, like 0660');
  return Number.parseInt(text, 8);
}

const SEVERITIES = new Map<string, LogLevel>([
  ['trace', 'trace'],
  ['debug', 'debug'],
  ['info', 'info'],
  ['warning', 'warn'],
  ['warn', 'warn'],
  ['error', 'error'],
  ['fatal', 'fatal'],
]);

/** Felix's words, in any case. */
function parseSeverity(text: string, field: string): LogLevel | undefined {
  if (text === '') return undefined;
  const level = SEVERITIES.get(text.toLowerCase());
  if (level === undefined)
    throw new InvalidValueError(field, text, 'is none of Trace, Debug, Info, Warning, Error, Fatal');
  return level;
}

function parseLogLevel(text: string, field: string): LogLevel {
  const level = LOG_LEVELS.find((name) => name === text.toLowerCase());
  if (level === undefined) throw new InvalidValueError(field, text, `is none of ${LOG_LEVELS.join(', ')}`);
  return level;
}
