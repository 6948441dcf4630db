import { CALICO_PREFIX } from '../../datastore/keys.ts';
import type { Listing, Store } from '../../datastore/store.ts';
import { ipamSurvey } from '../../ipam/index.ts';
import type { IpamSurvey, Users } from '../../ipam/index.ts';
import { addressUsers, resourcesFromEntries } from '../../resources/index.ts';
import type { Resources, UnreadableEntry } from '../../resources/index.ts';

/** IPAM and who uses it, at one moment. */
export interface IpamView {
  readonly listing: Listing;
  readonly survey: IpamSurvey;
  readonly resources: Resources;
  readonly users: Users;
  /** Blocks, endpoints, nodes that nobody can read: what they use is unknown. */
  readonly unreadable: readonly UnreadableEntry[];
}

/** Of one listing, so that an address and its endpoint are of the same moment. */
export async function ipamView(store: Store): Promise<IpamView> {
  const listing = await store.list(CALICO_PREFIX);
  const { resources, unreadable } = resourcesFromEntries(listing.entries);
  const survey = ipamSurvey(listing);
  const users = addressUsers(resources);
  return { listing, survey, resources, users, unreadable: [...survey.unreadable, ...unreadable] };
}

/** What keeps addresses back, of all IPReservations. */
export const reservedBy = ({ IPReservation }: Resources): readonly (readonly [name: string, cidr: string])[] =>
  [...IPReservation.values()].flatMap(({ metadata, spec }) =>
    spec.reservedCIDRs.map((cidr) => [metadata.name, cidr] as const),
  );
