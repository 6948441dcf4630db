import type { Json } from '../../bird/bgp-ts/index.ts';
import type { Random } from './random.ts';

const scalars: readonly Json[] = [
  ...[null, true, false, 0, 1, -1, 1.5, 255, 256, 65535, 65536, 4294967295, 4294967296, 1e300, 2 ** 53, -0],
  ...['', ' ', '0', '-1', '1/1', '0.0.0.0/0', '10.0.0.1/8', '::/0', '::1/129', '1.2.3.4', 'fe80::1', '::', 'abc', 'ab'],
  ...['18446744073709551616', '65001:100', '65001:1:2', '0x12', '\u0000\n', '__proto__', 'igp', '9'.repeat(400)],
];
const names = [
  'type',
  'family',
  'nlri',
  'prefix',
  'pathId',
  '__proto__',
  'constructor',
  'length',
  'toString',
  'kind',
  '',
];

/** `value` with one to four changes: scalars that matter, members that go, come or change places, parts of `others`. */
export function mutateJson(value: Json, others: readonly Json[], random: Random): Json {
  let changed = value;
  for (let changes = random.below(5); changes > 0; changes--) changed = changeOne(changed, others, random);
  return changed;
}

function changeOne(value: Json, others: readonly Json[], random: Random): Json {
  const isInner = value !== null && typeof value === 'object';
  if (!isInner || random.chance(12)) return replaced(value, others, random);
  if (isList(value)) {
    const at = random.below(value.length + 1);
    const item = value[at];
    if (item === undefined || random.chance(10)) return changedList(value, at, random);
    return value.with(at, changeOne(item, others, random));
  }
  const keys = Object.keys(value);
  const key = keys[random.below(keys.length + 1)];
  if (key === undefined || random.chance(10)) return changedRecord(value, keys, random);
  return { ...value, [key]: changeOne(value[key]!, others, random) };
}

function replaced(value: Json, others: readonly Json[], random: Random): Json {
  if (typeof value === 'number' && random.chance(40)) return value + random.below(3) - 1;
  if (typeof value === 'string' && value !== '' && random.chance(60)) {
    const at = random.below(value.length);
    return value.slice(0, at) + random.pick(['', '0', '9', '.', ':', '/', 'f', value]) + value.slice(at + 1);
  }
  return random.chance(70) ? random.pick(scalars) : part(random.pick(others), random);
}

/** Some part of `value`, deep down or near its top. */
function part(value: Json, random: Random): Json {
  if (value === null || typeof value !== 'object' || random.chance(25)) return value;
  const inner: Json[] = Object.values(value);
  return inner.length === 0 ? value : part(random.pick(inner), random);
}

function changedList(list: readonly Json[], at: number, random: Random): Json {
  const item = list[at] ?? list[0] ?? random.pick(scalars);
  return random.chance(50) ? list.toSpliced(at, 1) : list.toSpliced(at, 0, item);
}

function changedRecord(record: JsonRecord, keys: readonly string[], random: Random): Json {
  const entries = Object.entries(record);
  if (entries.length > 0 && random.chance(60))
    return Object.fromEntries(entries.toSpliced(random.below(entries.length), 1));
  const name = random.pick(names);
  // Own members even where the name means something to JavaScript.
  return Object.fromEntries([
    ...entries,
    [name, random.chance(50) ? random.pick(scalars) : (record[keys[0] ?? ''] ?? null)],
  ]);
}

type JsonRecord = Readonly<Record<string, Json>>;

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
