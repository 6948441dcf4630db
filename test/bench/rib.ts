/** `npm run bench -- rib`: what a million prefixes cost on their way through the tables, beside the codec's scan of the same bytes. */
import { cpus } from 'node:os';
import { UpdateReader } from '../../bird/rib/update-reader.ts';
import { NOBODY_LISTENS } from '../support/nobody-listens.ts';
import { Routing } from '../../bird/routing.ts';
import type { RoutingPeer } from '../../bird/routing.ts';
import type { Negotiated } from '../../bird/peer/negotiate.ts';
import { checkNlri, scanUpdate, walkNlri } from '../../bird/wire.ts';
import type { PeerSettings } from '../../bird/settings.ts';
import { parseIpAddress } from '../../src/model/ip.ts';
import { agreed, localSettings, openOf, peerSettings } from '../support/bgp.ts';
import type { CodecInput } from './codec-input.ts';
import { CONTEXT, feedIpv4, packedIpv4 } from './codec-input.ts';
import type { Contender } from './rounds.ts';
import { median, runRounds } from './rounds.ts';
import type { Samples } from './rounds.ts';
import type { BenchOptions, Report, Scenario } from './scenario.ts';
import { formatFigure } from './table.ts';
import { createTally } from './tally.ts';

interface Result {
  readonly input: string;
  readonly contender: string;
  readonly prefixes: number;
  readonly roundMs: readonly number[];
  readonly medianMs: number;
  readonly medianCoreShare: number;
  readonly prefixesPerSecond: number;
  /** How many times as long as the scan of the same round. */
  readonly roundTimesScan: readonly number[];
}

const SCAN = 'scan';
const INPUTS = [packedIpv4, feedIpv4];
const COLUMNS = ['input', 'contender', 'ms', 'M prefixes/s', 'times scan', 'per round', 'core'];

export const rib: Scenario = {
  name: 'rib',
  run: ({ rounds }: BenchOptions): Report => {
    const results = INPUTS.flatMap((make) => measure(make(), rounds));
    return {
      heading: [`rib: ${rounds} rounds, medians; Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`],
      table: [COLUMNS, ...results.map(toRow)],
      results: { node: process.version, processor: cpus()[0]?.model, rounds, results },
    };
  },
};

function measure(input: CodecInput, rounds: number): readonly Result[] {
  const prefixes = countDistinct(input);
  const samples = runRounds(contenders(input, prefixes), rounds, textOf(prefixes));
  const scanMs = samples.find(({ name }) => name === SCAN)!.roundMs;
  return samples.map((sample) => toResult(input, prefixes, { sample, scanMs }));
}

function toResult(
  input: CodecInput,
  prefixes: number,
  { sample, scanMs }: { readonly sample: Samples; readonly scanMs: readonly number[] },
): Result {
  const { name, roundMs, roundCoreShare } = sample;
  const medianMs = median(roundMs);
  return {
    input: input.name,
    contender: name,
    prefixes,
    roundMs,
    medianMs,
    medianCoreShare: median(roundCoreShare),
    prefixesPerSecond: (input.prefixes.count / medianMs) * 1000,
    roundTimesScan: roundMs.map((ms, round) => ms / scanMs[round]!),
  };
}

const toRow = ({ roundTimesScan, ...result }: Result): readonly string[] => [
  result.input,
  result.contender,
  formatFigure(result.medianMs),
  formatFigure(result.prefixesPerSecond / 1e6),
  formatFigure(median(roundTimesScan)),
  `${formatFigure(Math.min(...roundTimesScan))}-${formatFigure(Math.max(...roundTimesScan))}`,
  `${Math.round(result.medianCoreShare * 100)} %`,
];

const textOf = (prefixes: number): string => `${prefixes} prefixes`;

/** The inputs are drawn, so a few come twice. */
function countDistinct({ prefixes: { count, words, lengths, family } }: CodecInput): number {
  const width = family === 4 ? 1 : 4;
  const seen = new Set<string>();
  for (let i = 0; i < count; i++) seen.add(`${words.subarray(i * width, (i + 1) * width).join()}/${lengths[i]}`);
  return seen.size;
}

function contenders(input: CodecInput, prefixes: number): readonly Contender[] {
  const stages: readonly Stage[] = [
    { name: 'in', before: () => undefined, pass: (tables) => tables.read(), count: (tables) => tables.received },
    { name: 'selection', before: (tables) => tables.read(), pass: (tables) => tables.select(), count: (t) => t.best },
    {
      name: 'out',
      before: (tables) => {
        tables.read();
        tables.select();
      },
      pass: (tables) => tables.send(),
      count: (tables) => tables.advertised,
    },
  ];
  return [scanContender(input, prefixes), ...stages.map((stage) => stageContender(input, stage))];
}

function scanContender({ frames, shape, expected }: CodecInput, prefixes: number): Contender {
  const tally = createTally();
  return {
    name: SCAN,
    pass: () => {
      tally.reset();
      for (const frame of frames) {
        const scan = scanUpdate(frame, CONTEXT);
        const { nlriStart: start, nlriEnd: end } = scan.mpReach ?? scan;
        if (checkNlri(frame, start, end, shape) === undefined) walkNlri(frame, start, end, shape, tally.visit);
      }
    },
    outcome: () => {
      const found = tally.text();
      tally.reset();
      return found === expected ? textOf(prefixes) : found;
    },
  };
}

/** One step of the way; each sample has tables of its own. */
interface Stage {
  readonly name: string;
  readonly before: (tables: Tables) => void;
  readonly pass: (tables: Tables) => void;
  readonly count: (tables: Tables) => number;
}

function stageContender(input: CodecInput, { name, before, pass, count }: Stage): Contender {
  let tables: Tables | undefined;
  return {
    name,
    prepare: () => {
      tables = new Tables(input);
      before(tables);
    },
    pass: () => pass(tables!),
    outcome: () => {
      const text = textOf(count(tables!));
      tables = undefined;
      return text;
    },
  };
}

/** A switch between the peer that sends the input and one that is told all of it. */
class Tables {
  readonly #frames: readonly Uint8Array[];
  readonly #family: 4 | 6;
  readonly #routing = new Routing({ bgpIdentifier: 1, transit: true, clusterId: undefined, seed: 1 }, NOBODY_LISTENS);
  readonly #sender: RoutingPeer;
  readonly #receiver: RoutingPeer;
  readonly #reader: UpdateReader;

  constructor({ frames, prefixes: { family } }: CodecInput) {
    this.#frames = frames;
    this.#family = family;
    const [ours, ...theirs] = family === 4 ? ['10.9.0.1', '10.9.0.2', '10.9.0.3'] : ['fd00::1', 'fd00::2', 'fd00::3'];
    const local = parseIpAddress(ours);
    const addPeer = (address: string, remoteAsn: number): RoutingPeer => {
      const peer = this.#routing.addPeer(settingsOf(address, remoteAsn, family));
      this.#routing.sessionUp(peer, sessionWith(remoteAsn, family), octetsOf(local.words));
      return peer;
    };
    this.#sender = addPeer(theirs[0], 65001);
    this.#receiver = addPeer(theirs[1], 65002);
    this.#reader = new UpdateReader(sessionWith(65001, family), this.#routing.sinkFor(this.#sender));
    // Who is new is told by itself, until there is nothing left; from then on with its group.
    while (this.#routing.hasNewsFor(this.#receiver)) this.#routing.nextUpdate(this.#receiver, family);
  }

  get received(): number {
    return this.#sender.adjRibIn[this.#family].received;
  }

  get best(): number {
    return this.#routing.tables[this.#family].locRib.size;
  }

  get advertised(): number {
    return this.#receiver.adjRibOut[this.#family].advertised;
  }

  read(): void {
    for (const frame of this.#frames) this.#reader.read(frame);
  }

  select(): void {
    while (this.#routing.settle(512));
  }

  send(): void {
    while (this.#routing.tell(false).hasMore);
  }
}

const settingsOf = (address: string, remoteAsn: number, family: 4 | 6): PeerSettings =>
  peerSettings({ address, remoteAsn, families: [family] });

function sessionWith(remoteAsn: number, family: 4 | 6): Negotiated {
  const local = localSettings({ remoteAsn, families: [family] });
  return agreed(local, openOf(local, remoteAsn));
}

const octetsOf = (words: readonly number[]): Uint8Array =>
  Uint8Array.from(words.flatMap((word) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]));
