import type { Check, Outcome } from "../../test/orm/orm.ts";

/** What became of one program on one way. */
export interface Line {
  readonly orm: string;
  readonly way: string;
  readonly checks: readonly Check[];
  readonly problems: readonly string[];
  readonly ms: number;
}

/** Judges an outcome: by what was expected, by what was seen on the first way, and by what reached the bundle. */
export function judgeOutcome({
  outcome: { checks, problem, packages },
  first,
  leastChecks,
  isEdge,
  ...line
}: Omit<Line, "checks" | "problems"> & {
  readonly outcome: Outcome & { readonly packages: readonly string[] };
  readonly first: Line | undefined;
  /** Fewer are no program. */
  readonly leastChecks: number;
  /** Whether the bundle has to do without sockets. */
  readonly isEdge: boolean;
}): Line {
  const problems = problem === undefined ? [] : [problem];
  for (const { title, seen, wanted } of checks) if (wanted !== undefined) problems.push(`${title}: ${seen}, and wanted was ${wanted}`);
  if (checks.length < leastChecks) problems.push(`There were ${checks.length} checks, and ${leastChecks} is the least.`);
  const others = first?.checks ?? checks;
  if (others.length !== checks.length) problems.push(`There were ${checks.length} checks, and ${others.length} on the first way.`);
  for (const [index, { title, seen }] of checks.entries()) {
    const other = others[index];
    if (other !== undefined && other.seen !== seen) problems.push(`${title}: ${seen}, and on the first way ${other.title}: ${other.seen}`);
  }
  const onSockets = packages.filter((name) => /^(pg|pg-.*|ws|undici)$/.test(name));
  if (isEdge && onSockets.length > 0) problems.push(`${onSockets.join(", ")} reached the edge.`);
  return { ...line, checks, problems };
}
