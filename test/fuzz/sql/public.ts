import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { createDatabase, type Database, isWarmlineError, sql } from "../../../src/entry/node.ts";
import { type Ground, takeMarkers } from "./ground.ts";

/** What a call told, and whether the rows say the same. */
export interface PublicVerdict {
  readonly call: "batch" | "failing batch" | "transaction" | "failing transaction";
  readonly told: "done" | "undone" | "unknown";
  readonly kept: boolean;
}

/** Drives the package as its users do, with any text. */
export interface PublicRunner extends AsyncDisposable {
  texts(texts: ReadonlyMap<number, string>): Promise<ReadonlyMap<number, readonly PublicVerdict[]>>;
}

class Undo extends Error {}

const calls = ["batch", "failing batch", "transaction", "failing transaction"] as const;

/** A pool of the package, and a client that looks at the rows. */
export async function openPublic({ url }: Ground): Promise<PublicRunner> {
  const db = createDatabase({ url, transport: "pool", name: randomUUID(), deadlineMs: 60_000, max: 4 });
  const looking = new Client({ connectionString: url });
  looking.on("error", () => {});
  await looking.connect();
  return {
    async texts(texts) {
      const told = await Promise.all([...texts].map(async ([number, text]) => [number, await tellAll(db, number, text)] as const));
      const markers = await takeMarkers(looking, Math.min(...texts.keys()));
      const verdict = (number: number, answers: readonly PublicVerdict["told"][]) =>
        answers.map((answer, index): PublicVerdict => {
          const parts = (markers.get(number) ?? []).filter(({ program }) => program === index + 11).length;
          const kept = answer === "unknown" || parts === (answer === "done" ? 2 : 0);
          return { call: calls[index] ?? "batch", told: answer, kept };
        });
      return new Map(told.map(([number, answers]) => [number, verdict(number, answers)]));
    },
    async [Symbol.asyncDispose]() {
      await db.close();
      await looking.end();
    },
  };
}

async function tellAll(db: Database, number: number, text: string): Promise<readonly PublicVerdict["told"][]> {
  const marker = (program: number, part: number) => sql`insert into marker values (${number}::int, ${program}::int, ${part}::int)`;
  const given = sql.raw(text);
  const works: readonly (() => Promise<unknown>)[] = [
    () => db.batch([marker(11, 1), given, marker(11, 2)]),
    () => db.batch([marker(12, 1), given, marker(12, 2), sql`select 1 / 0`]),
    () =>
      db.transaction(async (tx) => {
        await tx.query(marker(13, 1));
        await tx.query(given);
        await tx.query(marker(13, 2));
      }),
    () =>
      db.transaction(async (tx) => {
        await tx.query(marker(14, 1));
        await tx.query(given).catch(() => {});
        await tx.query(marker(14, 2)).catch(() => {});
        throw new Undo();
      }),
  ];
  const answers: PublicVerdict["told"][] = [];
  for (const work of works) answers.push(await tell(work));
  return answers;
}

async function tell(work: () => Promise<unknown>): Promise<PublicVerdict["told"]> {
  try {
    await work();
    return "done";
  } catch (error) {
    if (error instanceof Undo) return "undone";
    if (!isWarmlineError(error)) throw error;
    return error.fate === "refused" || error.fate === "not-sent" ? "undone" : "unknown";
  }
}
