import type { AdvertisementView, PeerView, RouteAttributes, RouteExplanation, RouteView } from '../../bird/index.ts';
import type { AdvertisementReport, IncidentReport, PeerReport, RouteExplainReport } from '../api/bgp-contract.ts';
import type { PathReport, PeerStatus } from '../api/contract.ts';
import { formatIpAddress, formatIpv4, formatPrefix } from '../model/ip.ts';

/** bird's view of a peer in the API's words. */
export function peerStatus(view: PeerView): PeerStatus {
  const { settings } = view;
  return {
    address: peerAddress(settings),
    port: settings.port,
    type: settings.kind,
    origin: settings.origin,
    remoteAsn: settings.remoteAsn,
    localAsn: settings.localAsn,
    state: view.state,
    ...(settings.shutdown !== undefined && { shutdown: settings.shutdown }),
    since: new Date(view.since).toISOString(),
    ...(view.lastError === undefined ? {} : { lastError: view.lastError }),
    received: view.received,
    accepted: view.accepted,
    advertised: view.advertised,
    flaps: view.flaps,
    ...(view.gracefulRestart === undefined ? {} : { gracefulRestart: view.gracefulRestart }),
  };
}

export function pathReport(view: RouteView): PathReport {
  const { prefix, nextHop, ...rest } = view;
  return {
    ...rest,
    prefix: formatPrefix(prefix),
    ...(nextHop === undefined ? {} : { nextHop: formatIpAddress(nextHop) }),
  };
}

/** A peer in full; never its password. */
export function peerReport(view: PeerView): PeerReport {
  const { settings, bgpIdentifier, holdSeconds, connection, capabilities, messages, bfd } = view;
  const { dialled, connected, incoming } = view.reach;
  return {
    ...peerStatus(view),
    ...(settings.description !== undefined && { description: settings.description }),
    ...(view.isDynamic === true && { isDynamic: true }),
    ...(bgpIdentifier !== undefined && { bgpIdentifier: formatIpv4(bgpIdentifier) }),
    ...(holdSeconds !== undefined && { holdSeconds }),
    ...(connection !== undefined && { connection: connectionReport(view, connection) }),
    ...(capabilities !== undefined && { capabilities }),
    messages,
    prefixes: view.prefixes.map(({ family, ...counts }) => ({ family: familyText(family), ...counts })),
    reach: { dialled, connected, incoming },
    incidents: view.incidents.map(incidentReport).reverse(),
    ...(bfd !== undefined && { bfd: bfdReport(bfd) }),
  };
}

function connectionReport(
  { settings }: PeerView,
  { localAddress, localPort, remotePort }: NonNullable<PeerView['connection']>,
): NonNullable<PeerReport['connection']> {
  const end = (address: string, port: number | undefined): string => `${address} port ${port ?? '?'}`;
  return { local: end(formatIpAddress(localAddress), localPort), remote: end(peerAddress(settings), remotePort) };
}

function incidentReport({
  at,
  kind,
  text,
  isFlap,
  count,
  errno,
  notification,
}: PeerView['incidents'][number]): IncidentReport {
  return {
    at: new Date(at).toISOString(),
    kind,
    text,
    isFlap,
    ...(count !== undefined && { count }),
    ...(errno !== undefined && { errno }),
    ...(notification !== undefined && { notification }),
  };
}

function bfdReport(bfd: NonNullable<PeerView['bfd']>): NonNullable<PeerReport['bfd']> {
  const { state, remoteState, transmitMs, detectionMs, flaps, lastDiagnostic, problem } = bfd;
  return {
    state,
    ...(remoteState !== undefined && { remoteState }),
    transmitMs,
    ...(detectionMs !== undefined && { detectionMs }),
    flaps,
    ...(lastDiagnostic !== undefined && { lastDiagnostic }),
    ...(problem !== undefined && { problem }),
  };
}

export const explainedPathReport = ({
  changes,
  rule,
  ...view
}: RouteExplanation['paths'][number]): RouteExplainReport['paths'][number] => ({
  ...pathReport(view),
  changes,
  ...(rule !== undefined && { rule }),
});

export function advertisementReport({ prefix, attributes, ...view }: AdvertisementView): AdvertisementReport {
  return {
    ...view,
    prefix: formatPrefix(prefix),
    ...(attributes !== undefined && { attributes: attributeReport(attributes) }),
  };
}

const attributeReport = ({ nextHop, ...rest }: RouteAttributes): NonNullable<AdvertisementReport['attributes']> => ({
  ...rest,
  ...(nextHop !== undefined && { nextHop: formatIpAddress(nextHop) }),
});

export const familyText = (family: 4 | 6): string => `IPv${family} unicast`;

/** `10.0.0.2`, `fe80::1%eth0`. */
export const peerAddress = ({ address, interface: link }: PeerView['settings']): string =>
  link === undefined ? formatIpAddress(address) : `${formatIpAddress(address)}%${link}`;
