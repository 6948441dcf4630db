/** Path attributes as JSON and as part of the readable line, from the rows of the table. */
import { formatHex, hex } from '../json/address.ts';
import type { Fields, Json, JsonCodec } from '../json/codec.ts';
import { list, optional, record, u8 } from '../json/codec.ts';
import type { PathAttributes, UnknownAttribute } from './path-attributes.ts';
import type { AttributeRow } from './table.ts';
import { attributeRows } from './table.ts';

type RecordedRow = AttributeRow & { readonly spec: { readonly json: JsonCodec<unknown> } };

const rows = attributeRows.filter((row): row is RecordedRow => row.spec.json !== undefined);

/** One field per row; the two that are no row stand at the end. */
export const pathAttributes: JsonCodec<PathAttributes> = record<PathAttributes>({
  ...(Object.fromEntries(
    rows.map(({ field, spec }) => [field, optional(spec.json)]),
  ) as unknown as Fields<PathAttributes>),
  unknown: optional(list(record<UnknownAttribute>({ code: u8, flags: u8, value: hex() }))),
  partial: optional(list(u8)),
});

/** What operators look for first stands first in the line, then the others by code. */
const first: readonly string[] = ['nextHop', 'asPath', 'origin', 'med', 'localPref'];
const inLine: readonly RecordedRow[] = [
  ...first.flatMap((name) => rows.filter(({ field }) => field === name)),
  ...rows.filter(({ field }) => !first.includes(field)),
];

/** `next-hop 192.0.2.1`, `as-path [65001]`, `origin igp` … */
export function formatAttributes(attributes: PathAttributes): readonly string[] {
  const parts = inLine.flatMap(({ field, spec }) => {
    const value = attributes[field as keyof PathAttributes];
    if (value === undefined) return [];
    const text = spec.line === undefined ? inOneLine(spec.json.to(value)) : spec.line(value);
    return [`${word(field)} ${text}`.trimEnd()];
  });
  const unknown = (attributes.unknown ?? []).map(({ code, value }) =>
    `attribute-${code} ${formatHex(value)}`.trimEnd(),
  );
  return [...parts, ...unknown];
}

/** `localPref` is `local-pref`. */
const word = (field: string): string => field.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The texts and numbers in it, one behind the other. */
function inOneLine(json: Json): string {
  if (typeof json !== 'object' || json === null) return String(json);
  return Object.values(json)
    .map((part: Json) => inOneLine(part))
    .join(' ');
}
