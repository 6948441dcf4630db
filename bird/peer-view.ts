/** One peer as people see it. Pure. */
import type { IpFamily } from '../src/model/ip.ts';
import { decisiveIncident } from './explain/decisive.ts';
import type { StaleRoutes } from './graceful-restart/stale-routes.ts';
import type { Negotiated } from './peer/negotiate.ts';
import type { Session } from './peer/session.ts';
import { FAMILIES } from './routing.ts';
import type { RoutingPeer } from './routing.ts';
import type { PeerView } from './view.ts';

export interface PeerParts {
  readonly routes: RoutingPeer;
  readonly session: Pick<
    Session,
    'state' | 'since' | 'flaps' | 'incidents' | 'reach' | 'messages' | 'connection' | 'capabilities'
  >;
  /** Of the session that is up. */
  readonly negotiated: Negotiated | undefined;
  readonly stale: Pick<StaleRoutes, 'isPeerRestarting' | 'longLived'>;
  readonly isDynamic: boolean;
}

export function peerView({ routes, session, negotiated, stale, isDynamic }: PeerParts): PeerView {
  const { settings } = routes;
  const total = (count: (family: IpFamily) => number): number => FAMILIES.reduce((sum, f) => sum + count(f), 0);
  const lastError = decisiveIncident(session.incidents)?.text ?? waitingText(session, settings.passive);
  const { longLived } = stale;
  return {
    settings,
    state: session.state,
    since: session.since,
    ...(lastError !== undefined && { lastError }),
    ...(negotiated !== undefined && {
      bgpIdentifier: negotiated.peerIdentifier,
      holdSeconds: negotiated.holdSeconds,
    }),
    gracefulRestart: {
      negotiated: negotiated?.gracefulRestart !== undefined,
      peerRestarting: stale.isPeerRestarting,
      staleRoutes: total((family) => routes.adjRibIn[family].stale),
      ...(longLived.length > 0 && { longLived }),
    },
    received: total((family) => routes.adjRibIn[family].received),
    accepted: total((family) => routes.adjRibIn[family].accepted),
    advertised: total((family) => routes.adjRibOut[family].advertised),
    prefixes: settings.families.map((family) => ({
      family,
      received: routes.adjRibIn[family].received,
      accepted: routes.adjRibIn[family].accepted,
      advertised: routes.adjRibOut[family].advertised,
    })),
    flaps: session.flaps,
    ...(isDynamic && { isDynamic }),
    incidents: session.incidents,
    reach: session.reach,
    messages: session.messages,
    ...(session.connection !== undefined && { connection: session.connection }),
    ...(session.capabilities !== undefined && { capabilities: session.capabilities }),
  };
}

const waitingText = ({ state }: Pick<Session, 'state'>, passive: boolean): string | undefined =>
  state === 'Active' && passive ? 'passive: waiting for the peer to connect' : undefined;
