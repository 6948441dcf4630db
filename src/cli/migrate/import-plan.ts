import { IPAM_PREFIX } from '../../datastore/keys.ts';
import type { Json } from '../../datastore/store.ts';
import { blockFromJson } from '../../ipam/index.ts';
import { InvalidResourceError, keyOf, parseResource, resourceId, toStored } from '../../resources/index.ts';
import type { AnyResource } from '../../resources/index.ts';
import type { ManifestText } from '../io.ts';
import { CommandError } from '../io.ts';
import { parseManifest } from '../manifest/manifest.ts';
import type { IpamRecord } from './format.ts';
import { IPAM_LISTS, SEPARATOR, sectionOf } from './format.ts';

/** What an import writes, by key, in this order: the lock first. */
export interface ImportPlan {
  readonly values: ReadonlyMap<string, Json>;
  readonly resources: number;
  readonly ipamRecords: number;
}

/** Reads the whole file and checks all of it before anything is written. Throws CommandError with all that is wrong. */
export function planImport({ path, text }: ManifestText): ImportPlan {
  const parts = text.split(new RegExp(`^${SEPARATOR}\\r?\\n`, 'm'));
  const [resourceText = '', infoText = '', ipamText = ''] = parts;
  if (parts.length !== 3) {
    throw new CommandError(
      `${path}: is no export: resources, cluster information and IPAM are divided by two lines of ${SEPARATOR}, not ${parts.length - 1}`,
    );
  }
  const faults: string[] = [];
  const values = new Map<string, Json>();
  const put = (key: string, value: Json, where: string): void => {
    if (values.has(key)) faults.push(`${where}: ${key} is there twice`);
    values.set(key, value);
  };
  const [infoLine, ipamLine] = [lineAfter(resourceText), lineAfter(resourceText, infoText)];
  const lock = lockedInformation({ path, text: infoText }, infoLine, faults);
  if (lock !== undefined) put(keyOf(lock), toStored(lock), `${path}:${infoLine}`);
  let resources = 0;
  for (const document of parseManifest({ path, text: resourceText })) {
    const resource = collect(faults, document.where, () => parseResource(document.value));
    if (resource === undefined) continue;
    put(keyOf(resource), toStored(resource), document.where());
    resources++;
  }
  const records = ipamRecords({ path: `${path}:${ipamLine}`, text: ipamText }, faults);
  for (const { Key, Value } of records) put(Key, Value, `${path}: IPAM`);
  if (faults.length > 0) throw new CommandError(['nothing was imported:', ...faults].join('\n'));
  return { values, resources, ipamRecords: records.length };
}

const lineAfter = (...parts: readonly string[]): number => parts.join(`${SEPARATOR}\n`).split('\n').length + 1;

type Where = (field?: string) => string;

function collect(faults: string[], where: Where, read: () => AnyResource): AnyResource | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InvalidResourceError)) throw error;
    faults.push(...error.faults.map((fault) => `${where(fault.field)}: ${fault.message}`));
    return undefined;
  }
}

/** The cluster stays locked until somebody who has looked at it unlocks it. */

function lockedInformation({ path, text }: ManifestText, line: number, faults: string[]): AnyResource | undefined {
  const empty = { apiVersion: 'projectcalico.org/v3', kind: 'ClusterInformation', metadata: { name: 'default' } };
  const value = (text.trim() === '' ? empty : parsedJson({ path: `${path}:${line}`, text })) as {
    readonly spec?: object;
  };
  const where = (): string => `${path}:${line}`;
  const found = collect(faults, where, () =>
    parseResource({ ...withoutVersion(value), spec: { ...value.spec, datastoreReady: false } }),
  );
  if (found === undefined || found.kind === 'ClusterInformation') return found;
  faults.push(`${where()}: ${resourceId(found.kind, found.metadata.name)} stands where ClusterInformation belongs`);
  return undefined;
}

function withoutVersion(value: object): object {
  const { metadata, ...rest } = value as { readonly metadata?: object };
  return { ...rest, metadata: { ...metadata, resourceVersion: undefined } };
}

function parsedJson({ path, text }: ManifestText): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    throw new CommandError(`${path}: ${(error as Error).message}`);
  }
  throw new CommandError(`${path}: is not an object`);
}

function ipamRecords({ path, text }: ManifestText, faults: string[]): readonly IpamRecord[] {
  const section = parsedJson({ path, text }) as Readonly<Record<string, unknown>>;
  const named = [...IPAM_LISTS, 'others'].flatMap((name) => {
    const list = section[name] ?? [];
    return Array.isArray(list) ? list.map((record: unknown) => ({ name, record })) : [{ name, record: list }];
  });
  const config = section['config'] === undefined ? [] : [{ name: 'config', record: section['config'] }];
  return [...named, ...config].flatMap(({ name, record }) => {
    const fault = recordFault(name, record as Partial<IpamRecord> | null);
    if (fault !== undefined) faults.push(`${path}: ${name}: ${fault}`);
    return fault === undefined ? [record as IpamRecord] : [];
  });
}

function recordFault(name: string, record: Partial<IpamRecord> | null): string | undefined {
  const { Key: key, Value: value } = record ?? {};
  if (typeof key !== 'string' || !key.startsWith(IPAM_PREFIX)) return `Key = '${String(key)}': is not a key of IPAM's`;
  if (sectionOf(key) !== name) return `Key = '${key}': belongs into ${sectionOf(key)}`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `${key}: Value is not an object`;
  if (name !== 'blocks') return undefined;
  try {
    blockFromJson(value, key);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
