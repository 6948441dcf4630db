/** A CNI call that fails, in the specification's words: a code, and one sentence. */

/** CNI specification, "Errors"; from 100 on they are ours, as it allows (100 itself is the plugin's binary's), and 999 is what libcni says of all else. */
export const CNI_CODE = {
  incompatibleVersion: 1,
  unsupportedField: 2,
  unknownContainer: 3,
  invalidEnvironment: 4,
  ioFailure: 5,
  decodeFailure: 6,
  invalidConfig: 7,
  tryAgainLater: 11,
  /** STATUS: an ADD would fail. */
  unavailable: 50,
  /** STATUS: an ADD would fail, and the pods that are there may have lost their network. */
  limitedConnectivity: 51,
  noAddressLeft: 110,
  addressRefused: 111,
  kernelRefused: 112,
  /** CHECK found the pod otherwise than ADD left it. */
  checkFailed: 113,
  /** GC could not remove everything. */
  leftOver: 114,
  internal: 999,
} as const;

export class CniError extends Error {
  override readonly name = 'CniError';
  readonly code: number;
  /** Further sentences, one a line. */
  readonly details: string | undefined;

  constructor(code: number, message: string, details?: string) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** What the plugin prints. */
export const formatError = ({ code, message, details }: CniError, cniVersion: string): string =>
  JSON.stringify({ cniVersion, code, msg: message, ...(details !== undefined && { details }) });
