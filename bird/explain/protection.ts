/** TCP MD5 and GTSM: who has not the right key or TTL is not heard, and the kernel alone knows of it. RFC 2385, RFC 5082. Pure. */
import type { PeerIncident, PeerView } from '../view.ts';
import type { Finding, PeerEvidence } from './finding.ts';
import { notifiedIn } from './notified.ts';
import { hops, segments } from './words.ts';

/** What the kernel has dropped, where that can be why the peer is not up. */
export function protectionFinding(given: PeerEvidence, incident?: PeerIncident): Finding | undefined {
  if (incident !== undefined && isAnswer(incident)) return undefined;
  const password = passwordFinding(given);
  return password ?? ttlFinding(given);
}

/** The peer, or the network, said something: a segment that was dropped does not explain that. */
function isAnswer(incident: PeerIncident): boolean {
  switch (incident.kind) {
    case 'silence':
    case 'no OPEN':
    case 'administrative':
      return false;
    case 'connection failed':
      return incident.errno !== 'ETIMEDOUT';
    case 'connection lost':
      return !incident.isFlap && incident.errno !== 'ETIMEDOUT';
    case 'notification sent':
    case 'notification received':
      return notifiedIn(incident)?.code !== HOLD_TIMER_EXPIRED;
    default:
      return true;
  }
}

const HOLD_TIMER_EXPIRED = 4;

function passwordFinding(given: PeerEvidence): Finding | undefined {
  const { settings } = given.view;
  const { wrongSignature, missingSignature, unexpectedSignature } = given.drops;
  if (given.refusedPassword !== undefined) {
    const verdict = 'the kernel does not take the password (TCP MD5) of this peer, so that it cannot connect to us';
    return {
      cause: 'wrong password',
      verdict,
      evidence: [given.refusedPassword],
      next: ['what the kernel says above'],
    };
  }
  if (settings.password === undefined) {
    return unexpectedSignature === 0
      ? undefined
      : wrongPassword(given, 'a password (TCP MD5) is set at the peer and not here', [
          `${segments(unexpectedSignature)} signed, where no password is set here`,
        ]);
  }
  if (wrongSignature > 0) {
    return wrongPassword(given, 'the two sides have different passwords (TCP MD5)', [
      `${segments(wrongSignature)} signed with another password`,
    ]);
  }
  return missingSignature === 0
    ? undefined
    : wrongPassword(given, 'a password (TCP MD5) is set here and not at the peer', [
        `${segments(missingSignature)} without a signature, where a password is set here`,
      ]);
}

function wrongPassword(given: PeerEvidence, verdict: string, [dropped]: readonly [string]): Finding {
  return {
    cause: 'wrong password',
    verdict: likely(given, verdict),
    evidence: [`the kernel of this host has dropped ${dropped}`, ...whose(given)],
    next: ['the password on both sides: whether there is one, and whether blanks or a line end came into it'],
  };
}

function ttlFinding(given: PeerEvidence): Finding | undefined {
  const { settings } = given.view;
  const { lowTtl } = given.drops;
  if (settings.ttlSecurityHops === undefined || lowTtl === 0) return undefined;
  const least = 256 - settings.ttlSecurityHops;
  const found = wrongTtl(settings.ttlSecurityHops);
  return {
    ...found,
    verdict: likely(given, found.verdict),
    evidence: [`the kernel of this host has dropped ${segments(lowTtl)} whose TTL is below ${least}`, ...whose(given)],
  };
}

/** The peer's own SYN says how far away it is. */
export const tooFarFinding = ({ settings }: PeerView, { text }: PeerIncident): Finding => ({
  ...wrongTtl(settings.ttlSecurityHops ?? 1),
  evidence: [`a connection of the peer was refused: ${text}`],
});

const wrongTtl = (allowed: number): Finding => ({
  cause: 'wrong TTL',
  verdict: `the peer is more than ${hops(allowed)} away, or TTL security (GTSM) is on here and not at the peer`,
  next: [
    'that TTL security is on at the peer, too: then it sends with TTL 255',
    `how many routers are between the two: ${allowed === 1 ? 'none' : `at most ${allowed - 1}`} may be, ${hops(allowed)} away is allowed here`,
  ],
});

const likely = ({ othersDown }: PeerEvidence, verdict: string): string =>
  othersDown === 0 ? verdict : `most likely ${verdict}`;

const whose = ({ othersDown }: PeerEvidence): readonly string[] =>
  othersDown === 0
    ? []
    : [
        `the kernel does not say whose they were, and ${othersDown === 1 ? 'another peer is' : `${othersDown} other peers are`} down here, too`,
      ];

/** TCP stands, and what we send is not acknowledged: the handshake passed a listener, and what follows is judged. */
export function unheardFinding({ view }: PeerEvidence, retransmits: number): Finding {
  const { ttlSecurityHops } = view.settings;
  const heard = view.state === 'OpenConfirm' ? 'its OPEN came, ' : '';
  const evidence = [`TCP has sent the same ${retransmits} times again without an acknowledgement`];
  if (ttlSecurityHops === undefined) {
    return {
      cause: 'wrong TTL',
      verdict: `TCP opens, ${heard}but the peer hears nothing of what we send: most likely it has TTL security (GTSM) on, and we have not`,
      evidence,
      next: [
        'TTL security at the peer: it has to be on at both sides or at none',
        'a firewall that lets the handshake through, and nothing behind it',
      ],
    };
  }
  return {
    cause: 'wrong TTL',
    verdict: `TCP opens, ${heard}but the peer hears nothing of what we send: most likely it allows fewer hops (GTSM) than lie between the two`,
    evidence,
    next: [
      `the hops that the peer allows: here it is ${hops(ttlSecurityHops)}`,
      'a firewall that lets the handshake through, and nothing behind it',
    ],
  };
}
