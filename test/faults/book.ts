import type { Admin } from "./admin.ts";
import type { Outcome, Settled } from "./outcome.ts";

/** What the table says of the writes, against what their callers were told. */
export interface Verdict {
  /** Acknowledged, and not there. */
  readonly lost: number;
  /** There more than once. */
  readonly doubled: number;
  /** Said to have come to nothing, and there all the same. */
  readonly lied: number;
  /** Failures whose fate was unknown, or that told none. */
  readonly doubtful: number;
}

/** Writes down what callers were told, and asks the table at the end. */
export interface Book {
  /** An id no other write has. */
  id(): string;
  note(outcome: Outcome): void;
  judge(admin: Admin): Promise<Verdict>;
}

type Told = "acknowledged" | "nothing" | "doubtful";

/** A book whose ids begin with `prefix`; nothing else's may. */
export function openBook(prefix: string): Book {
  const told = new Map<string, Told>();
  let count = 0;
  return {
    id: () => `${prefix}:${++count}`,
    note({ settled }) {
      for (const call of settled) for (const id of call.ids) told.set(id, whatWasTold(call));
    },
    async judge(admin) {
      const text = "select id, count(*)::int as times from fault_writes where starts_with(id, $1) group by id";
      const rows = await admin.query<{ id: string; times: number }>(text, [`${prefix}:`]);
      const times = new Map(rows.map((row) => [row.id, row.times]));
      const count = (meant: Told, wrong: (written: number) => boolean) =>
        [...told].filter(([id, what]) => what === meant && wrong(times.get(id) ?? 0)).length;
      return {
        lost: count("acknowledged", (written) => written === 0),
        doubled: rows.filter((row) => row.times > 1).length,
        lied: count("nothing", (written) => written > 0),
        doubtful: count("doubtful", () => true),
      };
    },
  };
}

function whatWasTold({ ok, fate }: Settled): Told {
  if (ok || fate === "applied") return "acknowledged";
  return fate === "refused" || fate === "not-sent" ? "nothing" : "doubtful";
}
