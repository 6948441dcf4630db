/** A host of its own for a test: a network namespace without a name, entered by the thread that calls. Needs root. */
import { execFileSync } from 'node:child_process';
import koffi from 'koffi';
import { loadLibc, SYS, SystemError } from '../../src/linux/libc.ts';

export interface OwnNetwork {
  /** Back home. The namespace goes with the last socket and process in it. */
  leave(): void;
}

/**
 * Sockets and processes that this thread makes from now on are on a host that has nothing but a loopback interface with
 * these addresses (`10.66.0.1/16`: all of the network is local, so that peers may have any address of it; IPv6 addresses
 * are local one by one). Nobody else's ports are there, and nothing is left behind. Small socket buffers, so that a peer
 * that does not read is felt after some 64 KiB and not after megabytes.
 */
export function enterOwnNetwork(addresses: readonly string[]): OwnNetwork {
  const libc = loadLibc();
  const home = libc.open('/proc/thread-self/ns/net');
  const unshare = koffi.load(null).func('int unshare(int flags)') as (flags: number) => number;
  if (unshare(SYS.cloneNewNet) < 0) throw new SystemError('unshare', koffi.errno());
  const run = (command: string, ...args: readonly string[]): void => {
    execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  };
  run('ip', 'link', 'set', 'lo', 'up');
  for (const address of addresses) {
    const nodad = address.includes(':') ? ['nodad'] : [];
    run('ip', 'address', 'add', address, 'dev', 'lo', ...nodad);
  }
  run('sysctl', '-qw', 'net.ipv4.tcp_rmem=4096 32768 65536', 'net.ipv4.tcp_wmem=4096 16384 65536');
  return {
    leave: () => {
      libc.setNetns(home);
      libc.close(home);
    },
  };
}
