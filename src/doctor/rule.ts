import type { Evidence, Pieces } from "./evidence.ts";
import { visible } from "./visible.ts";

type Group = "settings" | "server" | "code";

/** What a rule found in one place. */
export interface Found {
  readonly found: string;
  /** The line to change, as it should be. */
  readonly change: string;
  /** Where: `path:line`, a variable, an object of the database. */
  readonly at?: string;
}

/** What is looked for: one fault, by what was seen and nothing else. */
export interface Rule {
  /** Its heading in docs/doctor.md, too. */
  readonly name: string;
  readonly group: Group;
  /** What it has to have seen. */
  readonly needs: readonly (keyof Pieces)[];
  readonly costs: string;
  /** Whether it is no fault of a database on this machine, which only its developer uses. It has to need `configured` then. */
  readonly sparesLocal?: true;
  find(pieces: Pieces): readonly Found[];
}

/** A fault. */
export interface Finding extends Found {
  readonly rule: string;
  readonly group: Group;
  readonly costs: string;
  readonly page: string;
}

/** What could not be looked at, or not in full, and the rules that say nothing because of it. */
export interface NotSeen {
  readonly what: string;
  readonly reason: string;
  readonly rules: readonly string[];
}

/** The verdict over everything that was seen. */
export interface Verdict {
  readonly findings: readonly Finding[];
  /** What is no fault here, on this machine, and one where it is deployed. */
  readonly onceDeployed: readonly Finding[];
  readonly notSeen: readonly NotSeen[];
}

type RuleText<Need extends keyof Pieces> = Omit<Rule, "needs" | "find"> & {
  readonly needs: readonly Need[];
  readonly find: (pieces: Pick<Pieces, Need>) => readonly Found[];
};

/** A rule that is handed what it needs, and no more. */
export function rule<const Need extends keyof Pieces>(text: RuleText<Need>): Rule {
  return text;
}

/** The page of a rule. */
export function pageOf(name: string): string {
  return `docs/doctor.md#${name}`;
}

/** Judges by what was seen. A rule whose needs were not seen finds nothing, and is named with the reason. */
export function judge(rules: readonly Rule[], evidence: Evidence): Verdict {
  const findings: Finding[] = [];
  const onceDeployed: Finding[] = [];
  const notSeen = new Map<string, { readonly what: string; readonly reason: string; readonly rules: string[] }>();
  const note = (what: string, reason: string, name: string) => {
    const known = notSeen.get(`${what} ${reason}`) ?? { what, reason: visible(reason), rules: [] };
    known.rules.push(name);
    notSeen.set(`${what} ${reason}`, known);
  };
  for (const { name, group, needs, costs, sparesLocal, find } of rules) {
    const pieces: Partial<Record<keyof Pieces, unknown>> = {};
    let whole = true;
    for (const need of needs) {
      const piece = evidence[need];
      if ("unseen" in piece) {
        if (whole) note(need, piece.unseen, name);
        whole = false;
        continue;
      }
      pieces[need] = piece.value;
      if (piece.missing !== undefined) note(need, piece.missing, name);
    }
    if (!whole) continue;
    const judged = pieces as unknown as Pieces;
    const list = sparesLocal === true && judged.configured.isLocal ? onceDeployed : findings;
    for (const { found, change, at } of find(judged)) {
      const where = at === undefined ? {} : { at: visible(at) };
      list.push({ rule: name, group, found: visible(found), ...where, costs, change: visible(change), page: pageOf(name) });
    }
  }
  return { findings, onceDeployed, notSeen: [...notSeen.values()] };
}
