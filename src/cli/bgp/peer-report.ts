import type { IncidentReport, MessageReport, PeerReport } from '../../api/bgp-contract.ts';
import { formatTabs } from '../table.ts';

/** All sessions, one line each. */
export const formatPeers = (peers: readonly PeerReport[]): string => formatTabs([HEADINGS, ...peers.map(row)]);

const HEADINGS = [
  'PEER',
  'AS',
  'STATE',
  'SINCE',
  'MSGRCVD',
  'MSGSENT',
  'RECEIVED',
  'ACCEPTED',
  'ADVERTISED',
  'FLAPS',
  'NAME',
];

const row = (peer: PeerReport): readonly string[] => [
  peer.address,
  String(peer.remoteAsn),
  peer.state,
  `${peer.since.slice(0, 19)}Z`,
  String(total(peer.messages.received)),
  String(total(peer.messages.sent)),
  String(peer.received),
  String(peer.accepted),
  String(peer.advertised),
  String(peer.flaps),
  peer.description ?? peer.type,
];

const total = (counts: MessageReport): number =>
  counts.open + counts.update + counts.notification + counts.keepalive + counts.routeRefresh;

/** One session in full. */
export function formatPeer(peer: PeerReport): string {
  const { connection, capabilities, messages, reach, bfd, gracefulRestart } = peer;
  return [
    `Peer ${peer.address}${peer.description === undefined ? '' : ` "${peer.description}"`}: ${peer.type}, ${peer.origin}`,
    line('State', `${peer.state} since ${peer.since}, ${peer.flaps} flaps`),
    line('AS', `${peer.remoteAsn}, ours ${peer.localAsn}`),
    ...(peer.bgpIdentifier === undefined ? [] : [line('BGP Identifier', peer.bgpIdentifier)]),
    ...(peer.holdSeconds === undefined ? [] : [line('Hold time', `${peer.holdSeconds} s`)]),
    ...(connection === undefined ? [] : [line('Connection', `${connection.local} to ${connection.remote}`)]),
    line('Reach', `dialled ${reach.dialled}, TCP stood ${reach.connected}, dialled by the peer ${reach.incoming}`),
    ...peer.prefixes.map(({ family, received, accepted, advertised }) =>
      line(family, `${received} prefixes received, ${accepted} accepted, ${advertised} advertised`),
    ),
    line('Received', messagesText(messages.received)),
    line('Sent', messagesText(messages.sent)),
    ...(capabilities === undefined ? [] : [line('We offer', capabilities.sent.join('; '))]),
    ...(capabilities === undefined ? [] : [line('Peer offers', capabilities.received.join('; '))]),
    ...(gracefulRestart?.peerRestarting === true
      ? [line('Restarting', `${gracefulRestart.staleRoutes} stale routes`)]
      : []),
    ...(bfd === undefined ? [] : [line('BFD', `${bfd.state}, every ${bfd.transmitMs} ms, ${bfd.flaps} flaps`)]),
    ...(peer.lastError === undefined ? [] : [line('Last error', peer.lastError)]),
    ...(peer.incidents.length === 0 ? [] : ['History, the newest first:', ...peer.incidents.map(incidentLine)]),
    '',
  ].join('\n');
}

const LABEL_WIDTH = 16;

const line = (label: string, text: string): string => `  ${`${label}:`.padEnd(LABEL_WIDTH)}${text}`;

const messagesText = ({ open, update, notification, keepalive, routeRefresh }: MessageReport): string =>
  `${open} OPEN, ${update} UPDATE, ${notification} NOTIFICATION, ${keepalive} KEEPALIVE, ${routeRefresh} ROUTE-REFRESH`;

const incidentLine = ({ at, text, isFlap, count }: IncidentReport): string =>
  `  ${at.slice(0, 19)}Z  ${isFlap ? 'flap: ' : ''}${text}${count === undefined ? '' : ` (${count} times)`}`;
