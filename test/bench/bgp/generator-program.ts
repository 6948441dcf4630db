/** The load generator: C, compiled when it is asked for, kept in .cache. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

const SOURCES = join(import.meta.dirname, 'generator');
const PROGRAM = resolve('.cache', 'bench', 'bgpblast');
const FLAGS = ['-O2', '-g', '-std=gnu11', '-Wall', '-Wextra', '-Wshadow', '-Wno-sign-compare', '-Werror'];

/** Its absolute path; compiles it where it is absent or older than its sources. Throws with the compiler's words. */
export function generatorProgram(): string {
  const newest = Math.max(...readdirSync(SOURCES).map((name) => statSync(join(SOURCES, name)).mtimeMs));
  if (existsSync(PROGRAM) && statSync(PROGRAM).mtimeMs > newest) return PROGRAM;
  mkdirSync(join(PROGRAM, '..'), { recursive: true });
  const made = `${PROGRAM}.${process.pid}`;
  try {
    execFileSync('cc', [...FLAGS, '-o', made, join(SOURCES, 'main.c')], { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    throw new Error('the load generator cannot be compiled; Debian: gcc libc6-dev', { cause: error });
  }
  // One that runs at this moment keeps the old file.
  renameSync(made, PROGRAM);
  return PROGRAM;
}
