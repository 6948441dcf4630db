import type { PeerExplainReport } from '../api/bgp-contract.ts';

/** One screen that can be read aloud at three in the morning: what, why, the proof, what to do. */
export function formatPeerExplain(report: PeerExplainReport): string {
  return [
    `${headline(report)}\n`,
    `Why:  ${report.verdict} [${report.cause}]\n`,
    ...section(
      'Evidence:',
      report.evidence.map((line) => `  ${line}`),
    ),
    ...section(
      'Check next:',
      report.next.map((line, i) => `  ${i + 1}. ${line}`),
    ),
  ].join('');
}

function headline({ address, isConfigured, type, origin, description, state, since }: PeerExplainReport): string {
  if (!isConfigured) return `${address} is no peer of this node`;
  const name = description === undefined ? '' : ` "${description}"`;
  return `Peer ${address}${name} (${type ?? ''}, ${origin ?? ''}): ${state ?? ''} since ${since ?? ''}`;
}

const section = (heading: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [`${heading}\n`, ...lines.map((line) => `${line}\n`)];
