/** What went wrong, as the kernel's port tells it: one sentence that starts with what we were about to do. */
import { errnoName, errnoText } from '../../src/linux/errno.ts';
import { SystemError } from '../../src/linux/libc.ts';
import { KernelError } from '../kernel.ts';
import type { Verdict } from './header.ts';
import type { Failure } from './messages.ts';
import { NetlinkThreadError } from './thread.ts';

/** Whatever the system says becomes a KernelError. */
export function named(what: string, error: unknown): unknown {
  if (error instanceof SystemError) return new KernelError(`${what}: ${error.message}`, error.code);
  if (error instanceof NetlinkThreadError) return new KernelError(`${what}: ${error.message}`, 'EIO');
  return error;
}

export function failureError(what: string, { call, errno }: Failure): KernelError {
  const { message, code } = new SystemError(call, errno);
  return new KernelError(`${what}: ${message}`, code);
}

export function refuse(what: string, verdict: Verdict): void {
  if (verdict.errno !== 0) throw new KernelError(refusalText(what, verdict), errnoName(verdict.errno));
}

export function refusalText(what: string, { errno, explanation }: Verdict): string {
  return [what, errnoText(errno), ...(explanation === undefined ? [] : [explanation])].join(': ');
}
