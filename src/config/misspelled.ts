import { nearest } from '../model/nearest.ts';
import type { Environment } from './datastore.ts';

/** How many typing slips still mean one of ours; two of them make almost any short word out of another. */
const slipsOf = (name: string): number => (name.length < 12 ? 1 : 2);

/**
 * What looks like ours and is somebody else's: Calico's IPv6 pool and tunnels, the node's name in Kubernetes' manifests, and
 * what Kubernetes tells every pod of a service `etcd` or `calico-etcd`.
 */
const OTHERS = /^CALICO_IPV6|V6$|^NODE_NAME$|_PORT(_|$)/;

/**
 * One sentence for every variable that is none of `known` but a slip or two away from one: it is a mistake, and would
 * be passed over in silence. A name without an underscore says too little to be judged; NODENAME is the exception.
 */
export function misspelled(env: Environment, known: readonly string[]): readonly string[] {
  const judged = known.filter((name) => name.includes('_') || name === 'NODENAME');
  return Object.keys(env)
    .filter((name) => (name.includes('_') || name.startsWith('NODENAM')) && !known.includes(name))
    .filter((name) => !OTHERS.test(name))
    .flatMap((name) => {
      const meant = nearest(name, judged, slipsOf(name));
      return meant === undefined ? [] : [`${name} is not a setting; did you mean ${meant}?`];
    });
}
