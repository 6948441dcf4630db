/** `npm run capture -- [DAEMON ...] [--session NAME] [--out DIR]`: records what real BGP daemons send. Needs root. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { capture } from './capture.ts';
import type { Daemon } from './daemon.ts';
import { daemons } from './daemons/index.ts';
import type { CapturedSession, CaptureFixture } from './fixture.ts';
import { FIXTURES, fixturePath, readFixture } from './fixture.ts';

const stop = new AbortController();

interface Request {
  readonly daemons: readonly Daemon[];
  readonly session: string | undefined;
  readonly out: string;
}

/** Throws with a sentence for the user. */
function request(): Request {
  const options = { session: { type: 'string' }, out: { type: 'string', default: FIXTURES } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const unknown = positionals.filter((name) => !daemons.some((daemon) => daemon.name === name));
  if (unknown.length > 0) {
    throw new Error(`no such daemon: ${unknown.join(', ')}; there are ${daemons.map(({ name }) => name).join(', ')}`);
  }
  const chosen = daemons.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const { session, out } = values;
  if (session !== undefined && !chosen.some((daemon) => daemon.sessions.some(({ name }) => name === session))) {
    throw new Error(`no such session: ${session}`);
  }
  return { daemons: chosen, session, out };
}

const firstLine = ([command, ...args]: readonly [string, ...string[]]): string => {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return `${stdout}${stderr}`.split('\n')[0]!.trim();
};

async function makeFixture(daemon: Daemon, { session, out }: Request): Promise<void> {
  const sessions: CapturedSession[] = [];
  for (const each of daemon.sessions) {
    if (session !== undefined && each.name !== session) continue;
    const captured = await capture(daemon, each, stop.signal);
    console.log(`${daemon.name} ${each.name}: ${captured.messages.length} messages`);
    sessions.push(captured);
  }
  if (sessions.length === 0) return;
  const path = fixturePath(daemon.name, out);
  const kept = session !== undefined && out === FIXTURES && existsSync(path) ? readFixture(daemon.name).sessions : [];
  const order = daemon.sessions.map(({ name }) => name);
  const all = [...kept.filter(({ name }) => name !== session && order.includes(name)), ...sessions];
  const fixture: CaptureFixture = {
    daemon: daemon.name,
    version: firstLine(daemon.version),
    package: execFileSync('dpkg-query', ['-W', daemon.package], { encoding: 'utf8' }).trim().replace('\t', ' '),
    made: new Date().toISOString().slice(0, 10),
    how: `npm run capture -- ${daemon.name}`,
    cannot: daemon.cannot,
    sessions: all.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name)),
  };
  mkdirSync(out, { recursive: true });
  const style = await resolveConfig(fixturePath(daemon.name));
  writeFileSync(path, await format(JSON.stringify(fixture), { ...style, parser: 'json' }));
}

const EXIT_STATUS = { SIGINT: 130, SIGTERM: 143 } as const;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(signal));
try {
  const wanted = request();
  for (const daemon of wanted.daemons) {
    const absent = daemon.programs.filter((path) => !existsSync(path));
    if (absent.length > 0) console.log(`${daemon.name}: skipped, ${absent.join(', ')} not there`);
    else await makeFixture(daemon, wanted);
  }
} catch (error) {
  if (stop.signal.aborted) process.exitCode = EXIT_STATUS[stop.signal.reason as keyof typeof EXIT_STATUS];
  else {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
