/** No address is left. One sentence that names the pools and, where a rule stood in the way, the rule. */
export class PoolsExhaustedError extends Error {
  override readonly name = 'PoolsExhaustedError';
}

/** The address that was asked for cannot be had. One sentence with the address, and who or what stands in the way. */
export class AddressRefusedError extends Error {
  override readonly name = 'AddressRefusedError';
}

/** The release does not fit what is recorded: another handle holds the address, or it was handed out anew meanwhile. */
export class BadReleaseError extends Error {
  override readonly name = 'BadReleaseError';
}

/** Others changed the same record each time we tried; nothing is wrong with it, try again later. */
export class TooManyConflictsError extends Error {
  override readonly name = 'TooManyConflictsError';
}
