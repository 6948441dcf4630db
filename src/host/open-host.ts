/** This host as uninstall works on it: the network namespace that we run in, and the agent's files. */
import { existsSync, rmdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { createLinuxKernel, createLinuxNftables } from '../../felix/index.ts';
import { systemReader } from './reader.ts';
import { HostRecordFile, recordPath } from './record-file.ts';
import type { UninstallHost } from './uninstall.ts';

export interface HostFiles {
  readonly nodeNameFile: string;
  readonly socket: string;
  /** What install-cni put into the runtime's directories. */
  readonly cni: readonly string[];
}

/** Throws one sentence where we may not change the network, or netlink cannot be opened. */
export function openUninstallHost({ nodeNameFile, socket, cni }: HostFiles): UninstallHost {
  // Asked before: libnftables prints its own words, and a plan that cannot be carried out is none.
  if (!mayChangeNetwork()) throw new Error('this takes root, or CAP_NET_ADMIN');
  const record = recordPath(nodeNameFile);
  const file = new HostRecordFile(record, (problem) => {
    throw new Error(`${problem}: move it away, and what it told is left as it is`);
  });
  return {
    record: file.load(),
    kernel: createLinuxKernel(),
    nftables: createLinuxNftables(),
    files: [...cni, socket, nodeNameFile, record].filter((path) => existsSync(path)),
    removeFile: (path) => {
      rmSync(path, { force: true });
      // The runtime watches its own.
      if (!cni.includes(path)) removeIfEmpty(dirname(path));
    },
  };
}

/** Bit 12 of the effective capabilities, proc_pid_status(5); not known: it will show. */
function mayChangeNetwork(): boolean {
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(systemReader.text('/proc/self/status') ?? '')?.[1];
  return capabilities === undefined || (BigInt(`0x${capabilities}`) & (1n << 12n)) !== 0n;
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Others have files there.
  }
}
