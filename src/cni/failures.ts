/** What went wrong below the verbs, in the specification's words. */
import { KernelError } from '../../felix/index.ts';
import { UnavailableError } from '../datastore/store.ts';
import { AddressRefusedError, PoolsExhaustedError, TooManyConflictsError } from '../ipam/index.ts';
import { InvalidValueError } from '../model/invalid.ts';
import { CNI_CODE, CniError } from './errors.ts';

export function toCniError(error: unknown): CniError {
  if (error instanceof CniError) return error;
  if (!(error instanceof Error)) return new CniError(CNI_CODE.internal, String(error));
  if (error instanceof InvalidValueError && error.field === 'netns') {
    return new CniError(CNI_CODE.invalidEnvironment, `CNI_NETNS = '${error.value}': ${error.reason}`);
  }
  return new CniError(codeOf(error), error.message);
}

function codeOf(error: Error): number {
  if (error instanceof InvalidValueError) return CNI_CODE.invalidConfig;
  if (error instanceof UnavailableError || error instanceof TooManyConflictsError) return CNI_CODE.tryAgainLater;
  if (error instanceof PoolsExhaustedError) return CNI_CODE.noAddressLeft;
  if (error instanceof AddressRefusedError) return CNI_CODE.addressRefused;
  if (error instanceof KernelError) return CNI_CODE.kernelRefused;
  return CNI_CODE.internal;
}
