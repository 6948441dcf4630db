/** Names that lead nowhere, looked for in the file as it was written, so that they are told beside what else is wrong. Pure. */
import { didYouMean, isName } from './fields.ts';
import { problem } from './problems.ts';

type Path = readonly PropertyKey[];
type Map = Readonly<Record<string, unknown>>;

/** Templates and filters that are not there, and passwords that are given twice. */
export function referenceProblems(input: unknown): readonly string[] {
  const file = asMap(input);
  const filters = Object.keys(asMap(file['filters']));
  const templates = Object.keys(asMap(file['templates']));
  return places(file).flatMap(([path, place]) => [
    ...unknownName([...path, 'template'], place['template'], { what: 'a template', names: templates }),
    ...['importFilters', 'exportFilters'].flatMap((field) =>
      asList(place[field]).flatMap((name, i) =>
        unknownName([...path, field, i], name, { what: 'a filter', names: filters }),
      ),
    ),
    ...('password' in place && 'passwordFile' in place
      ? [
          problem(
            [...path, 'passwordFile'],
            place['passwordFile'],
            'stands beside a password: only one of them can hold',
          ),
        ]
      : []),
  ]);
}

/** Wherever settings of peers stand. */
export function places(input: unknown): readonly (readonly [Path, Map])[] {
  const file = asMap(input);
  const list = (field: string) => asList(file[field]).map((peer, i) => [[field, i], asMap(peer)] as const);
  const templates = Object.entries(asMap(file['templates']));
  return [
    [['defaults'], asMap(file['defaults'])],
    ...templates.map(([name, template]) => [['templates', name], asMap(template)] as const),
    ...list('peers'),
    ...list('dynamicPeers'),
  ];
}

function unknownName(
  path: Path,
  name: unknown,
  known: { readonly what: string; readonly names: readonly string[] },
): readonly string[] {
  // What is no name at all is told by the schema.
  if (typeof name !== 'string' || !isName(name) || known.names.includes(name)) return [];
  return [problem(path, name, `is not ${known.what} of this file${didYouMean(name, known.names)}`)];
}

const asMap = (value: unknown): Map =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Map) : {};

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
