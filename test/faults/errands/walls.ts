import { inspect } from "node:util";
import { instrument } from "../../../src/adapters/otel.ts";
import type { Database, DatabaseOptions } from "../../../src/entry/node.ts";
import { heldBytes } from "../../support/heap.ts";
import { waysToFail } from "../../support/ways-to-throw.ts";
import type { Stage } from "../stage.ts";
import type { Subject } from "../subject.ts";

/** What two handles of one room gave, each answer once: the first column of the only row, or the code of a failure. */
export interface Neighbours {
  readonly own: readonly string[];
  readonly other: readonly string[];
}

interface Neighbour {
  /** What the other handle is made with besides; null for what it is made without. */
  readonly changed: { readonly [Name in keyof DatabaseOptions]: DatabaseOptions[Name] | null };
  readonly text: string;
}

/** Errors in a row that open a breaker, and for how long they have to go on, milliseconds. */
const OUTAGE = { errors: 6, ms: 300 };

/** Every other text is a piece of one of a megabyte, or so long itself. */
const MB = 2 ** 20;

const insert = "insert into fault_writes (id) values ($1)";

/** Handles beside one another, callbacks and what is around them, and code of the caller's. Bare drivers promise nothing of it. */
export const wallsErrands = {
  /** Asks the same through this handle and through another of its room, in turns and all at once. */
  async neighbours({ subject, call }: Stage, { changed, text }: Neighbour): Promise<Neighbours> {
    const without = Object.fromEntries(Object.entries(changed).map(([name, value]) => [name, value ?? undefined]));
    const other = await subject.again({ name: undefined, ...without });
    const answers = { own: new Set<string>(), other: new Set<string>() };
    const ask = async (by: keyof typeof answers) => {
      answers[by].add(await answerOf(databaseOf(by === "own" ? subject : other), text));
    };
    for (let turn = 0; turn < 3; turn++) for (const by of ["own", "other"] as const) await ask(by);
    await Promise.all((["own", "other", "own", "other"] as const).map(ask));
    await call([], () => other.close());
    await ask("own");
    return { own: [...answers.own], other: [...answers.other] };
  },
  /** Ends a `sharedPool` and another handle of the same connections, and writes on. Gives what the pool that was ended says. */
  async ended({ subject, call }: Stage, { first, second }: { readonly first: string; readonly second: string }): Promise<string> {
    const pool = subject.share?.();
    await pool?.query(insert, [first]);
    await pool?.end();
    const told = await pool?.query("select 1").then(
      () => "it goes on",
      (error: { readonly code: string }) => error.code,
    );
    const other = await subject.again({ name: undefined });
    await other.read();
    await other.close();
    await call([second], () => subject.write({ id: second }));
    return told ?? "nobody shares";
  },
  /** Writes in a transaction, and by itself from what was begun inside it, when it is over. */
  async leftBehind({ subject, call }: Stage, { first, second }: { readonly first: string; readonly second: string }): Promise<void> {
    const database = databaseOf(subject);
    const { promise, resolve } = Promise.withResolvers<void>();
    let rest: Promise<unknown> = promise;
    await call([first], () =>
      database.transaction(async (tx) => {
        await tx.query(insert, [first]);
        rest = promise.then(() => database.transaction((another) => another.query(insert, [second])));
      }),
    );
    await call([second], () => {
      resolve();
      return rest;
    });
  },
  /** Writes in a session, and then around it, on the only connection there is. */
  async aroundSession({ subject, call }: Stage, { first, second }: { readonly first: string; readonly second: string }): Promise<void> {
    const database = databaseOf(subject);
    await call([first, second], () =>
      database.session(async (session) => {
        await session.query(insert, [first]);
        await database.query(insert, [second]);
      }),
    );
  },
  /** Lets errors of a database that cannot be reached pass through callbacks. Gives the breaker's state and the repetitions. */
  async othersOutage(
    { subject }: Stage,
    { away }: { readonly away: DatabaseOptions },
  ): Promise<Pick<ReturnType<Database["stats"]>, "breaker" | "retries">> {
    const database = databaseOf(subject);
    const other = databaseOf(await subject.again({ ...away, deadlineMs: 100 }));
    const before = database.stats().retries;
    const startedAt = performance.now();
    for (let error = 0; error < OUTAGE.errors || performance.now() - startedAt < OUTAGE.ms; error++) {
      await subject
        .request(() =>
          database.transaction(async (tx) => {
            await tx.query("select 1");
            await other.session((session) => session.query("select 1"));
          }),
        )
        .catch(() => {});
    }
    await other.close();
    const { breaker, retries } = database.stats();
    return { breaker, retries: retries - before };
  },
  /** Lets the conflict of another database pass through a callback that may be run again. Gives how often it ran. */
  async othersConflict({ subject, call }: Stage, { id, code }: { readonly id: string; readonly code: string }): Promise<number> {
    const database = databaseOf(subject);
    const another = await subject.again();
    const other = databaseOf(another);
    let runs = 0;
    await call([id], () =>
      database.transaction(
        async (tx) => {
          runs++;
          await tx.query(insert, [id]);
          await other.transaction((inner) => inner.query("select fault_raise($1)", [code]));
        },
        { retries: 3 },
      ),
    );
    await another.close();
    return runs;
  },
  /** Calls in a request whose `waitUntil` throws. Gives the code it fails with. */
  async noWaitUntil({ subject }: Stage): Promise<string> {
    const database = databaseOf(subject);
    const waitUntil = () => {
      throw null;
    };
    return database.scope({ waitUntil }, () => answerOf(database, "select 'done'"));
  },
  /** Hands in code that throws and rejects with whatever can be thrown. Gives what came out of it that is no error of this package. */
  async foreign({ subject }: Stage): Promise<readonly string[]> {
    const database = databaseOf(subject);
    let fail: () => never = () => {
      throw null;
    };
    const reading = await subject.again({ types: { 23: () => fail() } });
    const strange: string[] = [];
    for (const { title, run } of waysToFail) {
      fail = run;
      const stop = database.subscribe(run);
      const calls = {
        toPostgres: () => database.query("select $1", [{ toPostgres: run }]),
        getter: () => database.query("select 1", [], Object.defineProperty({}, "readOnly", { get: run, enumerable: true })),
        parser: () => databaseOf(reading).query("select 1"),
      };
      for (const [name, call] of Object.entries(calls)) {
        const code = await subject
          .request(() => call())
          .then(
            () => "it succeeds",
            (error: unknown) => codeOf(error),
          );
        if (!/^(UNSUPPORTED_VALUE|PROMISE_VALUE|INVALID_OPTION|DECODE_FAILED)$/.test(code)) strange.push(`${name}, ${title}: ${code}`);
      }
      stop();
    }
    await reading.close();
    return strange;
  },
  /** Has a value quoted in the server's messages. Gives the statements after which it is shown somewhere. */
  async quoted(
    { subject }: Stage,
    { texts, value }: { readonly texts: readonly string[]; readonly value: string },
  ): Promise<readonly string[]> {
    const database = databaseOf(subject);
    const shown: string[] = [];
    for (const text of texts) {
      const failure: unknown = await subject
        .request(() => database.transaction((tx) => tx.query(text, [value])))
        .catch((error: unknown) => error);
      const { message, stack } = failure as Error;
      if (`${message} ${stack} ${JSON.stringify(failure)} ${inspect(failure, { depth: 9 })}`.includes(value.trim())) shown.push(text);
    }
    return shown;
  },
  /** Calls with texts no two of which are alike, and which end before they are sent, under a tracer. Gives how much more the heap holds, bytes. */
  async spans({ subject }: Stage, { calls }: { readonly calls: number }): Promise<number> {
    const database = databaseOf(subject);
    const signal = AbortSignal.abort();
    const stop = instrument(database);
    const call = (text: string) => database.query(text, [], { signal }).catch(() => {});
    await call("select 0");
    const before = heldBytes();
    for (let count = 0; count < calls; count++) {
      const long = count % (calls / 500) === 0;
      const text = `select a${count} from t${count} where id = ${count}`;
      await call(long ? text + "x".repeat(MB) : text);
      if (long) await call(`select b${count} from t${"x".repeat(MB)}`.slice(0, 40));
    }
    const grown = heldBytes() - before;
    stop();
    return grown;
  },
  /** Many clients at once, each with a login of its own. */
  async logins({ subject, call }: Stage, { names }: { readonly names: readonly string[] }): Promise<void> {
    const others = await Promise.all(names.map((applicationName) => subject.again({ applicationName, deadlineMs: 20_000 })));
    await Promise.all(others.map((other) => call([], () => other.sleep(100))));
    await Promise.all(others.map((other) => other.close()));
  },
} as const;

/** Warmline's own handle. */
export function databaseOf({ database }: Subject): Database {
  if (database === undefined) throw new Error("A bare driver makes no such promise.");
  return database;
}

async function answerOf(database: Database, text: string): Promise<string> {
  try {
    return String((await database.query<readonly unknown[]>(text, [], { rowMode: "array" })).rows[0]?.[0]);
  } catch (error) {
    return codeOf(error);
  }
}

function codeOf(error: unknown): string {
  try {
    return String((error as { readonly code: unknown }).code);
  } catch {
    return "what cannot be touched";
  }
}
