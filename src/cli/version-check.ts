import type { ResourceClient } from '../resources/index.ts';
import type { CliIo } from './io.ts';
import { CommandError } from './io.ts';
import { clusterInformation } from './migrate/lock.ts';

/** In the clusterType of a cluster that calico-ts runs. */
const OURS = 'calico-ts';

/**
 * Throws CommandError where the cluster's version is another than this program's. A cluster of Calico's own has Calico's version,
 * which is no measure for ours: it is not compared.
 */
export async function checkVersion(client: ResourceClient, io: CliIo): Promise<void> {
  const spec = (await clusterInformation(client))?.spec;
  const types = (spec?.clusterType ?? '').split(',').map((type) => type.trim());
  const [ours, theirs] = [bare(io.version), bare(spec?.calicoVersion ?? '')];
  if (theirs === '' || !types.includes(OURS) || ours === theirs) return;
  throw new CommandError(
    [
      'version mismatch.',
      `Client Version:   ${ours}`,
      `Cluster Version:  ${theirs}`,
      'Use the same version, or --allow-version-mismatch.',
    ].join('\n'),
  );
}

/** `v3.22.2-1-gabc` is 3.22.2. */
const bare = (version: string): string => version.replace(/^v/, '').replace(/-.*$/s, '');
