/** The candidate that differs from `word` by at most `limit` typing slips (insert, delete, change), the closest first. */
export function nearest(word: string, candidates: readonly string[], limit: number): string | undefined {
  return candidates
    .filter((candidate) => Math.abs(candidate.length - word.length) <= limit)
    .map((candidate) => ({ candidate, slips: slips(word, candidate) }))
    .filter(({ slips: count }) => count <= limit)
    .sort((a, b) => a.slips - b.slips)[0]?.candidate;
}

/** Levenshtein distance, two rows at a time. */
function slips(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const change = above[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(change, above[column]! + 1, current[column - 1]! + 1));
    }
    above = current;
  }
  return above[b.length]!;
}
