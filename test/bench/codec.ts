/** `npm run bench -- codec`: what bird/bgp-ts reads and writes in a second, beside a plain copy of the same bytes. */
import { cpus } from 'node:os';
import { codecContenders, COPY, ENCODE, FRAME_AND_SCAN, SCAN } from './codec-contenders.ts';
import type { CodecInput } from './codec-input.ts';
import { feedIpv4, packedIpv4, packedIpv6 } from './codec-input.ts';
import type { Samples } from './rounds.ts';
import { median, runRounds } from './rounds.ts';
import type { Aim, BenchOptions, Report, Scenario } from './scenario.ts';
import { formatFigure } from './table.ts';

interface Result {
  readonly input: string;
  readonly contender: string;
  readonly prefixes: number;
  readonly messages: number;
  readonly octets: number;
  readonly roundMs: readonly number[];
  readonly medianMs: number;
  readonly medianCoreShare: number;
  readonly prefixesPerSecond: number;
  /** 10^6 octets. */
  readonly megabytesPerSecond: number;
  /** How many times as long as the copy of the same round. */
  readonly roundTimesCopy: readonly number[];
  readonly medianTimesCopy: number;
  readonly aimPrefixesPerSecond?: number;
}

/** The project's aims, in prefixes per second on one core. They are for the packed IPv4 table. */
const AIMS: ReadonlyMap<string, number> = new Map([
  [FRAME_AND_SCAN, 20e6],
  [SCAN, 20e6],
  [ENCODE, 10e6],
]);
const INPUTS: readonly { readonly make: () => CodecInput; readonly aims: ReadonlyMap<string, number> }[] = [
  { make: packedIpv4, aims: AIMS },
  { make: packedIpv6, aims: new Map() },
  { make: feedIpv4, aims: new Map() },
];

export const codec: Scenario = {
  name: 'codec',
  run: ({ rounds }: BenchOptions): Report => {
    // Each input's way through the code is known to the compiler before the first is timed, as in a speaker that has run
    // for a while. It makes the first input slower, and is the truth.
    for (const { make } of INPUTS) runOnce(make());
    const results = INPUTS.flatMap(({ make, aims }) => measure(make(), aims, rounds));
    return {
      heading: [
        `codec: ${rounds} rounds, medians; Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`,
      ],
      table: [COLUMNS, ...results.map(toRow)],
      results: { node: process.version, processor: cpus()[0]?.model, rounds, results },
      aims: results.flatMap(toAim),
    };
  },
};

const COLUMNS = ['input', 'contender', 'ms', 'M prefixes/s', 'MB/s', 'times copy', 'per round', 'core', 'aim'];

function runOnce(input: CodecInput): void {
  for (const contender of codecContenders(input)) {
    contender.prepare?.();
    contender.pass();
  }
}

function measure(input: CodecInput, aims: ReadonlyMap<string, number>, rounds: number): readonly Result[] {
  const samples = runRounds(codecContenders(input), rounds, input.expected);
  const copyMs = samples.find(({ name }) => name === COPY)!.roundMs;
  return samples.map((sample) => toResult(input, sample, { copyMs, aim: aims.get(sample.name) }));
}

interface Beside {
  readonly copyMs: readonly number[];
  readonly aim: number | undefined;
}

function toResult(input: CodecInput, { name, roundMs, roundCoreShare }: Samples, { copyMs, aim }: Beside): Result {
  const { prefixes, stream, frames } = input;
  const medianMs = median(roundMs);
  const roundTimesCopy = roundMs.map((ms, round) => ms / copyMs[round]!);
  return {
    input: input.name,
    contender: name,
    prefixes: prefixes.count,
    messages: frames.length,
    octets: stream.length,
    roundMs,
    medianMs,
    medianCoreShare: median(roundCoreShare),
    prefixesPerSecond: (prefixes.count / medianMs) * 1000,
    megabytesPerSecond: stream.length / medianMs / 1000,
    roundTimesCopy,
    medianTimesCopy: median(roundTimesCopy),
    ...(aim !== undefined && { aimPrefixesPerSecond: aim }),
  };
}

function toAim({ input, contender, prefixesPerSecond, aimPrefixesPerSecond: aim }: Result): readonly Aim[] {
  if (aim === undefined) return [];
  const measured = prefixesPerSecond / 1e6;
  return [
    {
      what: `${input}, ${contender}, M prefixes/s`,
      limit: `over ${aim / 1e6}`,
      measured,
      isReached: prefixesPerSecond > aim,
    },
  ];
}

function toRow(result: Result): readonly string[] {
  const { roundTimesCopy, prefixesPerSecond, aimPrefixesPerSecond: aim } = result;
  const isMet = aim !== undefined && prefixesPerSecond > aim;
  return [
    result.input,
    result.contender,
    formatFigure(result.medianMs),
    formatFigure(prefixesPerSecond / 1e6),
    formatFigure(result.megabytesPerSecond),
    formatFigure(result.medianTimesCopy),
    `${formatFigure(Math.min(...roundTimesCopy))}-${formatFigure(Math.max(...roundTimesCopy))}`,
    `${Math.round(result.medianCoreShare * 100)} %`,
    aim === undefined ? '' : `${isMet ? 'aim met' : 'aim missed'} (> ${aim / 1e6} M/s)`,
  ];
}
