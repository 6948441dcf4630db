import type { Kernel } from '../../felix/kernel.ts';

export type KernelCall = Exclude<keyof Kernel, 'close' | 'watch'>;

/** What each call does to the kernel; one that comes new to the port must say it here, or types do not check. */
const CALLS: Readonly<Record<KernelCall, 'reads' | 'writes'>> = {
  listRoutes: 'reads',
  writeRoutes: 'writes',
  listLinks: 'reads',
  getLink: 'reads',
  createLink: 'writes',
  setLink: 'writes',
  deleteLink: 'writes',
  listAddresses: 'reads',
  addAddress: 'writes',
  removeAddress: 'writes',
  listNeighbours: 'reads',
  replaceNeighbour: 'writes',
  removeNeighbour: 'writes',
  listRules: 'reads',
  addRule: 'writes',
  removeRule: 'writes',
  resolve: 'reads',
  processOfPort: 'reads',
  flushConntrack: 'writes',
  readSysctl: 'reads',
  writeSysctl: 'writes',
  readSysctls: 'reads',
  writeSysctls: 'writes',
};

export const KERNEL_CALLS = Object.keys(CALLS) as readonly KernelCall[];
export const KERNEL_WRITES: readonly KernelCall[] = KERNEL_CALLS.filter((call) => CALLS[call] === 'writes');
