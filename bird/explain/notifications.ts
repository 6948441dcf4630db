/** What a NOTIFICATION means for whoever has to mend it, by code and subcode. RFC 4271 §6, RFC 4486, RFC 9384. Pure. */
import { formatIpAddress } from '../../src/model/ip.ts';
import type { PeerSettings } from '../settings.ts';
import type { PeerIncident } from '../view.ts';
import type { Finding, PeerCause } from './finding.ts';

type Notified = NonNullable<PeerIncident['notification']>;

interface Meaning {
  readonly cause: PeerCause;
  /** We said it, for the reason in the incident. */
  readonly sent: (settings: PeerSettings) => string;
  /** The peer said it. */
  readonly received: (settings: PeerSettings) => string;
  readonly next: (settings: PeerSettings) => readonly string[];
}

const MEANINGS: Readonly<Record<string, Meaning>> = {
  '2/1': {
    cause: 'wrong version',
    sent: () => 'the peer speaks another version of BGP',
    received: () => 'the peer does not speak BGP-4',
    next: () => ['what listens on that port: it may be no BGP speaker'],
  },
  '2/2': {
    cause: 'wrong AS',
    sent: ({ remoteAsn }) => `the peer is in another AS than the ${remoteAsn} configured here`,
    received: ({ localAsn }) => `the peer expects another AS of us than ${localAsn}`,
    next: ({ remoteAsn, localAsn }) => [
      `the AS of the peer: ${remoteAsn} is configured here`,
      `what the peer has configured for us: we say ${localAsn}`,
    ],
  },
  '2/3': {
    cause: 'wrong identifier',
    sent: () => 'the BGP Identifier of the peer is zero or our own',
    received: () => 'the peer refuses our BGP Identifier; most likely it has the same',
    next: () => ['that no two speakers of the AS share a BGP Identifier (router id)'],
  },
  '2/4': {
    cause: 'refused by the peer',
    sent: () => 'the OPEN of the peer has an optional parameter that we do not know',
    received: () => 'the peer knows no capabilities',
    next: () => ['the version of the peer’s software'],
  },
  '2/6': {
    cause: 'wrong hold time',
    sent: () => 'the hold time of the peer is below 3 s and not 0',
    received: ({ holdSeconds }) => `the peer does not accept our hold time of ${holdSeconds} s`,
    next: () => ['the hold times of both sides, and a minimum that one of them may have'],
  },
  '2/7': {
    cause: 'no common family',
    sent: ({ families }) => `the peer offers none of ${familiesText(families)}`,
    received: () => 'the peer misses a capability, most likely an address family',
    next: ({ families }) => [`the address families at the peer: here it is ${familiesText(families)}`],
  },
  '2/11': {
    cause: 'wrong role',
    sent: () => 'the BGP roles of the two sides do not belong together',
    received: () => 'the peer says that the BGP roles do not belong together',
    next: ({ role }) => [
      `the role of the peer: here it is ${role ?? 'not set'}, and customer belongs to provider, rs-client to rs, peer to peer`,
    ],
  },
  '4/0': {
    cause: 'silence',
    sent: () => 'nothing was heard from the peer for the hold time',
    received: () => 'the peer heard nothing from us for its hold time',
    next: () => ['losses and MTU on the path', 'whether one of the two machines is overloaded'],
  },
  '6/1': {
    cause: 'prefix limit',
    sent: () => 'the peer announced more prefixes than its limit here',
    received: () => 'we announced more prefixes than the peer allows',
    next: () => ['the prefix limit, and who announces so much'],
  },
  '6/2': {
    cause: 'shut down by the peer',
    sent: () => 'the session was shut down from this side',
    received: () => 'the peer’s operator shut the session down',
    next: () => ['the peer’s operator'],
  },
  '6/3': {
    cause: 'not configured at the peer',
    sent: () => 'the peer was removed from the configuration here',
    received: () => 'we were removed from the peer’s configuration',
    next: () => ['the configuration of the peer'],
  },
  '6/4': {
    cause: 'configuration change',
    sent: () => 'the session was reset from this side',
    received: () => 'the peer’s operator reset the session',
    next: () => ['ask again in a few seconds: it should come back by itself'],
  },
  '6/5': {
    cause: 'not configured at the peer',
    sent: () => 'the connection was refused here',
    received: () => 'the peer refuses connections from us',
    next: ({ localAddress }) => [
      `that the peer has a neighbor ${localAddress === undefined ? 'with our address' : formatIpAddress(localAddress)}`,
    ],
  },
  '6/6': {
    cause: 'configuration change',
    sent: () => 'the settings of the peer changed here',
    received: () => 'the settings at the peer changed',
    next: () => ['ask again in a few seconds: it should come back by itself'],
  },
  '6/8': {
    cause: 'refused by the peer',
    sent: () => 'this side is out of resources',
    received: () => 'the peer is out of resources',
    next: () => ['memory and logs of that side'],
  },
  '6/10': {
    cause: 'path failure',
    sent: () => 'BFD found the path to the peer dead',
    received: () => 'BFD at the peer found the path dead',
    next: () => ['the link and the switch between the two'],
  },
};

/** Whole classes, where no row above says more. */
const CLASSES: Readonly<Record<number, Meaning>> = {
  1: malformed('a message whose header is broken'),
  2: malformed('an OPEN that cannot be read'),
  3: malformed('an UPDATE that cannot be read'),
  5: malformed('a message that does not belong in the state of the session'),
  6: {
    cause: 'refused by the peer',
    sent: () => 'the session was ended from this side',
    received: () => 'the peer ended the session',
    next: () => ['the peer’s log'],
  },
  7: malformed('a ROUTE-REFRESH that cannot be read'),
  8: {
    cause: 'silence',
    sent: () => 'the peer did not read what we sent for the send hold time',
    received: () => 'we did not read what the peer sent',
    next: () => [
      'whether one of the two machines is overloaded',
      'the MTU of the path: small messages pass, full ones do not',
    ],
  },
};

function malformed(what: string): Meaning {
  return {
    cause: 'malformed message',
    sent: () => `the peer sent ${what}`,
    received: () => `the peer says that we sent ${what}`,
    next: () => ['the log of both sides, which names the fault', 'the version of the peer’s software'],
  };
}

/** Undefined where nobody knows the code. */
export function notificationFinding(incident: PeerIncident, settings: PeerSettings): Finding | undefined {
  const { notification } = incident;
  if (notification === undefined) return undefined;
  const { code, subcode } = unwrapped(notification);
  const meaning = MEANINGS[`${code}/${subcode}`] ?? CLASSES[code];
  if (meaning === undefined) return undefined;
  const isSent = incident.kind === 'notification sent';
  const verdict = isSent ? meaning.sent(settings) : meaning.received(settings);
  return { cause: meaning.cause, verdict, evidence: evidenceOf(incident, notification), next: meaning.next(settings) };
}

/** A Hard Reset carries the NOTIFICATION that it stands for. RFC 8538 §3. */
function unwrapped({ code, subcode, data }: Notified): { readonly code: number; readonly subcode: number } {
  if (code !== 6 || subcode !== 9 || data.length < 4) return { code, subcode };
  return { code: Number.parseInt(data.slice(0, 2), 16), subcode: Number.parseInt(data.slice(2, 4), 16) };
}

function evidenceOf(
  { kind, text }: PeerIncident,
  { code, subcode, name, data, shutdownText }: Notified,
): readonly string[] {
  return [
    `${kind === 'notification sent' ? 'we sent' : 'the peer sent'} NOTIFICATION ${code}/${subcode}, ${name}`,
    ...(data === '' ? [] : [`its data: ${data}`]),
    ...(shutdownText === undefined ? [] : [`its words: "${shutdownText}"`]),
    text,
  ];
}

const familiesText = (families: readonly (4 | 6)[]): string =>
  families.map((family) => `IPv${family} unicast`).join(', ');
