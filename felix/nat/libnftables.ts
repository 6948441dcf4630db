/** libnftables by koffi: commands and answers as JSON text, libnftables(3). */
import { createRequire } from 'node:module';
import type koffi from 'koffi';

export const LIBRARY = 'libnftables.so.1';

/** NFT_CTX_OUTPUT_*: no counters' values, JSON in and out, numbers for protocols, priorities and constants. */
const OUTPUT = { stateless: 1 << 2, json: 1 << 4, numericProtocol: 1 << 7, numericPriority: 1 << 8 } as const;
const NUMERIC_SYMBOL = 1 << 9;
const FLAGS = OUTPUT.stateless | OUTPUT.json | OUTPUT.numericProtocol | OUTPUT.numericPriority | NUMERIC_SYMBOL;

export interface Libnftables {
  /** A context; its socket belongs to the network namespace that the thread is in now. */
  open(): NftContext;
}

export interface NftContext {
  /** What the commands print. Throws an Error with the library's own first sentence. */
  run(commands: string): string;
  close(): void;
}

/** koffi's pointer. */
type Context = unknown;

/** Throws where it is not installed. */
export function loadLibnftables(name: string = LIBRARY): Libnftables {
  const library = (createRequire(import.meta.url)('koffi') as typeof koffi).load(name);
  const create = library.func('void *nft_ctx_new(unsigned int flags)') as (flags: number) => Context;
  const free = library.func('void nft_ctx_free(void *ctx)') as (context: Context) => void;
  const bufferOutput = library.func('int nft_ctx_buffer_output(void *ctx)') as (context: Context) => number;
  const bufferError = library.func('int nft_ctx_buffer_error(void *ctx)') as (context: Context) => number;
  const setFlags = library.func('void nft_ctx_output_set_flags(void *ctx, unsigned int flags)') as (
    context: Context,
    flags: number,
  ) => void;
  const output = library.func('const char *nft_ctx_get_output_buffer(void *ctx)') as (
    context: Context,
  ) => string | null;
  const errors = library.func('const char *nft_ctx_get_error_buffer(void *ctx)') as (context: Context) => string | null;
  const run = library.func('int nft_run_cmd_from_buffer(void *ctx, const char *commands)') as (
    context: Context,
    commands: string,
  ) => number;
  return {
    open: () => {
      const context = create(0);
      if (context === null || bufferOutput(context) !== 0 || bufferError(context) !== 0) {
        throw new Error('libnftables has no memory for a context');
      }
      setFlags(context, FLAGS);
      return {
        run: (commands) => {
          const status = run(context, commands);
          // Reading empties them: both must be read, whatever the outcome.
          const [printed, said] = [output(context) ?? '', errors(context) ?? ''];
          if (status !== 0) throw new Error(firstSentence(said));
          return printed;
        },
        close: () => free(context),
      };
    },
  };
}

/** `internal:0:0-0: Error: Could not process rule: Operation not permitted`, and after it the commands again. */
const firstSentence = (said: string): string =>
  /Error: (.*)/.exec(said)?.[1]?.trim() ?? (said.trim().split('\n')[0] || 'no reason given');
