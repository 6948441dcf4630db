import { MAX_WRITES } from '../datastore/store.ts';
import type { Write } from '../datastore/store.ts';
import { addressAt, formatPrefix, parsePrefix, prefixSize } from '../model/ip.ts';
import { invalidField } from './invalid-resource.ts';
import type { IpPool } from './ip-pool.ts';
import { resourceKey } from './keys.ts';
import { parseResource } from './parse.ts';
import type { Stamps } from './stamps.ts';
import { systemStamps } from './stamps.ts';
import { toStored } from './stored.ts';

/** Calico's: with `split-` before it and a number behind it a name stays below 253. */
const MAX_NAME = 245;

/**
 * The pool cut into `parts` equal ones, `split-<name>-0` and so on, in the order of their addresses; all that it says holds for
 * each of them. As writes for one `writeAll`, so that no moment has both or neither: blocks and pods stay as they are.
 * Throws InvalidResourceError where `parts` is no power of two above one, or a part would be smaller than a block.
 */
export function splitPool(pool: IpPool, parts: number, stamps: Stamps = systemStamps): readonly Write[] {
  const cidr = parsePrefix(pool.spec.cidr);
  const bits = Math.log2(parts);
  if (!Number.isInteger(bits) || bits < 1) {
    throw invalidField('number', parts, 'number to split CIDR into is not a valid power of 2');
  }
  if (parts >= MAX_WRITES)
    throw invalidField('number', parts, `is more than ${2 ** Math.floor(Math.log2(MAX_WRITES))}`);
  const length = cidr.length + bits;
  if (length > pool.spec.blockSize) {
    throw invalidField(
      'number',
      parts,
      `would make parts of /${length}, smaller than a block of /${pool.spec.blockSize}`,
    );
  }
  const size = prefixSize({ ...cidr, length });
  const children = Array.from({ length: parts }, (_, i) => {
    const { labels, annotations } = pool.metadata;
    const name = `split-${pool.metadata.name.slice(0, MAX_NAME)}-${i}`;
    return parseResource({
      ...pool,
      metadata: {
        name,
        uid: stamps.uid(),
        creationTimestamp: new Date(stamps.wallTime()).toISOString().replace(/\.\d+Z$/, 'Z'),
        ...(labels && { labels }),
        ...(annotations && { annotations }),
      },
      spec: { ...pool.spec, cidr: formatPrefix({ address: addressAt(cidr, i * size), length }) },
    });
  });
  const { name, resourceVersion } = pool.metadata;
  return [
    { type: 'delete', key: resourceKey('IPPool', name), revision: Number(resourceVersion) },
    ...children.map((child): Write => ({
      type: 'create',
      key: resourceKey('IPPool', child.metadata.name),
      value: toStored(child),
    })),
  ];
}
