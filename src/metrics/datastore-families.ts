import { counter, gauge } from './family.ts';
import type { Family } from './family.ts';
import type { DatastoreMoment, Moment } from './moment.ts';
import { wallSeconds } from './moment.ts';

const view = ({ agent }: Moment): DatastoreMoment['view'] => agent?.datastore.view;

/** Felix's states of its datastore. */
const [WAITING, READING, IN_SYNC] = [1, 2, 3];

function resyncState({ agent }: Moment): number {
  const { isLocked = false, view: seen } = agent?.datastore ?? {};
  if (isLocked || seen === undefined) return WAITING;
  return seen.inSync && seen.stale === undefined ? IN_SYNC : READING;
}

export const DATASTORE_FAMILIES: readonly Family[] = [
  gauge(
    'calico_ts_datastore_in_sync',
    '1 once the whole datastore was read; it stays 1 while the view is stale.',
    (moment) => view(moment)?.inSync ?? false,
  ),
  gauge(
    'calico_ts_datastore_stale',
    '1 while the datastore does not tell what changes: what was known is kept, and nothing is deleted.',
    (moment) => view(moment)?.stale !== undefined,
  ),
  gauge(
    'calico_ts_datastore_stale_since_timestamp_seconds',
    'Since when the view is stale, in seconds since 1970; absent while it is not.',
    (moment) => {
      const since = view(moment)?.staleSince;
      return since === undefined ? undefined : wallSeconds(moment, since);
    },
  ),
  gauge(
    'calico_ts_datastore_locked',
    '1 while the datastore is locked for a migration: nothing new is taken from it, and no pods are added.',
    ({ agent }) => agent?.datastore.isLocked,
  ),
  gauge(
    'calico_ts_datastore_revision',
    'The revision of the datastore that this node has seen.',
    (moment) => view(moment)?.revision,
  ),
  gauge(
    'calico_ts_datastore_entries',
    'Entries of the datastore that this node keeps in memory.',
    (moment) => view(moment)?.entries.size,
  ),
  counter(
    'calico_ts_datastore_lists_total',
    'How often all of the datastore was read.',
    ({ agent }) => agent?.datastore.counts.listed,
  ),
  counter(
    'calico_ts_datastore_losses_total',
    'How often the datastore stopped telling what changes, so that the view became stale.',
    ({ agent }) => agent?.datastore.counts.lost,
  ),
  gauge(
    'felix_resync_state',
    'State of the datastore: 1 waiting for it or for it to be unlocked, 2 reading it or cut off from it, 3 in sync.',
    resyncState,
  ),
];
