import { CALICO_PREFIX, IPAM_PREFIX, RESOURCES_PREFIX } from '../../datastore/keys.ts';
import type { Entry, Store } from '../../datastore/store.ts';
import type { AnyResource, Kind } from '../../resources/index.ts';
import { API_VERSION, KINDS, kindOfKey, readStored } from '../../resources/index.ts';
import { CommandError } from '../io.ts';
import { formatYaml } from '../output/yaml.ts';
import type { IpamSection } from './format.ts';
import { IPAM_LISTS, SEPARATOR, sectionOf } from './format.ts';

export interface Export {
  readonly text: string;
  /** Keys that belong to nobody we know: they are not in it. */
  readonly leftOut: readonly string[];
}

/** What others refer to comes first, so that the resources can be applied in this order, too. */
const FIRST: readonly Kind[] = ['Tier', 'BGPFilter'];
/** In a part of its own, and in IPAM's. */
const ELSEWHERE: readonly Kind[] = ['ClusterInformation', 'IPAMConfiguration'];

/** The whole datastore in calicoctl's form. Throws CommandError where something would be lost: a resource that cannot be read. */
export async function exportDatastore(store: Store): Promise<Export> {
  const { entries } = await store.list(CALICO_PREFIX);
  const unreadable = entries.flatMap(unreadableReason);
  if (unreadable.length > 0) {
    const more = unreadable.length > 1 ? ` (and ${unreadable.length - 1} more)` : '';
    throw new CommandError(`${unreadable[0]!}${more}: it would be lost; delete or mend it first`);
  }
  const kinds = [...FIRST, ...KINDS.filter((kind) => !FIRST.includes(kind) && !ELSEWHERE.includes(kind))];
  const info = entries.find(({ key }) => kindOfKey(key) === 'ClusterInformation');
  const parts = [
    kinds.map((kind) => list(kind, entries)).join(''),
    info === undefined ? '' : formatJson(info.value),
    formatJson(ipamSection(entries)),
  ];
  return {
    text: parts.join(`${SEPARATOR}\n`),
    leftOut: entries.map(({ key }) => key).filter((key) => !isResource(key) && !key.startsWith(IPAM_PREFIX)),
  };
}

const formatJson = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

const isResource = (key: string): boolean => key.startsWith(RESOURCES_PREFIX);

function unreadableReason(entry: Entry): readonly string[] {
  const { key } = entry;
  if (!isResource(key)) return [];
  if (kindOfKey(key) === undefined) return [`cannot export ${key}: its kind is not supported`];
  const read: AnyResource | { readonly reason: string } = readStored(entry);
  return 'reason' in read ? [`cannot export ${key}: ${read.reason}`] : [];
}

/** As it is stored: what was not filled in there is not filled in here. */
function list(kind: Kind, entries: readonly Entry[]): string {
  const items = entries.filter(({ key }) => isResource(key) && kindOfKey(key) === kind).map(({ value }) => value);
  return items.length === 0 ? '' : `${formatYaml({ apiVersion: API_VERSION, kind: `${kind}List`, items })}---\n`;
}

function ipamSection(entries: readonly Entry[]): IpamSection {
  const records = Map.groupBy(
    entries.filter(({ key }) => key.startsWith(IPAM_PREFIX)),
    ({ key }) => sectionOf(key),
  );
  const of = (name: keyof IpamSection) =>
    (records.get(name) ?? []).map(({ key, value }) => ({ Key: key, Value: value, TTL: 0 }) as const);
  const [config] = of('config');
  const lists = [...IPAM_LISTS, 'others' as const].map((name) => [name, of(name)] as const);
  return {
    ...Object.fromEntries(lists.filter(([, list_]) => list_.length > 0)),
    ...(config !== undefined && { config }),
  };
}
