import type { PostgresServer } from "../../support/postgres/server.ts";
import { createRandom } from "../../support/random.ts";
import { layGrounds } from "./ground.ts";
import { openPublic, type PublicVerdict } from "./public.ts";
import { openRunner, type RawVerdict } from "./raw.ts";
import { sqlScript, sqlText } from "./texts.ts";

/** A text about which someone was wrong. The same seed and number make the same text. */
export interface SqlProblem {
  readonly number: number;
  /** `standard_conforming_strings` of the database. */
  readonly conforming: "on" | "off";
  readonly problem:
    | "passed, and left something"
    | "passed"
    | "refused in vain"
    | "said to be undone"
    | "counted wrongly"
    | `${PublicVerdict["call"]}: told ${string}`;
  readonly text: string;
}

/** What became of the part named `sql`. All counts are of texts, each of which was sent to both databases. */
export interface SqlFuzzRow {
  readonly target: "sql";
  readonly seed: number;
  readonly texts: number;
  readonly kinds: Readonly<Record<string, number>>;
  /** The server's transaction was over after it. */
  readonly changing: number;
  /** It left a part of what belongs together: nothing stood guard. */
  readonly leavingUnguarded: number;
  readonly refused: number;
  /** Texts of several statements for the simple protocol; those that failed, left something, and were said to be able to. */
  readonly scripts: { readonly sent: number; readonly failed: number; readonly left: number; readonly may: number };
  /** Calls through the public API, by what they told. */
  readonly calls: { readonly done: number; readonly undone: number; readonly unknown: number };
  readonly problems: readonly SqlProblem[];
}

/** How long it goes on. A text that leaves something with nobody on guard has to be found so often in 10,000, and one that changes the status. */
export interface SqlFuzzOptions {
  readonly seed: number;
  readonly count: number;
}

const CHUNK = 25;

/** Sends `count` texts to a server, half as many scripts, and says who was wrong about which. */
export async function runSqlFuzz(server: PostgresServer, { seed, count }: SqlFuzzOptions): Promise<SqlFuzzRow> {
  const random = (number: number) => createRandom(Math.imul(seed, 1_000_003) + number);
  const texts = Array.from({ length: count }, (_, number) => sqlText(random(number), number));
  const scripts = Array.from({ length: Math.ceil(count / 2) }, (_, index) => sqlScript(random(count + index), count + index));
  const found = { changing: new Set<number>(), leaving: new Set<number>(), refused: new Set<number>() };
  const told = { done: 0, undone: 0, unknown: 0 };
  const sent = { sent: scripts.length, failed: new Set<number>(), left: new Set<number>(), may: new Set<number>() };
  const problems: SqlProblem[] = [];

  const grounds = await layGrounds(server);
  await Promise.all(
    grounds.map(async (ground) => {
      const problem = (number: number, text: string, what: SqlProblem["problem"]) =>
        problems.push({ number, conforming: ground.conforming, problem: what, text });
      await using raw = await openRunner(ground);
      await using api = await openPublic(ground);
      for (const chunk of chunks(
        texts.map(({ text }) => text),
        0,
      )) {
        for (const [number, verdict] of await raw.texts(chunk)) {
          if (verdict.changed) found.changing.add(number);
          if (verdict.left) found.leaving.add(number);
          if (verdict.refused) found.refused.add(number);
          const what = problemOf(verdict);
          if (what !== undefined) problem(number, chunk.get(number) ?? "", what);
        }
        for (const [number, verdicts] of await api.texts(chunk)) {
          for (const { call, told: answer, kept } of verdicts) {
            told[answer]++;
            if (!kept) problem(number, chunk.get(number) ?? "", `${call}: told ${answer}`);
          }
        }
      }
      for (const chunk of chunks(scripts, count)) {
        for (const [number, { failed, left, may, counted }] of await raw.scripts(chunk)) {
          if (!counted) problem(number, chunk.get(number) ?? "", "counted wrongly");
          if (!failed) continue;
          sent.failed.add(number);
          if (left) sent.left.add(number);
          if (may) sent.may.add(number);
          if (left && !may) problem(number, chunk.get(number) ?? "", "said to be undone");
        }
      }
    }),
  );
  const kinds: Record<string, number> = {};
  for (const { kind } of texts) kinds[kind] = (kinds[kind] ?? 0) + 1;
  return {
    target: "sql",
    seed,
    texts: count,
    kinds,
    changing: found.changing.size,
    leavingUnguarded: found.leaving.size,
    refused: found.refused.size,
    scripts: { sent: sent.sent, failed: sent.failed.size, left: sent.left.size, may: sent.may.size },
    calls: told,
    problems,
  };
}

/** So few texts may be harmless by chance. */
const FEW_TEXTS = 1_000;

/** Whether nobody was wrong, and enough was at stake: a fifth of the texts change the status, a twentieth leaves something. */
export function sqlHolds(row: SqlFuzzRow, count: number): boolean {
  const atStake = row.changing >= count / 5 && row.leavingUnguarded >= count / 20 && row.scripts.left > 0;
  return row.texts === count && row.problems.length === 0 && (atStake || count < FEW_TEXTS);
}

/** The row in words. */
export function describeSql(row: SqlFuzzRow): string {
  const { scripts, calls } = row;
  const made = Object.entries(row.kinds).map(([kind, times]) => `${kind} ${times}`);
  return [
    `sql, seed ${row.seed}: ${row.texts} texts in two databases, ${row.problems.length} problems`,
    `  made as: ${made.join(", ")}; ${row.refused} refused by the guard`,
    `  without it ${row.changing} end the transaction, ${row.leavingUnguarded} leave something behind`,
    `  through the package: ${calls.done} calls done, ${calls.undone} undone, ${calls.unknown} unknown`,
    `  scripts: ${scripts.sent}, of which ${scripts.failed} failed, ${scripts.left} left something, ${scripts.may} were said to be able to`,
    ...row.problems
      .slice(0, 20)
      .map(
        ({ number, conforming, problem, text }) =>
          `  text ${number}, standard_conforming_strings ${conforming}: ${problem}: ${JSON.stringify(text)}`,
      ),
  ].join("\n");
}

/** What was wrong in the guard's word about a text. */
export function problemOf({ refused, controls, ran, left }: RawVerdict): SqlProblem["problem"] | undefined {
  if (!refused && left) return "passed, and left something";
  if (!refused && controls) return "passed";
  return refused && ran && !controls ? "refused in vain" : undefined;
}

function* chunks(texts: readonly string[], first: number): Generator<ReadonlyMap<number, string>> {
  for (let from = 0; from < texts.length; from += CHUNK) {
    yield new Map(texts.slice(from, from + CHUNK).map((text, index) => [first + from + index, text]));
  }
}
