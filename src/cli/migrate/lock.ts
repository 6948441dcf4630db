import { NotFoundError } from '../../datastore/store.ts';
import type { ClusterInformation, ResourceClient } from '../../resources/index.ts';
import { API_VERSION } from '../../resources/index.ts';

const NAME = 'default';

/** Undefined where there is none, as in a cluster that was never told about itself. */
export async function clusterInformation(client: ResourceClient): Promise<ClusterInformation | undefined> {
  try {
    return await client.get('ClusterInformation', NAME);
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

/** A locked datastore is one whose ClusterInformation says that it is not ready; who heeds it keeps its hands off. */
export const isLocked = async (client: ResourceClient): Promise<boolean> =>
  (await clusterInformation(client))?.spec.datastoreReady === false;

export async function setLocked(client: ResourceClient, locked: boolean): Promise<void> {
  const current = await clusterInformation(client);
  const spec = { ...current?.spec, datastoreReady: !locked };
  if (current !== undefined) await client.update({ ...current, spec });
  // Without one, nothing is locked: there is something to write only for a lock.
  else if (locked) {
    await client.create({ apiVersion: API_VERSION, kind: 'ClusterInformation', metadata: { name: NAME }, spec });
  }
}
