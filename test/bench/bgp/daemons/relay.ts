import type { LoadedDaemon, RunContext } from '../daemon.ts';
import { generatorProgram } from '../generator-program.ts';
import { DAEMON_ASN, PORT } from '../topology.ts';

/** The generator itself as the daemon. `fault`, such as `drop:50`: misbehaves every so often, for tests. */
export const relayWith = (name: string, { sink = false, fault }: { sink?: boolean; fault?: string }): LoadedDaemon => ({
  name,
  kind: sink ? 'sink' : 'relay',
  processes: 1,
  version: () => 'bgpblast mirror',
  configure: () => ({}),
  command: (run) => [
    ...[generatorProgram(), 'mirror', '--dut', endpoint(run), '--dut-as', String(DAEMON_ASN)],
    ...['--src', run.addresses.injector, '--mon-src', run.addresses.monitor, '--watch-src', run.addresses.watcher],
    ...(run.isReflector ? ['--rr'] : []),
    ...(sink ? ['--sink'] : []),
    ...(fault === undefined ? [] : ['--fault', fault]),
  ],
});

/** As the generator wants it. */
export const endpoint = ({ family, addresses }: RunContext): string =>
  family === 6 ? `[${addresses.daemon}]:${PORT}` : `${addresses.daemon}:${PORT}`;

/** Forwards at once, without a table: what the generator, TCP and two processes on this machine cost together. */
export const relay = relayWith('relay', {});
/** Reads and discards: how fast the generator can send. */
export const sink = relayWith('sink', { sink: true });
