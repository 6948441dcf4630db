import { IPAM_CONFIG_KEY } from '../../../datastore/keys.ts';
import type { Store } from '../../../datastore/store.ts';
import type { IpamConfiguration } from '../../../resources/index.ts';
import { kindTable, parseResource } from '../../../resources/index.ts';

/** IPAM's record as the resource that it is shown as; the defaults where there is none. Throws InvalidResourceError. */
export async function ipamConfiguration(store: Store): Promise<IpamConfiguration> {
  const entry = await store.get(IPAM_CONFIG_KEY);
  return parseResource(kindTable.IPAMConfiguration.kept!.toDocument(entry?.value ?? {})) as IpamConfiguration;
}
