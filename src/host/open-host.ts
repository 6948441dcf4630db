/** This host as uninstall works on it: the network namespace that we run in, and the agent's files. */
import { existsSync, rmdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { createLinuxKernel, createLinuxNftables } from '../../felix/index.ts';
import { HostRecordFile, recordPath } from './record-file.ts';
import type { UninstallHost } from './uninstall.ts';

export interface HostFiles {
  readonly nodeNameFile: string;
  readonly socket: string;
}

/** Throws one sentence where netlink cannot be opened. */
export function openUninstallHost({ nodeNameFile, socket }: HostFiles): UninstallHost {
  const record = recordPath(nodeNameFile);
  const file = new HostRecordFile(record, (problem) => {
    throw new Error(`${problem}: move it away, and what it told is left as it is`);
  });
  return {
    record: file.load(),
    kernel: createLinuxKernel(),
    nftables: createLinuxNftables(),
    files: [socket, nodeNameFile, record].filter((path) => existsSync(path)),
    removeFile: (path) => {
      rmSync(path, { force: true });
      removeIfEmpty(dirname(path));
    },
  };
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Others have files there.
  }
}
