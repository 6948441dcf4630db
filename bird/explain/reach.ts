/** Why no two OPENs met: what the kernel said, who dialled whom, and who hung up. Pure. */
import { roughDuration } from '../../src/model/duration.ts';
import { formatIpAddress } from '../../src/model/ip.ts';
import type { PeerSettings } from '../settings.ts';
import type { PeerIncident, PeerView } from '../view.ts';
import type { Finding } from './finding.ts';

/** Our attempt to connect came to nothing: the kernel's own words, errno(3). */
export function failedFinding({ settings }: PeerView, incident: PeerIncident): Finding {
  switch (incident.errno) {
    case 'ECONNREFUSED':
      return nobodyListens(settings);
    case 'EHOSTUNREACH':
      return unreachable(settings);
    case 'ENETUNREACH':
      return noRoute(settings);
    case 'EADDRNOTAVAIL':
      return noSource(settings);
    case 'ETIMEDOUT':
      return noAnswer(settings);
    default:
      return {
        cause: 'cannot connect',
        verdict: `we cannot connect to ${formatIpAddress(settings.address)}: ${incident.text}`,
        next: ['what it says above: the fault is on this host or in this peer’s settings'],
      };
  }
}

const nobodyListens = ({ address, port }: PeerSettings): Finding => ({
  cause: 'nobody listens',
  verdict: `${formatIpAddress(address)} is there, but nobody listens on its port ${port} (ECONNREFUSED)`,
  next: [
    `that the BGP daemon runs there, and listens on ${formatIpAddress(address)} port ${port}`,
    'that the peer’s daemon has a session for us: some listen only then',
    'a firewall that answers in its place',
  ],
});

const unreachable = ({ address }: PeerSettings): Finding => ({
  cause: 'no route',
  verdict: `${formatIpAddress(address)} cannot be reached: nobody on our link has that address, or a router on the way says so (EHOSTUNREACH)`,
  next: [
    'that the address is right, and the host up',
    `ip neigh show ${formatIpAddress(address)}: FAILED or INCOMPLETE means that nobody has the address`,
    `ip route get ${formatIpAddress(address)}: whether it leaves by the right link`,
  ],
});

const noRoute = ({ address }: PeerSettings): Finding => ({
  cause: 'no route',
  verdict: `this host has no route to ${formatIpAddress(address)} (ENETUNREACH)`,
  next: [`ip route get ${formatIpAddress(address)}`, 'that the link to it is up, and has an address'],
});

const noSource = ({ localAddress }: PeerSettings): Finding => ({
  cause: 'no such source address',
  verdict: `our source address ${localAddress === undefined ? '' : `${formatIpAddress(localAddress)} `}is no address of this host (EADDRNOTAVAIL)`,
  next: ['ip address', 'the source address that is configured for this peer'],
});

/** On our own link a host that is not there would be `no route`. A port without a listener does not answer a signed SYN. */
export function noAnswer({ address, port, password }: PeerSettings): Finding {
  const text = formatIpAddress(address);
  const firewall = `a firewall that drops TCP port ${port}, there or here`;
  const host = `that the host is up: ping ${text}. On our own link it is, or this would say 'no route'`;
  if (password !== undefined) {
    return {
      cause: 'no answer',
      verdict: `${text} does not answer when we connect to its port ${port} signed with our password (TCP MD5)`,
      next: [
        'the password at the peer: with another one, or none, it looks exactly like this',
        `that BGP listens there: on port ${port} without a listener a signed call is not answered either`,
        firewall,
        host,
      ],
    };
  }
  return {
    cause: 'no answer',
    verdict: `${text} does not answer when we connect to its port ${port}`,
    next: [host, firewall, 'whether the peer demands a password (TCP MD5): there is none here'],
  };
}

export const noOpen = ({ settings }: PeerView): Finding => ({
  cause: 'no OPEN',
  verdict: 'TCP opens and what we send is taken, but no OPEN comes from the peer',
  next: [
    'whether the peer’s BGP process hangs, or waits for us to speak first for long (DelayOpen)',
    `that it is BGP that listens there on port ${settings.port}`,
  ],
});

export const noKeepalive = (ms: number): Finding => ({
  cause: 'no KEEPALIVE',
  verdict: `both OPENs agree, but the peer has not confirmed with a KEEPALIVE for ${roughDuration(ms)}`,
  next: ['whether the peer’s BGP process hangs or is overloaded', 'the peer’s log'],
});

/** A connection that stood is gone, and nobody said why. */
export function lostFinding({ settings, reach }: PeerView, { text, errno, isFlap }: PeerIncident): Finding {
  if (isFlap) {
    return {
      cause: 'connection lost',
      verdict: `the session was up, and its TCP connection ended without a NOTIFICATION: ${text}`,
      next: [
        'whether the peer’s BGP process crashed or was restarted',
        errno === undefined || errno === 'ECONNRESET' ? 'the peer’s log' : 'the link and the route between the two',
      ],
    };
  }
  if (errno !== undefined && errno !== 'ECONNRESET' && errno !== 'EPIPE') {
    const verdict = `TCP opened, and broke before the session was up: ${text}`;
    return { cause: 'connection lost', verdict, next: ['the path between the two, and firewalls on it'] };
  }
  const ours = reach.localAddress ?? settings.localAddress;
  const neighbor = ours === undefined ? 'with our address' : formatIpAddress(ours);
  return {
    cause: 'not configured at the peer',
    verdict: `the peer takes our connection and hangs up before its OPEN: it has no neighbor ${neighbor} that may come up now`,
    next: [
      `that the peer has a neighbor ${neighbor}, and that it is not shut down there`,
      'our source address (localAddress, sourceAddress), where this host has several',
      'the peer’s log: it may only wait after an error',
    ],
  };
}

/** Neither side has to dial within three seconds, but daemons do. */
const PATIENCE_MS = 3000;

/** Nothing has happened yet that went wrong. */
export function waiting({ settings, state, since }: PeerView, now: number): Finding {
  const address = formatIpAddress(settings.address);
  const waited = now - since;
  if (settings.passive && state === 'Active' && waited >= PATIENCE_MS) {
    const ours = settings.localAddress === undefined ? 'this host' : formatIpAddress(settings.localAddress);
    return {
      cause: 'both wait',
      verdict: `this side is passive and waits, and ${address} has not connected for ${roughDuration(waited)}: it may be passive, too`,
      next: [
        `that ${address} is not passive, is up, and has ${ours} as neighbor`,
        'that nothing between the two drops TCP to our port',
        'or take passive off here: then we dial',
      ],
    };
  }
  const what =
    settings.passive && state === 'Active' ? `we wait for ${address} to connect` : `the session is in ${state}`;
  return {
    cause: 'just started',
    verdict: `${what}, and nothing has gone wrong yet`,
    next: ['ask again in a few seconds'],
  };
}
