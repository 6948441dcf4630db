/** Versions of the CNI specification, and since when each verb is in it. */
import { CNI_CODE, CniError } from './errors.ts';

/** The plugin's binary says the same where no agent answers: `VERSION`. */
export const SUPPORTED_VERSIONS = ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;
export type CniVersion = (typeof SUPPORTED_VERSIONS)[number];

/** What an error is worded in where the configuration does not say. */
export const NEWEST_VERSION: CniVersion = '1.1.0';

export const VERBS = ['ADD', 'DEL', 'CHECK', 'GC', 'STATUS', 'VERSION'] as const;
export type Verb = (typeof VERBS)[number];

const SINCE: Readonly<Record<Verb, CniVersion>> = {
  ADD: '0.3.0',
  DEL: '0.3.0',
  VERSION: '0.3.0',
  CHECK: '0.4.0',
  GC: '1.1.0',
  STATUS: '1.1.0',
};

export const isAtLeast = (version: CniVersion, other: CniVersion): boolean =>
  SUPPORTED_VERSIONS.indexOf(version) >= SUPPORTED_VERSIONS.indexOf(other);

/** Throws CniError, incompatible version: one that is not spoken here, or that does not have the verb yet. */
export function requireVersion(text: string | undefined, verb: Verb): CniVersion {
  const version = SUPPORTED_VERSIONS.find((each) => each === text);
  if (version === undefined) {
    const what = text === undefined ? 'cniVersion is missing' : `cniVersion = '${text}': is not supported`;
    throw new CniError(CNI_CODE.incompatibleVersion, `${what}; supported are ${SUPPORTED_VERSIONS.join(', ')}`);
  }
  if (isAtLeast(version, SINCE[verb])) return version;
  throw new CniError(
    CNI_CODE.incompatibleVersion,
    `cniVersion = '${version}': does not have ${verb}, which came with ${SINCE[verb]}`,
  );
}
