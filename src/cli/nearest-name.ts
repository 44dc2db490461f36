/** The name that was probably meant: the one with the fewest letters between, if they are no more than two, or a third of it. */
export function nearestName(written: string, names: readonly string[]): string | undefined {
  const [nearest] = names
    .map((name) => ({ name, apart: lettersBetween(written.toLowerCase(), name) }))
    .filter(({ name, apart }) => apart <= Math.max(2, Math.floor(name.length / 3)))
    .sort((one, other) => one.apart - other.apart);
  return nearest?.name;
}

/** Letters to insert, leave out or change: the Levenshtein distance. */
function lettersBetween(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1];
    for (let at = 1; at <= to.length; at += 1) {
      const changed = (row[at - 1] ?? 0) + (letter === to[at - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[at] ?? 0) + 1, (next[at - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
