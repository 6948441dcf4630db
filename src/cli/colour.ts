import type { CliIo } from './io.ts';

export type Colour = 'green' | 'red' | 'yellow' | 'none';
export type Paint = (colour: Colour, text: string) => string;

const CODES: Readonly<Record<Exclude<Colour, 'none'>, number>> = { red: 31, green: 32, yellow: 33 };

/** Colours on a terminal alone, and never with NO_COLOR (no-color.org). */
export function painter({ isTerminal, env }: Pick<CliIo, 'isTerminal' | 'env'>): Paint {
  const isPlain = !isTerminal || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return (colour, text) => (isPlain || colour === 'none' ? text : `\u001b[${CODES[colour]}m${text}\u001b[0m`);
}
