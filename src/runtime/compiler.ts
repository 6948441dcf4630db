import { setFlagsFromString } from 'node:v8';

/** Of V8 13, which Node 24 has: a function is compiled by Maglev when it was called 400 times, 500 after its last surprise. */
const USUAL = { 'invocation-count-for-maglev': 400, 'minimum-invocations-after-ic-update': 500 };
const SOONER: typeof USUAL = { 'invocation-count-for-maglev': 30, 'minimum-invocations-after-ic-update': 20 };

/**
 * Until the returned function is called the runtime compiles what was called some thirty times, in the place of some
 * hundreds. Does nothing where V8 is another, which would complain of a flag that it does not know.
 */
export function compileSooner(v8 = process.versions.v8): () => void {
  if (!v8.startsWith('13.')) return () => undefined;
  set(SOONER);
  return () => set(USUAL);
}

const set = (flags: typeof USUAL): void => {
  for (const [name, value] of Object.entries(flags)) setFlagsFromString(`--${name}=${value}`);
};
