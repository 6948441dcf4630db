import { formatAttributes } from '../attribute/text.ts';
import { formatNextHop } from '../attribute/next-hop-text.ts';
import { formatCapability } from '../capability/table.ts';
import { errorName } from '../iana.ts';
import { formatHex, formatIpv4 } from '../json/address.ts';
import { printable } from '../json/printable.ts';
import { familyName, isIpv4Unicast } from '../nlri/families.ts';
import type { FamilyNlri } from '../nlri/nlri.ts';
import { formatNlri } from '../nlri/table.ts';
import type { Message, Notification, Open, Update } from './message.ts';
import { shutdownText } from './notification.ts';

/** One line for people: type first, then `field value` pairs. Not for machines, and free to change. No control characters. */
export function formatMessage(message: Message): string {
  return printable(lineOf(message));
}

function lineOf(message: Message): string {
  switch (message.type) {
    case 'open':
      return formatOpen(message);
    case 'update':
      return formatUpdate(message);
    case 'notification':
      return formatNotification(message);
    case 'keepalive':
      return 'KEEPALIVE';
    case 'route-refresh':
      return `ROUTE-REFRESH ${message.subtype} ${familyName(message.family)}${message.data === undefined ? '' : ` data ${formatHex(message.data)}`}`;
  }
}

function formatOpen({ version, asn, holdSeconds, bgpIdentifier, capabilities }: Open): string {
  const fixed = `OPEN version ${version} AS ${asn} hold ${holdSeconds}s identifier ${formatIpv4(bgpIdentifier)}`;
  return `${fixed} capabilities [${capabilities.map(formatCapability).join(', ')}]`;
}

function formatNotification(message: Notification): string {
  const text = shutdownText(message);
  const data = message.data.length > 0 ? ` data ${formatHex(message.data)}` : '';
  return `NOTIFICATION ${errorName([message.code, message.subcode])}${text === undefined ? data : ` "${text}"`}`;
}

function formatUpdate(update: Update): string {
  if (update.endOfRib !== undefined) return `UPDATE End-of-RIB ${familyName(update.endOfRib)}`;
  const parts = [
    ...update.withdrawn.map((group) => formatGroup('withdraw', group)),
    ...update.announced.map((group) => formatGroup('announce', group)),
    ...formatAttributes(update.attributes),
    ...(update.ipv4NextHop === undefined ? [] : [`ipv4-next-hop ${formatNextHop(update.ipv4NextHop)}`]),
    ...(update.remedy === undefined ? [] : [`remedy ${update.remedy}`]),
    ...(update.disabled ?? []).map((family) => `disable ${familyName(family)}`),
    ...update.faults.map(({ text }) => `(${text})`),
  ];
  return ['UPDATE', ...parts].join(' ');
}

/** The prefixes of plain unicast speak for themselves; other families are named. */
function formatGroup(verb: string, group: FamilyNlri): string {
  if (group.nlri.length === 0) return `${verb} no ${familyName(group.family)}`;
  const named = isIpv4Unicast(group.family) || isIpv6Unicast(group) ? '' : ` ${familyName(group.family)}`;
  return `${verb}${named} ${formatNlri(group)}`.trimEnd();
}

const isIpv6Unicast = ({ family }: FamilyNlri): boolean => family.afi === 2 && family.safi === 1;
