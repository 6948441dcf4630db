/** IPAM's only door: addresses for pods and tunnels out of blocks that nodes claim. README.md tells how it works. */
export type { Assignment, Block } from './block.ts';
export { lentAddresses } from './block.ts';
export { blockFromJson } from './block-json.ts';
export type { Assigned, AssignRequest } from './assign.ts';
export type { AddressRequest } from './assign-address.ts';
export { holderText } from './assign-address.ts';
export type { Ipam, TunnelKind } from './client.ts';
export { createIpam, tunnelHandle } from './client.ts';
export { AddressRefusedError, BadReleaseError, PoolsExhaustedError, TooManyConflictsError } from './errors.ts';
export type { IpamPool } from './plan.ts';
export type { Applicant, PassedOver, PoolChoice, RuledPool } from './pool-choice.ts';
export { choosePools, passedOverText } from './pool-choice.ts';
export type { IpamPorts } from './records.ts';
export type { AddressRelease } from './release-address.ts';
export type { AddressReport, Borrowed, IpamRecords, NamedPool, PoolUsage, Usage } from './usage.ts';
export { assignmentsIn, borrowedAddresses, ownerOf, reportOf, usageOf } from './usage.ts';
