import type { PeerExplainReport } from '../../api/bgp-contract.ts';
import { roughDuration } from '../../model/duration.ts';

/** One screen that can be read aloud at three in the morning: what, why, the proof, what to do. `now`: since 1970. */
export function formatPeerExplain(report: PeerExplainReport, now: number): string {
  return [
    `${headline(report, now)}\n`,
    `Why:  ${report.verdict} [${report.cause}]\n`,
    ...section(
      'Evidence:',
      report.evidence.map((line) => `  ${line}`),
    ),
    ...section(
      'Check next:',
      next(report).map((line, i) => `  ${i + 1}. ${line}`),
    ),
  ].join('');
}

function headline(report: PeerExplainReport, now: number): string {
  const { address, isConfigured, type = '', origin = '', description, state = '', since = '' } = report;
  if (!isConfigured) return `${address} is no peer of this node`;
  const name = description === undefined ? '' : ` "${description}"`;
  const forSo = roughDuration(now - Date.parse(since));
  return `Peer ${address}${name} (${type}, ${origin}): ${state} for ${forSo}, since ${since.slice(0, 19)}Z`;
}

/** A peer that waits after an error need not be waited for. */
const next = ({ next: found, state, cause, address }: PeerExplainReport): readonly string[] =>
  state === 'Idle' && cause !== 'shut down here'
    ? [...found, `when it is mended: calicoctl-ts peer reset ${address}, which tries again at once`]
    : found;

const section = (heading: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [`${heading}\n`, ...lines.map((line) => `${line}\n`)];
