export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly peers: number;
  readonly prefixes: number;
}

/** What was asked for is wrong: one sentence, and no stack. */
export class UsageError extends Error {}

/** The least and the most of each. */
const BOUNDS: Readonly<Record<keyof SoakOptions, readonly [number, number]>> = {
  minutes: [0.1, 100_000],
  seed: [0, 0xffff_ffff],
  peers: [4, 40],
  prefixes: [100, 60_000],
};

const isOption = (name: string): name is keyof SoakOptions => Object.hasOwn(BOUNDS, name);

/** `--minutes 10 --seed 1 --peers 4 --prefixes 20000`, each optional. Throws UsageError. */
export function parseOptions(args: readonly string[]): SoakOptions {
  const options: Record<keyof SoakOptions, number> = { minutes: 10, seed: 1, peers: 4, prefixes: 20_000 };
  for (let at = 0; at < args.length; at += 2) {
    const [flag = '', text = ''] = [args[at], args[at + 1]];
    const name = flag.replace(/^--/, '');
    if (!flag.startsWith('--') || !isOption(name)) throw new UsageError(`${flag} is none of ${flags}`);
    const value = Number(text);
    const [least, most] = BOUNDS[name];
    const isWhole = name === 'minutes' || Number.isInteger(value);
    if (text === '' || !isWhole || !(value >= least && value <= most)) {
      throw new UsageError(`${flag} ${text}: ${least} to ${most} is possible`);
    }
    options[name] = value;
  }
  return options;
}

const flags = Object.keys(BOUNDS)
  .map((name) => `--${name}`)
  .join(', ');
