import { formatAsPath } from './attribute/as-segments.ts';
import type { NextHopBytes, PathAttributes } from './attribute/path-attributes.ts';
import type { Capability } from './capability/capability.ts';
import type { Family } from './context.ts';
import { errorName } from './iana.ts';
import type { Message, Nlri, Open, Update } from './message/message.ts';
import { shutdownText } from './message/notification.ts';
import { familyName, prefixFamily } from './nlri/table.ts';
import { readU32 } from './reader.ts';

/** One line for people: type first, then `field value` pairs. Not for machines, and free to change. */
export function formatMessage(message: Message): string {
  switch (message.type) {
    case 'open':
      return formatOpen(message);
    case 'update':
      return formatUpdate(message);
    case 'notification': {
      const text = shutdownText(message);
      const data = message.data.length > 0 ? ` data ${hex(message.data)}` : '';
      return `NOTIFICATION ${errorName([message.code, message.subcode])}${text === undefined ? data : ` "${text}"`}`;
    }
    case 'keepalive':
      return 'KEEPALIVE';
    case 'route-refresh':
      return `ROUTE-REFRESH ${message.subtype} ${familyName(message.family)}`;
  }
}

function formatOpen({ version, asn, holdSeconds, bgpIdentifier, capabilities }: Open): string {
  const fixed = `OPEN version ${version} AS ${asn} hold ${holdSeconds}s identifier ${ipv4(bgpIdentifier)}`;
  return `${fixed} capabilities [${capabilities.map(formatCapability).join(', ')}]`;
}

function formatCapability(capability: Capability): string {
  switch (capability.name) {
    case 'multiprotocol':
      return familyName(capability.family);
    case 'four-octet-as':
      return `AS ${capability.asn}`;
    case 'graceful-restart': {
      const families = capability.families.map(({ family }) => familyName(family)).join(' ');
      return `graceful-restart ${capability.restartSeconds}s${capability.restarting ? ' restarting' : ''} ${families}`.trimEnd();
    }
    case 'add-path':
      return `add-path ${capability.entries.map(({ family, mode }) => `${familyName(family)} ${mode}`).join(' ')}`;
    case 'software-version':
      return `software ${capability.version}`;
    case 'fqdn':
      return `host ${capability.hostname}`;
    case 'unknown':
      return `capability ${capability.code}`;
    default:
      return capability.name;
  }
}

function formatUpdate(update: Update): string {
  if (update.endOfRib !== undefined) return `UPDATE End-of-RIB ${familyName(update.endOfRib)}`;
  const routes = (word: string, list: Update['announced']): string[] =>
    list.map(({ family, nlri }) => `${word} ${nlri.map((prefix) => formatNlri(family, prefix)).join(' ')}`);
  const parts = [
    ...routes('withdraw', update.withdrawn),
    ...routes('announce', update.announced),
    ...(update.undecoded ?? []).map(({ kind, family, nlri }) => `${kind} ${familyName(family)} ${hex(nlri)}`),
    ...formatAttributes(update.attributes),
    ...(update.remedy === undefined ? [] : [`remedy ${update.remedy}`]),
    ...update.faults.map(({ text }) => `(${text})`),
  ];
  return ['UPDATE', ...parts].join(' ');
}

function formatAttributes(attributes: PathAttributes): readonly string[] {
  const { origin, asPath, nextHop, med, localPref, communities, largeCommunities, unknown } = attributes;
  const list = (word: string, values: readonly string[] | undefined): string[] =>
    values === undefined ? [] : [`${word} ${values.join(' ')}`];
  return [
    ...(nextHop === undefined ? [] : [`next-hop ${formatNextHop(nextHop)}`]),
    ...(asPath === undefined ? [] : [`as-path [${formatAsPath(asPath)}]`]),
    ...(origin === undefined ? [] : [`origin ${origin}`]),
    ...(med === undefined ? [] : [`med ${med}`]),
    ...(localPref === undefined ? [] : [`local-pref ${localPref}`]),
    ...list(
      'communities',
      communities?.map((value) => `${value >>> 16}:${value & 0xffff}`),
    ),
    ...list(
      'large-communities',
      largeCommunities?.map((value) => value.join(':')),
    ),
    ...list(
      'unknown',
      unknown?.map(({ code }) => String(code)),
    ),
  ];
}

/** `10.0.0.0/24`, with ADD-PATH's identifier behind `#` where it is not 0. */
function formatNlri(family: Family, { pathId, words, length }: Nlri): string {
  const address = prefixFamily(family)?.bits === 32 ? ipv4(words[0] ?? 0) : ipv6(words);
  return `${address}/${length}${pathId === 0 ? '' : `#${pathId}`}`;
}

function formatNextHop(nextHop: NextHopBytes): string {
  if (nextHop.length === 4) return ipv4(readU32(nextHop, 0));
  if (nextHop.length !== 16 && nextHop.length !== 32) return hex(nextHop);
  const word = (start: number): string => ipv6([0, 4, 8, 12].map((at) => readU32(nextHop, start + at)));
  return nextHop.length === 16 ? word(0) : `${word(0)} ${word(16)}`;
}

const ipv4 = (word: number): string => `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;

/** RFC 5952: the first of the longest runs of zero groups becomes `::`. */
function ipv6(words: readonly number[]): string {
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff]).map((group) => group.toString(16));
  const text = groups.join(':');
  const runs = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].map(([run]) => run);
  const [first, ...others] = runs;
  if (first === undefined) return text;
  const zeros = (run: string): number => run.replaceAll(':', '').length;
  const longest = others.reduce((best, run) => (zeros(run) > zeros(best) ? run : best), first);
  return text.replace(longest, '::').replace(/:{3,}/, '::');
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (octet) => octet.toString(16).padStart(2, '0')).join('');
