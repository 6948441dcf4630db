import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeMessage, formatMessage } from '../../bird/bgp-ts/index.ts';
import { loadCase, replayCase } from './case.ts';
import { corpusHash } from './corpus.ts';
import { parseOptions } from './options.ts';
import { formatReport } from './report.ts';
import { runFuzz } from './run.ts';
import { scheduleOf } from './schedule.ts';
import { sessionFromJson } from './session.ts';
import { shrink } from './shrink.ts';
import { targets } from './targets/table.ts';

const HANG_MS = 10_000;
const CASES = fileURLToPath(new URL('../../.cache/fuzz/', import.meta.url));

async function main(): Promise<number> {
  const options = asked(() => parseOptions(process.argv.slice(2)));
  if (options.replay !== undefined) return replay(options.replay);
  const { runs, seed, workers, target } = options;
  const schedule = asked(() => scheduleOf(targets, target, seed));
  const seeds = schedule.targets.flatMap((each) => each.seeds);
  const names = schedule.targets.map(({ name }) => name).join(', ');
  console.log(`targets ${names}; corpus of ${seeds.length} seeds, hash ${corpusHash(seeds)}`);
  const report = await runFuzz(
    {
      runs,
      seed,
      workers,
      target,
      targetsModule: new URL('./targets/table.ts', import.meta.url).href,
      hangMs: HANG_MS,
      caseDirectory: relative(process.cwd(), CASES),
      onProgress: (done, failures) => console.error(`${done} inputs, ${failures} failures`),
    },
    schedule,
  );
  console.log(formatReport(report));
  console.log(`${report.seconds.toFixed(1)} s, ${Math.round(report.inputs / report.seconds)} inputs/s`);
  console.log(`${report.inputs} inputs, ${report.failures.length} failures, seed ${seed}`);
  return report.failures.length === 0 ? 0 : 1;
}

/** One saved case in the foreground: what it is, what comes out, and the smallest input that fails in the same way. */
function replay(file: string): number {
  const found = asked(() => loadCase(file));
  const octets = new Uint8Array(Buffer.from(found.hex, 'hex'));
  const session = sessionFromJson(found.session);
  console.log(`${found.target}, seed ${found.seed}, index ${found.index}, ${octets.length} octets`);
  console.log(`session ${JSON.stringify(found.session)}`);
  console.log(`then: ${found.error}`);
  const result = replayCase(found, targets);
  if (found.target === 'message') printMessage(octets, session);
  if (result.kind === 'outcome') {
    console.log(`now: ${result.outcome}`);
    return 0;
  }
  console.log(`now: ${result.error.stack ?? String(result.error)}`);
  const target = targets.find(({ name }) => name === found.target)!;
  console.log(`smallest: ${Buffer.from(shrink(target, { octets, session })).toString('hex')}`);
  return 1;
}

function printMessage(octets: Uint8Array, session: ReturnType<typeof sessionFromJson>): void {
  try {
    const result = decodeMessage(octets, session);
    if (result.kind === 'ok') console.log(JSON.stringify(formatMessage(result.message)));
    else console.log(`fault ${result.fault.code.join('/')}: ${result.fault.text}`);
  } catch (error) {
    console.log(String(error));
  }
}

/** What was asked for is wrong: one sentence, and no stack. */
class UsageError extends Error {}

function asked<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

process.exitCode = await main().catch((error: unknown) => {
  if (!(error instanceof UsageError)) throw error;
  console.error(`fuzz: ${error.message}`);
  return 2;
});
