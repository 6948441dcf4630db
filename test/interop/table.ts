/** The page of what works with whom, as text: written by the tests that tried it. Pure. */
import { FEATURES } from './features.ts';
import type { DaemonColumn, Feature, Outcome } from './features.ts';

const HEAD = `# What works with whom

Written by the tests in \`test/integration/interop/\`, which start these daemons as Debian 12 packages them beside our
\`calico-node-ts speaker\`, each in a network namespace of its own, and read both sides. \`npm run interop\` tries all of it
again and writes this page; \`yes\` means that the test of that row passed in the run that wrote it, \`partly\` that it did
for what the daemon can do.
`;

/** The whole page; the daemons in the order given. */
export function formatPage(columns: readonly DaemonColumn[]): string {
  const rows = (Object.keys(FEATURES) as Feature[]).map((feature) => [
    FEATURES[feature],
    ...columns.map(({ outcomes }, i) => cell(outcomes[feature], noteNumber(columns, i, feature))),
  ]);
  const table = [['', ...columns.map(({ daemon }) => daemon)], ['---', ...columns.map(() => '---')], ...rows];
  const notes = allNotes(columns).map(({ daemon, lacks }, i) => `${i + 1}. ${daemon}: ${lacks}`);
  return [
    HEAD,
    ...table.map((row) => `| ${row.join(' | ')} |`),
    ...(notes.length === 0 ? [] : ['', ...notes]),
    '',
  ].join('\n');
}

function cell(outcome: Outcome | undefined, note: number | undefined): string {
  if (outcome === undefined) return 'not tried';
  if (outcome === 'yes') return 'yes';
  return `${outcome.partly === true ? 'partly' : 'no'} [${note ?? '?'}]`;
}

interface Note {
  readonly daemon: string;
  readonly feature: Feature;
  readonly lacks: string;
}

const allNotes = (columns: readonly DaemonColumn[]): readonly Note[] =>
  columns.flatMap(({ daemon, outcomes }) =>
    (Object.keys(FEATURES) as Feature[]).flatMap((feature) => {
      const outcome = outcomes[feature];
      return outcome === undefined || outcome === 'yes' ? [] : [{ daemon, feature, lacks: outcome.lacks }];
    }),
  );

function noteNumber(columns: readonly DaemonColumn[], column: number, feature: Feature): number | undefined {
  const { daemon } = columns[column]!;
  const at = allNotes(columns).findIndex((note) => note.daemon === daemon && note.feature === feature);
  return at < 0 ? undefined : at + 1;
}
