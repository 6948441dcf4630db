import { counters, gauge, gauges, sample } from './family.ts';
import type { Family, Sample, Value } from './family.ts';
import type { Moment, PeerMoment } from './moment.ts';

/** As bgpPeerState counts them, RFC 4273. */
const STATES = ['Idle', 'Connect', 'Active', 'OpenSent', 'OpenConfirm', 'Established'] as const;

const peers = ({ agent }: Moment): readonly PeerMoment[] => agent?.bgp?.peers ?? [];

const ofPeer =
  (read: (peer: PeerMoment) => Value): Family['read'] =>
  (moment) =>
    peers(moment).flatMap((peer) => sample(read(peer), { peer: peer.peer }));

const ofFamily =
  (count: 'received' | 'accepted' | 'advertised'): Family['read'] =>
  (moment) =>
    peers(moment).flatMap(({ peer, view }) =>
      view.prefixes.map((each): Sample => ({ labels: { peer, family: `ipv${each.family}` }, value: each[count] })),
    );

const ofTable =
  (count: 'prefixes' | 'best'): Family['read'] =>
  ({ agent }) =>
    (agent?.bgp?.tables ?? []).map((each) => ({ labels: { family: `ipv${each.family}` }, value: each[count] }));

const isUp = ({ view }: PeerMoment): boolean => view.state === 'Established';

export const BGP_FAMILIES: readonly Family[] = [
  gauge('calico_ts_bgp_listening', '1 while the BGP speaker listens.', ({ agent }) => agent?.bgp !== undefined),
  gauge(
    'calico_ts_bgp_converged',
    '0 while the speaker waits for the End-of-RIB of its peers after a restart; no route is deleted until then.',
    ({ agent }) => agent?.bgp?.isConverged,
  ),
  gauges({
    name: 'calico_ts_bgp_sessions',
    help: 'BGP sessions by state.',
    labels: ['state'],
    read: (moment) =>
      moment.agent?.bgp === undefined
        ? []
        : STATES.map((state) => ({
            labels: { state },
            value: peers(moment).filter(({ view }) => view.state === state).length,
          })),
  }),
  gauges({
    name: 'calico_ts_bgp_session_info',
    help: 'Always 1: what a session is. type is node-to-node mesh, node specific or global.',
    labels: ['peer', 'type', 'local_as', 'remote_as'],
    read: (moment) =>
      peers(moment).map(({ peer, view: { settings } }) => ({
        labels: {
          ...{ peer, type: settings.kind },
          ...{ local_as: String(settings.localAsn), remote_as: String(settings.remoteAsn) },
        },
        value: 1,
      })),
  }),
  gauges({
    name: 'calico_ts_bgp_session_up',
    help: '1 while the session is Established.',
    labels: ['peer'],
    read: ofPeer(isUp),
  }),
  gauges({
    name: 'calico_ts_bgp_session_state',
    help: 'The state as bgpPeerState counts: 1 Idle, 2 Connect, 3 Active, 4 OpenSent, 5 OpenConfirm, 6 Established.',
    labels: ['peer'],
    read: ofPeer(({ view }) => STATES.indexOf(view.state) + 1),
  }),
  gauges({
    name: 'calico_ts_bgp_session_shutdown',
    help: '1 where the operator of this node holds the session down.',
    labels: ['peer'],
    read: ofPeer(({ view }) => view.settings.shutdown !== undefined),
  }),
  gauges({
    name: 'calico_ts_bgp_session_down_info',
    help: 'Always 1, of a session that should be up and is not: why, in a word or two; calicoctl-ts peer explain says more.',
    labels: ['peer', 'cause'],
    read: (moment) =>
      peers(moment).flatMap(({ peer, cause }) => (cause === undefined ? [] : sample(1, { peer, cause }))),
  }),
  gauges({
    name: 'calico_ts_bgp_session_since_timestamp_seconds',
    help: 'When the session came into its state, in seconds since 1970.',
    labels: ['peer'],
    read: ofPeer(({ view }) => view.since / 1000),
  }),
  counters({
    name: 'calico_ts_bgp_session_flaps_total',
    help: 'How often the session was Established and then lost.',
    labels: ['peer'],
    read: ofPeer(({ view }) => view.flaps),
  }),
  gauges({
    name: 'calico_ts_bgp_prefixes_received',
    help: 'Prefixes that the peer tells.',
    labels: ['peer', 'family'],
    read: ofFamily('received'),
  }),
  gauges({
    name: 'calico_ts_bgp_prefixes_accepted',
    help: 'Of these, prefixes that import lets in.',
    labels: ['peer', 'family'],
    read: ofFamily('accepted'),
  }),
  gauges({
    name: 'calico_ts_bgp_prefixes_advertised',
    help: 'Prefixes that the peer is told.',
    labels: ['peer', 'family'],
    read: ofFamily('advertised'),
  }),
  gauges({
    name: 'calico_ts_bgp_prefixes_stale',
    help: 'Prefixes of a peer that restarts, kept until it is back or its restart time is over.',
    labels: ['peer'],
    read: ofPeer(({ view }) => view.gracefulRestart?.staleRoutes ?? 0),
  }),
  gauges({
    name: 'calico_ts_bgp_table_prefixes',
    help: 'Prefixes that any peer, or this node itself, offers.',
    labels: ['family'],
    read: ofTable('prefixes'),
  }),
  gauges({
    name: 'calico_ts_bgp_table_best_paths',
    help: 'Prefixes with a best path.',
    labels: ['family'],
    read: ofTable('best'),
  }),
  gauges({
    name: 'calico_ts_bfd_session_up',
    help: '1 while the BFD session is Up; of peers that BFD watches.',
    labels: ['peer'],
    read: ofPeer(({ view }) => (view.bfd === undefined ? undefined : view.bfd.state === 'Up')),
  }),
  counters({
    name: 'calico_ts_bfd_session_flaps_total',
    help: 'How often the BFD session was Up and then was not.',
    labels: ['peer'],
    read: ofPeer(({ view }) => view.bfd?.flaps),
  }),
];
