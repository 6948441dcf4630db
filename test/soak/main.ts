import { parseOptions, UsageError } from './options.ts';
import { Soak } from './soak.ts';

/** So long a run tells whether the resident memory is flat. */
const RESIDENT_MINUTES = 3;

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  const { minutes, seed, peers, prefixes } = options;
  console.log(`soak: ${minutes} minutes, seed ${seed}, ${peers} peers, ${prefixes} prefixes`);
  const { events, differences, memory } = await new Soak(options, (line) => console.log(line)).run();
  const found = [...differences, ...memory.faults(minutes < RESIDENT_MINUTES ? ['live'] : ['live', 'rss'])];
  for (const text of found) console.log(text);
  const rss = `RSS ${memory.before('rss')} → ${memory.after('rss')} MB`;
  console.log(`soak: ${events} events, ${found.length} differences, ${rss}${found.length > 0 ? `, seed ${seed}` : ''}`);
  return found.length === 0 ? 0 : 1;
}

process.exitCode = await main().catch((error: unknown) => {
  if (!(error instanceof UsageError)) throw error;
  console.error(`soak: ${error.message}`);
  return 2;
});
