/** The edge that runs the two switches: a real BIRD and a real FRR on the samples of `config/tor`. */
import { access, chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { agentStatus } from './agents.ts';
import type { ClusterChoice } from './choice.ts';
import { baseEnvironment } from './environment.ts';
import { agentSocket, hostDirectory, logFile, onHost } from './layout.ts';
import type { Layout } from './layout.ts';
import type { SwitchKind } from './options.ts';
import { mustRun, run, startDaemon } from './process.ts';
import { SWITCHES } from './topology.ts';
import type { DemoSwitch } from './topology.ts';
import { until } from './wait.ts';

const FRR_DAEMONS = '/usr/lib/frr';

/** What of BIRD and FRR is not installed here; empty where both are. */
export async function missingSwitchSoftware(): Promise<readonly string[]> {
  const [bird, zebra, bgpd, vtysh] = await Promise.all([
    run(['bird', '--version']).then(
      ({ exitCode, stderr, stdout }) => exitCode === 0 && /version 2\./.test(stdout + stderr),
    ),
    isThere(join(FRR_DAEMONS, 'zebra')),
    isThere(join(FRR_DAEMONS, 'bgpd')),
    run(['vtysh', '--help']).then(({ exitCode }) => exitCode === 0),
  ]);
  return [...(bird ? [] : ['BIRD 2']), ...(zebra && bgpd && vtysh ? [] : ['FRR'])];
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Paths of the control sockets, for those who want to look. */
export const birdSocket = (layout: Layout): string => join(hostDirectory(layout, 'tor-a'), 'bird.ctl');
export const frrSocketDirectory = (layout: Layout): string => hostDirectory(layout, 'tor-b');

export async function startBird(layout: Layout, project: string): Promise<void> {
  await mkdir(hostDirectory(layout, 'tor-a'), { recursive: true });
  const config = join(project, 'config/tor/bird.conf');
  const files = ['-s', birdSocket(layout), '-P', join(hostDirectory(layout, 'tor-a'), 'bird.pid')];
  await startDaemon(onHost(layout, 'tor-a', ['bird', '-f', '-c', config, ...files]), {
    logFile: logFile(layout, 'tor-a', 'bird'),
    env: baseEnvironment,
  });
}

/**
 * The daemons start empty and `vtysh` hands them the sample, as Debian's own start script does with frr.conf.
 * Sockets and pid files lie in the cluster's directory, which frr, whom the daemons become, must own.
 */
export async function startFrr(layout: Layout, project: string, signal: AbortSignal): Promise<void> {
  const directory = frrSocketDirectory(layout);
  await mkdir(directory, { recursive: true });
  const [uid, gid] = (await mustRun(['sh', '-c', 'id -u frr && id -g frr'])).split('\n').map(Number);
  await chown(directory, uid!, gid!);
  for (const daemon of ['zebra', 'bgpd']) {
    const files = [
      '-i',
      join(directory, `${daemon}.pid`),
      '-z',
      join(directory, 'zserv.api'),
      '--vty_socket',
      directory,
    ];
    // Port 0: no telnet.
    const command = [join(FRR_DAEMONS, daemon), '-f', '/dev/null', ...files, '-P', '0'];
    await startDaemon(onHost(layout, 'tor-b', command), {
      logFile: logFile(layout, 'tor-b', daemon),
      env: baseEnvironment,
    });
    const probe = ['vtysh', '--vty_socket', directory, '-d', daemon, '-c', 'show version'];
    await until(
      async () => {
        const { exitCode, stderr } = await run(probe);
        return exitCode === 0 ? { value: true } : { missing: stderr.trim() };
      },
      { what: `FRR's ${daemon} to answer`, timeoutMs: 30_000, signal },
    );
  }
  await mustRun(['vtysh', '--vty_socket', directory, '-f', join(project, 'config/tor/frr.conf')]);
}

/** Our own speaker plays both switches. */
export async function startOwnSwitches(
  layout: Layout,
  { datastore, project }: Pick<ClusterChoice, 'datastore' | 'project'>,
  signal: AbortSignal,
): Promise<void> {
  for (const { name } of SWITCHES) {
    await mkdir(hostDirectory(layout, name), { recursive: true });
    const program = join(project, 'dist/calico-ts-switch.mjs');
    const command = [process.execPath, program, name, agentSocket(layout, name), datastore];
    await startDaemon(onHost(layout, name, command), {
      logFile: logFile(layout, name, 'switch'),
      env: baseEnvironment,
    });
  }
  for (const { name } of SWITCHES) {
    const wait = { what: `the switch ${name} to answer`, timeoutMs: 60_000, signal };
    await until(async () => ({ value: await agentStatus(layout, name) }), wait);
  }
}

/** Whether a switch holds the routes of a neighbor that restarts (RFC 4724 §4.2), by the switch's own word. */
export async function switchKeepsStale(
  layout: Layout,
  kind: SwitchKind,
  { tor, address }: { readonly tor: DemoSwitch; readonly address: string },
): Promise<boolean> {
  if (kind === 'own') {
    const { bgp } = await agentStatus(layout, tor.name);
    return bgp.peers.some((peer) => peer.address === address && peer.gracefulRestart?.peerRestarting === true);
  }
  if (tor.name === 'tor-a') {
    const told = await mustRun(['birdc', '-r', '-s', birdSocket(layout), 'show', 'protocols', 'all']);
    return isBirdHelping(told, address);
  }
  const directory = frrSocketDirectory(layout);
  const told = await mustRun(['vtysh', '--vty_socket', directory, '-d', 'bgpd', '-c', 'show bgp ipv4 unicast']);
  return isFrrHelping(told, address);
}

/** One paragraph per protocol; the neighbor's one must say so. */
export const isBirdHelping = (told: string, address: string): boolean =>
  told
    .split(/\n\s*\n/)
    .some((part) => part.includes(`Neighbor address: ${address}\n`) && /Neighbor graceful restart active/.test(part));

/** One line per path: an S in front marks it as stale; its next hop is the neighbor. */
export const isFrrHelping = (told: string, address: string): boolean =>
  told.split('\n').some((line) => line.startsWith('S') && line.split(/\s+/).includes(address));
