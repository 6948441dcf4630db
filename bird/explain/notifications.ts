/** What a NOTIFICATION means for whoever has to mend it, by code and subcode. RFC 4271 §6, RFC 4486, RFC 9384. Pure. */
import { formatIpAddress, formatIpv4 } from '../../src/model/ip.ts';
import type { PeerSettings } from '../settings.ts';
import type { PeerIncident, PeerView } from '../view.ts';
import type { Finding, PeerCause } from './finding.ts';
import { notifiedIn, numberAt } from './notified.ts';
import type { Notified } from './notified.ts';

interface Case {
  readonly notified: Notified;
  /** What our side had to say of it. */
  readonly text: string;
  /** What the peer's operator wrote, RFC 9003. */
  readonly words: string | undefined;
  readonly settings: PeerSettings;
  /** Our end of the last connection. */
  readonly ours: string | undefined;
}

/** What one direction of a NOTIFICATION says. */
interface Side {
  readonly cause: PeerCause;
  readonly verdict: (given: Case) => string;
  readonly next: (given: Case) => readonly string[];
}

interface Meaning {
  readonly sent: Side;
  readonly received: Side;
}

const FAMILIES_AT_PEER = ({ settings }: Case): readonly string[] => [
  `the address families of this session at both sides: here it is ${familiesText(settings.families)}`,
];
const ROUTER_IDS = (): readonly string[] => [
  'the BGP Identifiers (router ids) of both sides: no two speakers may have the same',
];
const MEND_ROLES = ({ settings: { role } }: Case): readonly string[] => [
  `the roles of both sides: here it is ${role ?? 'not set'}, and customer belongs to provider, rs-client to rs, peer to peer`,
];
const SOON = (): readonly string[] => ['nothing: it comes back by itself. Ask again in a few seconds'];

const MEANINGS: Readonly<Record<string, Meaning>> = {
  '2/0': both('refused by the peer', {
    sent: ({ text }) => `we do not take the OPEN of the peer: ${text}`,
    received: () => 'the peer does not take our OPEN, and does not say why',
    next: () => ['the peer’s log'],
  }),
  '2/1': both('wrong version', {
    sent: ({ text }) => `the peer speaks another version of BGP: ${text}`,
    received: () => 'the peer does not speak BGP-4',
    next: () => ['what listens on that port: it may be no BGP speaker'],
  }),
  '2/2': {
    sent: {
      cause: 'wrong AS',
      verdict: ({ notified, settings }) =>
        `the peer says that it is in AS ${asnIn(notified)}, and configured here is AS ${wantedAsn(settings)}`,
      next: ({ settings }) => [
        `which of the two is right: ${settings.origin} says AS ${wantedAsn(settings)}`,
        'whether another router has the address that is meant',
      ],
    },
    received: {
      cause: 'wrong AS',
      verdict: ({ settings }) =>
        `the peer expects another AS of us: we say that we are in AS ${settings.localAsn}, and it has another one configured`,
      next: ({ settings }) => [
        `the AS that the peer has configured for us: it should be ${settings.localAsn}`,
        'whether our own AS is right',
      ],
    },
  },
  '2/3': both('wrong identifier', {
    sent: ({ notified }) =>
      numberAt(notified, 0, 4) === 0
        ? 'the BGP Identifier (router id) of the peer is 0.0.0.0'
        : `the peer has our own BGP Identifier (router id)${identifierText(notified)}`,
    received: ({ notified }) =>
      `the peer refuses our BGP Identifier (router id)${identifierText(notified)}, most likely because it has the same`,
    next: ROUTER_IDS,
  }),
  '2/4': both('refused by the peer', {
    sent: () => 'the OPEN of the peer has an optional parameter that we do not know',
    received: () => 'the peer does not know the optional parameters of our OPEN: it may be too old for capabilities',
    next: () => ['the version of the peer’s software'],
  }),
  '2/6': both('wrong hold time', {
    sent: ({ notified }) =>
      `the peer wants a hold time of ${numberAt(notified, 0, 2) ?? '1 or 2'} s: only 0, or 3 and more are allowed`,
    received: ({ settings }) => `the peer does not take our hold time of ${settings.holdSeconds} s`,
    next: () => ['the hold times of both sides, and the least that one of them allows'],
  }),
  '2/7': both('no common family', {
    sent: ({ settings }) => `the peer does not offer what is configured here: ${familiesText(settings.families)}`,
    received: () => 'the peer misses something in our OPEN, most likely an address family',
    next: FAMILIES_AT_PEER,
  }),
  '2/11': both('wrong role', {
    sent: ({ text }) => text,
    received: ({ settings }) => `the peer’s BGP role does not belong to ours, which is ${settings.role ?? 'not set'}`,
    next: MEND_ROLES,
  }),
  '4/0': both('silence', {
    sent: ({ text }) => text,
    received: () => 'the peer heard nothing from us for its hold time',
    next: () => [
      'whether the peer’s host was away or overloaded, and this one',
      'losses on the path; and its MTU, where the session ends each time when many routes are sent',
    ],
  }),
  '6/1': {
    sent: {
      cause: 'prefix limit',
      verdict: ({ notified, settings }) =>
        `the peer announced ${tooMany(notified, 'its')}, so we ended the session${limitWait(notified, settings)}`,
      next: () => [
        'whether the peer should announce so much: its operator knows',
        'the prefix limit of this peer in our configuration',
      ],
    },
    received: {
      cause: 'prefix limit',
      verdict: ({ notified }) => `we announced ${tooMany(notified, 'the peer’s')}, so the peer ended the session`,
      next: () => [
        'whether we should announce so much: who tells this node so many routes',
        'the limit that the peer has for us; its operator may have to enable the session again',
      ],
    },
  },
  '6/2': both('shut down by the peer', {
    sent: ({ text }) => text,
    received: ({ words }) =>
      `the peer’s operator shut the session down${words === undefined ? ', without a word why' : `: "${words}"`}`,
    next: () => ['the peer’s operator: it comes back when they enable it'],
  }),
  '6/3': both('not configured at the peer', {
    sent: ({ text }) => text,
    received: () => 'the peer’s operator has removed us from its configuration',
    next: () => ['the peer’s operator'],
  }),
  '6/4': both('configuration change', {
    sent: ({ text }) => text,
    received: ({ words }) => `the peer’s operator reset the session${words === undefined ? '' : `: "${words}"`}`,
    next: SOON,
  }),
  '6/5': both('not configured at the peer', {
    sent: ({ text }) => text,
    received: ({ ours }) =>
      `the peer refuses our connections (Connection Rejected): it has no neighbor ${ours ?? 'with our address'} that may come up now`,
    next: ({ ours }) => [
      `that the peer has a neighbor ${ours ?? 'with our address'}, and that it is not shut down there`,
      'our source address (localAddress, sourceAddress), where this host has several',
      'the peer’s log: it may only wait after an error',
    ],
  }),
  '6/6': both('configuration change', {
    sent: ({ text }) => text,
    received: () => 'the settings of the session changed at the peer',
    next: SOON,
  }),
  '6/8': both('out of resources', {
    sent: ({ text }) => text,
    received: () => 'the peer is out of resources',
    next: () => ['memory and log of that side'],
  }),
  '6/10': both('path failure', {
    sent: ({ text }) => text,
    received: () => 'BFD at the peer found the path to us dead',
    next: () => ['the link and the switches between the two'],
  }),
};

/** Whole classes, where no row above says more. */
const CLASSES: Readonly<Record<number, Meaning>> = {
  1: malformed('a message whose header is broken'),
  2: malformed('an OPEN that cannot be read'),
  3: malformed('an UPDATE that cannot be read'),
  5: malformed('a message that does not belong in the state of the session'),
  6: both('refused by the peer', {
    sent: ({ text }) => text,
    received: () => 'the peer ended the session',
    next: () => ['the peer’s log'],
  }),
  7: malformed('a ROUTE-REFRESH that cannot be read'),
  8: both('silence', {
    sent: () => 'the peer did not read what we sent for the send hold time (RFC 9687)',
    received: () => 'the peer says that we did not read what it sent',
    next: () => [
      'whether that side is overloaded or hangs',
      'the MTU of the path: small messages pass, full ones do not',
    ],
  }),
};

function both(
  cause: PeerCause,
  {
    sent,
    received,
    next,
  }: { readonly sent: Side['verdict']; readonly received: Side['verdict']; readonly next: Side['next'] },
): Meaning {
  return { sent: { cause, verdict: sent, next }, received: { cause, verdict: received, next } };
}

function malformed(what: string): Meaning {
  return both('malformed message', {
    sent: ({ text }) => `the peer sent ${what}: ${text}`,
    received: () => `the peer says that we sent ${what}`,
    next: () => ['the log of both sides, which names the fault', 'the version of the peer’s software'],
  });
}

/** Undefined where nobody knows the code. */
export function notificationFinding(incident: PeerIncident, view: PeerView): Finding | undefined {
  const notified = notifiedIn(incident);
  if (notified === undefined) return undefined;
  const meaning = MEANINGS[`${notified.code}/${notified.subcode}`] ?? CLASSES[notified.code];
  if (meaning === undefined) return undefined;
  const { settings, reach } = view;
  const ours = reach.localAddress ?? settings.localAddress;
  const given: Case = {
    notified,
    text: incident.text,
    words: incident.notification?.shutdownText,
    settings,
    ours: ours === undefined ? undefined : formatIpAddress(ours),
  };
  const { cause, verdict, next } = meaning[incident.kind === 'notification received' ? 'received' : 'sent'];
  return { cause, verdict: verdict(given), evidence: evidenceOf(incident, view), next: next(given) };
}

function evidenceOf({ kind, notification }: PeerIncident, { capabilities }: PeerView): readonly string[] {
  if (notification === undefined) return [];
  const { code, subcode, name, data, shutdownText } = notification;
  const who = kind === 'notification received' ? 'the peer sent' : 'we sent';
  const octets = data === '' || shutdownText !== undefined ? '' : `, data ${data}`;
  const isAboutOffers = code === 2 && ABOUT_OFFERS.has(subcode) && capabilities !== undefined;
  return [
    `${who} NOTIFICATION ${code}/${subcode}, ${name}${octets}`,
    ...(isAboutOffers && capabilities.received.length > 0
      ? [`the peer offered: ${capabilities.received.join('; ')}`]
      : []),
    ...(isAboutOffers && capabilities.sent.length > 0 ? [`we offered: ${capabilities.sent.join('; ')}`] : []),
  ];
}

/** Subcodes of an OPEN error that capabilities explain. RFC 5492, RFC 9234. */
const ABOUT_OFFERS = new Set([0, 4, 7, 11]);

/** Two octets where the peer did not offer four. */
const asnIn = (notified: Notified): number | string =>
  numberAt(notified, 0, 4) ?? numberAt(notified, 0, 2) ?? 'of another number';

const wantedAsn = ({ remoteAsn, remoteAsns }: PeerSettings): string => (remoteAsns ?? [remoteAsn]).join(' or ');

function identifierText(notified: Notified): string {
  const identifier = numberAt(notified, 0, 4);
  return identifier === undefined ? '' : `, ${formatIpv4(identifier)}`;
}

/** `more than its limit of 100 IPv4 prefixes`: AFI, SAFI and the limit, where they are told. RFC 4486 §4. */
function tooMany(notified: Notified, whose: string): string {
  const [afi, maximum] = [numberAt(notified, 0, 2), numberAt(notified, 3, 4)];
  if (afi === undefined || maximum === undefined) return `more prefixes than ${whose} limit`;
  return `more than ${whose} limit of ${maximum} IPv${afi === 1 ? 4 : 6} ${maximum === 1 ? 'prefix' : 'prefixes'}`;
}

function limitWait(notified: Notified, { prefixLimits }: PeerSettings): string {
  const seconds = prefixLimits?.[numberAt(notified, 0, 2) === 2 ? 6 : 4]?.restartSeconds;
  return seconds === undefined ? '; it stays down until somebody resets it' : `; we try again after ${seconds} s`;
}

const familiesText = (families: readonly (4 | 6)[]): string =>
  families.map((family) => `IPv${family} unicast`).join(', ');
