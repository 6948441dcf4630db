import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { CodecContext } from '../../../bird/bgp-ts/index.ts';
import { decodeMessage, encodeCapability, familyKey, scanUpdate } from '../../../bird/bgp-ts/index.ts';
import { attributeRows } from '../../../bird/bgp-ts/attribute/table.ts';
import { AttributeWalk } from '../../../bird/bgp-ts/attribute/walk.ts';
import { capabilityTable } from '../../../bird/bgp-ts/capability/table.ts';
import { familyRows } from '../../../bird/bgp-ts/nlri/families.ts';
import { contextOf, FIXTURES, readFixture } from '../../capture/fixture.ts';
import { bytes } from '../../support/bgp-bytes.ts';
import { hasVectors, loadVectors, octetsOf, sessionOf } from '../../support/vectors.ts';

const kinds = ['message', 'capability', 'attribute', 'family'] as const;
type Kind = (typeof kinds)[number];

/** Who showed what, `attribute 14` and so on: the initials of the daemons that were recorded, and `v` for the vectors. */
const seen = new Map<string, Set<string>>();

function note(kind: Kind, code: number | string, who: string): void {
  const key = `${kind} ${code}`;
  seen.set(key, (seen.get(key) ?? new Set()).add(who));
}

function look(octets: Uint8Array, session: CodecContext, who: string): void {
  const result = decodeMessage(octets, session);
  if (result.kind === 'fault') return;
  const { message } = result;
  note('message', octets[18]!, who);
  if (message.type === 'open') {
    for (const capability of message.capabilities) {
      note('capability', capability.name === 'unknown' ? 'other' : encodeCapability(capability)[0]!, who);
    }
  }
  if (message.type !== 'update') return;
  const scan = scanUpdate(octets, session);
  const walk = new AttributeWalk(octets, scan.attributesStart, scan.attributesEnd);
  const known = new Set(attributeRows.map(({ spec }) => spec.code));
  while (walk.next()) note('attribute', known.has(walk.code) ? walk.code : 'other', who);
  for (const group of [...message.announced, ...message.withdrawn]) {
    note('family', group.kind === 'bytes' ? 'other' : familyKey(group.family), who);
  }
}

for (const vector of loadVectors()) {
  const octets = octetsOf(vector);
  const isWell = ['ok', 'emitted-by-speaker'].includes(vector.expect.outcome);
  if (octets !== undefined && isWell) look(octets, sessionOf(vector), 'v');
}
for (const file of readdirSync(FIXTURES)) {
  const { daemon, sessions } = readFixture(file.replace('.json', ''));
  for (const { context, messages } of sessions) {
    for (const message of messages) look(bytes(message), contextOf(context), daemon[0]!.toUpperCase());
  }
}

const readme = readFileSync('bird/bgp-ts/README.md', 'utf8');

/** The rows of a table, by its first column. */
function rowsOf(kind: Kind): ReadonlyMap<string, readonly string[]> {
  const lines = readme.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${kind} |`));
  const end = lines.findIndex((line, i) => i > start && line === '');
  const cells = lines.slice(start + 2, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return new Map(cells.map((row) => [row[0]!, row]));
}

describe.each(kinds)('the coverage of each %s in the README', (kind) => {
  const rows = rowsOf(kind);
  const codes = [...rows.keys()].filter((code) => code !== '–');

  test('has a row for each that is written, and no other', () => {
    const written: Readonly<Record<Kind, readonly (string | number)[]>> = {
      message: [1, 2, 3, 4, 5],
      capability: [...Object.values(capabilityTable).map(({ code }) => code), 'other'],
      attribute: [...attributeRows.map(({ spec }) => spec.code), 'other'],
      family: [...familyRows.filter((row) => row.kind !== 'bytes').map(({ family }) => familyKey(family)), 'other'],
    };
    expect(codes.toSorted()).toEqual(written[kind].map(String).sort());
  });

  test('says who sent it', () => {
    const said = codes.map((code) => `${code}: ${rows.get(code)!.at(-1)!}`);
    const found = codes.map((code) => {
      const who = [...(seen.get(`${kind} ${code}`) ?? [])].filter((initial) => initial !== 'v').sort();
      return `${code}: ${who.length === 0 ? '–' : who.join(' ')}`;
    });
    expect(said).toEqual(found);
  });

  test.skipIf(!hasVectors)('says whether the vectors have it', () => {
    const said = codes.map((code) => `${code}: ${rows.get(code)!.at(-2)!}`);
    const found = codes.map((code) => `${code}: ${seen.get(`${kind} ${code}`)?.has('v') === true ? 'yes' : '–'}`);
    expect(said).toEqual(found);
  });
});
