/** How large the speaker's tables are. It tells nobody, so they are overheard when they are first used. */
import { AttributeCache } from '../../bird/rib/attribute-cache.ts';
import { PrefixTable } from '../../bird/rib/prefix-table.ts';

export interface TableSizes {
  readonly attributeSets: number;
  readonly prefixes: number;
}

/** To be called before the speaker is made. */
export function overhearTables(): () => TableSizes {
  const caches = instancesOf(AttributeCache.prototype);
  const prefixTables = instancesOf(PrefixTable.prototype);
  const sum = (tables: ReadonlySet<{ readonly size: number }>): number =>
    [...tables].reduce((total, { size }) => total + size, 0);
  return () => ({ attributeSets: sum(caches), prefixes: sum(prefixTables) });
}

/** Every object of this prototype whose `intern` is called from now on. */
function instancesOf<T extends { readonly size: number; intern(...parameters: never[]): number }>(
  prototype: T,
): ReadonlySet<T> {
  const found = new Set<T>();
  // eslint-disable-next-line @typescript-eslint/unbound-method -- bound to whoever called, below
  const { intern } = prototype;
  prototype.intern = function (this: T, ...parameters: never[]): number {
    found.add(this);
    return intern.apply(this, parameters);
  };
  return found;
}
