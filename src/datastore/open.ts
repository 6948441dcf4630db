import { unreachable } from '../model/invalid.ts';
import type { Clock } from '../runtime/clock.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import { systemRandom } from '../runtime/random.ts';
import type { EtcdSettings } from './etcd.ts';
import { openFileStore } from './file.ts';
import { MemoryStore } from './memory.ts';
import type { Store } from './store.ts';

export type StoreSettings =
  | { readonly type: 'file'; readonly directory: string; readonly mustExist?: boolean }
  | ({ readonly type: 'etcdv3' } & EtcdSettings)
  | { readonly type: 'memory' };

export interface StorePorts {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Opens the store that the settings name. Throws UnavailableError or NoDatastoreError, one sentence with the directory or the
 * endpoints.
 */
export async function openStore(
  settings: StoreSettings,
  ports: StorePorts = { clock: systemClock, random: systemRandom },
): Promise<Store> {
  switch (settings.type) {
    case 'file':
      return openFileStore({ directory: settings.directory, mustExist: settings.mustExist ?? false, ports });
    case 'etcdv3':
      // Its client takes longer to load than all else, and who has files never needs it.
      return (await import('./etcd.ts')).openEtcdStore(settings, ports);
    case 'memory':
      return new MemoryStore();
    default:
      return unreachable(settings);
  }
}
