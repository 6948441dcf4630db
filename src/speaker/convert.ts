/** The file as bird's settings, or everything that is wrong with it. Pure. */
import type { DynamicPeers, OriginatedRoute, PeerSettings, SpeakerSettings } from '../../bird/index.ts';
import { InvalidValueError } from '../model/invalid.ts';
import { formatIpAddress, formatPrefix } from '../model/ip.ts';
import type { LogLevel } from '../runtime/logger.ts';
import { routeFilter, ruleProblems } from './filters.ts';
import { dynamicProblems, peerProblems } from './peer-problems.ts';
import { dynamicPeers, peerSettings } from './peers.ts';
import type { Surroundings } from './peers.ts';
import { ConfigurationError, problem, schemaProblems } from './problems.ts';
import { places, referenceProblems } from './references.ts';
import { DEFERRAL_SECONDS, document } from './schema.ts';
import type { Originated, SpeakerDocument } from './schema.ts';

/** A speaker alone, as told by its file. */
export interface SpeakerConfiguration {
  readonly settings: SpeakerSettings;
  readonly peers: readonly PeerSettings[];
  readonly dynamicPeers: readonly DynamicPeers[];
  readonly originated: readonly OriginatedRoute[];
  readonly socketPath: string;
  readonly socketMode: number;
  readonly logLevel: LogLevel;
}

/**
 * Checks what the file says and turns it into settings. `readPassword` gives what is in a password file, and throws
 * InvalidValueError where it cannot. Throws ConfigurationError with every problem.
 */
export function configurationOf(input: unknown, readPassword: (file: string) => string): SpeakerConfiguration {
  const parsed = document.safeParse(input);
  const { passwords, problems } = readPasswords(input, readPassword);
  const found = [
    ...(parsed.success ? [] : schemaProblems(parsed.error, input)),
    ...referenceProblems(input),
    ...problems,
  ];
  if (!parsed.success) throw new ConfigurationError(found);
  const around = surroundings(parsed.data, passwords);
  const all = [...found, ...ruleProblemsOf(parsed.data, around)];
  if (all.length > 0) throw new ConfigurationError([...new Set(all)]);
  return converted(parsed.data, around);
}

function readPasswords(input: unknown, read: (file: string) => string) {
  const passwords = new Map<string, string>();
  const problems = places(input).flatMap(([path, { passwordFile: file }]) => {
    if (typeof file !== 'string' || file === '' || passwords.has(file)) return [];
    try {
      passwords.set(file, read(file));
      return [];
    } catch (error) {
      if (!(error instanceof InvalidValueError)) throw error;
      return [problem([...path, 'passwordFile'], file, error.reason)];
    }
  });
  return { passwords, problems };
}

function surroundings(file: SpeakerDocument, passwords: ReadonlyMap<string, string>): Surroundings {
  const filters = Object.entries(file.filters).map(([name, rules]) => [name, routeFilter(name, rules)] as const);
  return {
    asn: file.asn,
    defaults: file.defaults,
    templates: new Map(Object.entries(file.templates)),
    filters: new Map(filters),
    passwords,
  };
}

/** What each part may say by itself, and not together with the others. */
function ruleProblemsOf(file: SpeakerDocument, around: Surroundings): readonly string[] {
  const context = { ...around, isReflector: file.clusterId !== undefined };
  const { listen, originate, peers, dynamicPeers: dynamic } = file;
  return [
    ...Object.entries(file.filters).flatMap(([name, rules]) =>
      rules.flatMap((rule, i) => ruleProblems(rule, ['filters', name, i])),
    ),
    ...peers.flatMap((peer, i) => peerProblems(peer, context, ['peers', i])),
    ...dynamic.flatMap((each, i) => dynamicProblems(each, context, ['dynamicPeers', i])),
    ...repeated(
      'listen',
      listen.map(({ address, port }) => `${formatIpAddress(address)} port ${port}`),
    ),
    ...repeated(
      'originate',
      originate.map((route) => formatPrefix(originatedRoute(route).prefix)),
    ),
    ...repeated(
      'peers',
      peers.map((peer) => placeOf(peerSettings(peer, around, ''))),
    ),
    ...repeated(
      'dynamicPeers',
      dynamic.map(({ prefix }) => formatPrefix(prefix)),
    ),
  ];
}

const placeOf = ({ address, port, interface: link }: PeerSettings): string =>
  `${formatIpAddress(address)}${link === undefined ? '' : `%${link}`} port ${port}`;

/** Entries of a list that say the same place twice. */
function repeated(list: string, keys: readonly string[]): readonly string[] {
  const places = new Map<string, number>();
  return keys.flatMap((key, i) => {
    const first = places.get(key);
    if (first === undefined) places.set(key, i);
    return first === undefined ? [] : [problem([list, i], key, `is ${list}[${first}] already`)];
  });
}

function converted(file: SpeakerDocument, around: Surroundings): SpeakerConfiguration {
  return {
    settings: speakerSettings(file),
    peers: file.peers.map((peer, i) => peerSettings(peer, around, `peers[${i}]`)),
    dynamicPeers: file.dynamicPeers.map((each, i) => dynamicPeers(each, around, `dynamicPeers[${i}]`)),
    originated: file.originate.map(originatedRoute),
    socketPath: file.socket,
    socketMode: Number.parseInt(file.socketMode, 8),
    logLevel: file.log?.level ?? 'info',
  };
}

function speakerSettings(file: SpeakerDocument): SpeakerSettings {
  const { asn, bgpIdentifier, clusterId, transit, decision, gracefulRestart } = file;
  return {
    asn,
    bgpIdentifier,
    listen: file.listen.map(({ address, ...more }) => ({ address: formatIpAddress(address), ...more })),
    ...(clusterId !== undefined && { clusterId }),
    transit,
    ...(decision !== undefined && { decision }),
    gracefulRestart: { restarting: false, deferralSeconds: gracefulRestart?.deferralSeconds ?? DEFERRAL_SECONDS },
  };
}

function originatedRoute(route: Originated): OriginatedRoute {
  if (!('prefix' in route)) return { prefix: route, reason: REASON };
  const { prefix, reason = REASON, ...attributes } = route;
  return { prefix, reason, ...(Object.keys(attributes).length > 0 && { attributes }) };
}

const REASON = 'originate of the configuration';
