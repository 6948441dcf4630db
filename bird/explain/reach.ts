/** Why no two OPENs met: what the kernel said, what it dropped, who dialled whom. Pure. */
import { formatIpAddress } from '../../src/model/ip.ts';
import type { PeerSettings } from '../settings.ts';
import type { PeerIncident, PeerView } from '../view.ts';
import type { Finding, KernelDrops, PeerEvidence } from './finding.ts';

/** The kernel's own words, RFC 1122 §4.2.3.9 and errno(3). */
export function reachFinding(given: PeerEvidence, incident?: PeerIncident): Finding | undefined {
  const { view, drops } = given;
  const { settings } = view;
  const protectedBy = protection(settings, drops, isUnanswered(view, incident));
  if (protectedBy !== undefined) return protectedBy;
  if (incident === undefined) return waiting(view);
  switch (incident.errno) {
    case 'ECONNREFUSED':
      return nobodyListens(settings, incident);
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return noRoute(settings, incident);
    case 'EADDRNOTAVAIL':
      return noSource(settings, incident);
    case 'ETIMEDOUT':
      return noAnswer(settings, incident);
  }
  if (incident.kind === 'silence')
    return view.reach.connected > 0 ? noOpen(settings, incident) : noAnswer(settings, incident);
  if (incident.kind === 'connection lost') return lost(view, incident);
  return waiting(view);
}

/** Nobody answered our SYN, or nothing came through a connection that stands: what MD5 and GTSM look like. */
const isUnanswered = ({ state }: PeerView, incident: PeerIncident | undefined): boolean =>
  incident === undefined ||
  incident.errno === 'ETIMEDOUT' ||
  incident.kind === 'silence' ||
  (incident.kind === 'connection failed' && incident.errno === undefined) ||
  state === 'Active';

function protection(settings: PeerSettings, drops: KernelDrops, isUnanswered: boolean): Finding | undefined {
  if (!isUnanswered) return undefined;
  if (settings.password !== undefined && drops.wrongSignature > 0) {
    return wrongPassword('the two sides have different passwords (TCP MD5)', [
      `the kernel dropped ${drops.wrongSignature} segments whose MD5 signature is wrong`,
    ]);
  }
  if (settings.password !== undefined && drops.missingSignature > 0) {
    return wrongPassword('a password (TCP MD5) is set here and not at the peer', [
      `the kernel dropped ${drops.missingSignature} segments without an MD5 signature`,
    ]);
  }
  if (settings.password === undefined && drops.unexpectedSignature > 0) {
    return wrongPassword('a password (TCP MD5) is set at the peer and not here', [
      `the kernel dropped ${drops.unexpectedSignature} segments with an MD5 signature that nobody asked for`,
    ]);
  }
  if (settings.ttlSecurityHops === undefined || drops.lowTtl === 0) return undefined;
  return {
    cause: 'wrong TTL',
    verdict: `the peer is farther than ${hops(settings.ttlSecurityHops)} away, or does not send with TTL 255 (GTSM)`,
    evidence: [`the kernel dropped ${drops.lowTtl} segments whose TTL is too low`],
    next: ['that the peer has TTL security on, too', 'how many routers stand between the two'],
  };
}

const wrongPassword = (verdict: string, evidence: readonly string[]): Finding => ({
  cause: 'wrong password',
  verdict,
  evidence,
  next: ['the password on both sides, blanks and line ends included'],
});

function waiting({ settings, reach, state }: PeerView): Finding | undefined {
  if (!settings.passive || reach.incoming > 0 || state === 'Idle') return undefined;
  const address = formatIpAddress(settings.address);
  return {
    cause: 'both wait',
    verdict: `this side is passive, and ${address} has not dialled us: it may be passive, too`,
    next: [
      `that ${address} is not passive and dials ${settings.localAddress === undefined ? 'this host' : formatIpAddress(settings.localAddress)}`,
      'that nothing between the two drops TCP to our port',
    ],
  };
}

const nobodyListens = ({ address, port }: PeerSettings, { text }: PeerIncident): Finding => ({
  cause: 'nobody listens',
  verdict: `${formatIpAddress(address)} is there, but nobody listens on its port ${port}`,
  evidence: [`${text} (ECONNREFUSED)`],
  next: [
    'that the BGP daemon runs there, and on that address',
    `that its port is ${port}`,
    'a firewall that answers with reset',
  ],
});

const noRoute = ({ address }: PeerSettings, { text, errno }: PeerIncident): Finding => ({
  cause: 'no route',
  verdict: `${formatIpAddress(address)} cannot be reached from here: no host answers to that address`,
  evidence: [`${text} (${errno ?? ''})`],
  next: [
    'that the address is right',
    `ip route get ${formatIpAddress(address)}`,
    `ip neigh show ${formatIpAddress(address)}: FAILED means that nobody has the address`,
  ],
});

const noSource = ({ localAddress }: PeerSettings, { text }: PeerIncident): Finding => ({
  cause: 'no such source address',
  verdict: `our source address ${localAddress === undefined ? '' : formatIpAddress(localAddress)} is not on this host`,
  evidence: [`${text} (EADDRNOTAVAIL)`],
  next: ['ip address', 'the source address that is configured for this peer'],
});

function noAnswer(settings: PeerSettings, { text, errno }: PeerIncident): Finding {
  const address = formatIpAddress(settings.address);
  const passwordHint =
    settings.password === undefined
      ? 'a password (TCP MD5) that the peer demands and we do not have'
      : 'the password (TCP MD5): a wrong one looks exactly like this';
  return {
    cause: 'no answer',
    verdict: `${address} does not answer our attempts to connect to port ${settings.port}`,
    evidence: [errno === undefined ? text : `${text} (${errno})`],
    next: [
      'that the address is right, and the host up: ping it',
      'a firewall that drops',
      passwordHint,
      'TTL security at the peer',
    ],
  };
}

const noOpen = ({ password, ttlSecurityHops }: PeerSettings, { text }: PeerIncident): Finding => ({
  cause: 'no OPEN',
  verdict: 'TCP opens, but no OPEN comes from the peer',
  evidence: [text],
  next: [
    `TTL security: ${ttlSecurityHops === undefined ? 'it is off here; the peer may have it on' : `on here, ${hops(ttlSecurityHops)}`}`,
    `TCP MD5: ${password === undefined ? 'no password is set here' : 'a password is set here'}`,
    'whether the peer’s BGP process hangs, or its listener is something else',
  ],
});

function lost({ settings, reach, connection }: PeerView, { text, isFlap }: PeerIncident): Finding {
  if (isFlap || reach.hasSeenOpen) {
    return {
      cause: 'connection lost',
      verdict: 'the TCP connection broke without a NOTIFICATION: the peer crashed or restarts, or the path broke',
      evidence: [text],
      next: ['whether the peer is up', 'the link between the two'],
    };
  }
  const ours = connection?.localAddress ?? settings.localAddress;
  return {
    cause: 'not configured at the peer',
    verdict: `the peer hangs up before its OPEN: it knows no neighbor ${ours === undefined ? 'with our address' : formatIpAddress(ours)}`,
    evidence: [text],
    next: [
      'the neighbor that the peer has for us: its address must be the one that we come from',
      'our source address',
    ],
  };
}

const hops = (count: number): string => (count === 1 ? 'one hop' : `${count} hops`);
