/** How calicoctl-ts asks agents on other hosts, through the datastore: a CalicoNodeStatus with a name of ours. */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { NodeStatus } from './contract.ts';

/** Names of such a resource begin so; an operator's own do not. */
export const QUESTION_PREFIX = 'calicoctl-ts-';

/** The annotation that holds the answer in full: NodeStatus as JSON, what GET /v1/status says. */
export const FULL_STATUS = 'calico-ts/status';

/** Every agent's watch carries every answer, and all annotations of a resource together may have 256 KiB. */
const MAX_PLAIN_OCTETS = 4 * 1024;
const GZIP = 'gzip:';

export function encodeStatus(status: NodeStatus): string {
  const json = JSON.stringify(status);
  return Buffer.byteLength(json) <= MAX_PLAIN_OCTETS ? json : `${GZIP}${gzipSync(json).toString('base64')}`;
}

/** Throws where it is no answer of ours. */
export function decodeStatus(text: string): NodeStatus {
  const json = text.startsWith(GZIP) ? gunzipSync(Buffer.from(text.slice(GZIP.length), 'base64')).toString() : text;
  return JSON.parse(json) as NodeStatus;
}
