import pg from "pg";
import type { PostgresServer } from "../../support/postgres/server.ts";
import { type Expected, notKept, otherwise } from "../expected.ts";
import { type Fault, type Ground, type Round, type Way, ways } from "../fault.ts";
import { isServerError, watch } from "../watch.ts";

/** Where a text of several statements can be sent: over `http` it goes the way of `websocket`. */
const scripted: readonly Way[] = ["pool", "websocket", "request", "lambda"];

const kept = (id: string) => `insert into fault_writes values ('${id}')`;

/** Statements that commit by themselves, and fail behind that. */
const statements: readonly (readonly [name: string, code: string, say: (id: string) => string])[] = [
  ["procedure that commits, then conflicts", "40001", (id) => `call fault_keep('${id}', '40001')`],
  ["procedure that commits, then fails", "22012", (id) => `call fault_keep('${id}', '22012')`],
  ["block that commits, then conflicts", "40001", (id) => `do $$ begin ${kept(id)}; commit; perform fault_raise('40001'); end $$`],
];

/** Texts of several statements that fail; whether what stands before it was committed. */
const scripts: readonly (readonly [name: string, code: string, committed: boolean, say: (id: string) => string])[] = [
  [
    "script whose second transaction conflicts",
    "40001",
    true,
    (id) => `begin; ${kept(id)}; commit; begin; select fault_raise('40001'); commit`,
  ],
  ["script that fails behind its COMMIT", "22012", true, (id) => `${kept(id)}; commit; select 1/0`],
  ["script that fails before its COMMIT", "22012", false, (id) => `begin; ${kept(id)}; select 1/0; commit`],
];

/** What commits by itself and fails afterwards: the write stays, so nobody may be told that it does not, and nothing may be repeated. */
export const truthCommits: readonly Fault[] = [
  ...statements.map(
    ([name, code, say]): Fault => ({
      group: "truth",
      name,
      ways,
      rounds: 3,
      bareRounds: 1,
      round: (ground) => failBehind(ground, { code, fate: "unknown" }, (id) => ground.send("statement", { ids: [id], text: say(id) })),
    }),
  ),
  ...scripts.map(
    ([name, code, committed, say]): Fault => ({
      group: "truth",
      name,
      ways: scripted,
      rounds: 3,
      bareRounds: 1,
      round: (ground) =>
        failBehind(ground, { code, fate: committed ? "unknown" : "refused" }, (id) => ground.send("script", { ids: [id], text: say(id) })),
    }),
  ),
  {
    group: "truth",
    name: "script deadlocked in its second transaction",
    ways: scripted,
    rounds: 3,
    bareRounds: 1,
    round: deadlock,
  },
  {
    group: "truth",
    name: "unique index built concurrently over duplicates",
    ways,
    rounds: 2,
    bareRounds: 1,
    round: buildIndex,
  },
];

async function failBehind(ground: Ground, expected: Expected, send: (id: string) => ReturnType<Ground["send"]>): Promise<Round> {
  const failed = watch(ground.back, isServerError(expected.code));
  const id = ground.id();
  const outcome = await send(id);
  failed.stop();
  const wrong = otherwise(outcome, expected) ?? (await notKept(ground, id, expected.fate === "unknown" ? 1 : 0));
  return { struck: failed.seen(), wrong };
}

/** The script holds one lock and waits for another's, whose holder then wants the script's. */
async function deadlock(ground: Ground): Promise<Round> {
  const { admin, applicationName, back, server, send } = ground;
  const [first, second] = await freeLocks(ground);
  const other = await patientClient(server);
  const found = watch(back, isServerError("40P01"));
  const id = ground.id();
  try {
    await other.query(`begin; select pg_advisory_xact_lock(${second})`);
    const taking = [first, second].map((lock) => `select pg_advisory_xact_lock(${lock});`).join(" ");
    const text = `begin; ${kept(id)}; commit; begin; set local deadlock_timeout = '500ms'; ${taking} commit`;
    const saying = send("script", { ids: [id], text });
    await admin.waiting(applicationName);
    const closing = other.query(`select pg_advisory_xact_lock(${first})`);
    const outcome = await saying;
    await closing;
    return { struck: found.seen(), wrong: otherwise(outcome, { code: "40P01", fate: "unknown" }) ?? (await notKept(ground, id, 1)) };
  } finally {
    found.stop();
    await other.end();
  }
}

/** Numbers of locks that nobody takes: what `admin.lock` gives is below. */
async function freeLocks({ admin }: Ground): Promise<readonly [number, number]> {
  const [row] = await admin.query<{ first: number }>("select (1000000 + random() * 1000000000)::int as first");
  const first = row?.first ?? Number.NaN;
  return [first, first + 1];
}

/** Whoever looks for deadlocks first is the one who is told of them. */
async function patientClient(server: PostgresServer): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: server.url() });
  client.on("error", () => {});
  await client.connect();
  await client.query("set deadlock_timeout = '60s'");
  return client;
}

async function buildIndex(ground: Ground): Promise<Round> {
  const { admin, back, id, send } = ground;
  const name = id().replaceAll(/\W/g, "_");
  await admin.query(`create table ${name} (a int)`);
  await admin.query(`insert into ${name} values (1), (1)`);
  const failed = watch(back, isServerError("23505"));
  const outcome = await send("statement", { ids: [], text: `create unique index concurrently ${name}_once on ${name} (a)` });
  failed.stop();
  const left = await admin.query<{ valid: boolean }>("select indisvalid as valid from pg_index where indexrelid = to_regclass($1)", [
    `${name}_once`,
  ]);
  await admin.query(`drop table ${name}`);
  const broken = left[0]?.valid === false ? undefined : "no broken index is left";
  return { struck: failed.seen(), wrong: otherwise(outcome, { code: "23505", fate: "unknown" }) ?? broken };
}
