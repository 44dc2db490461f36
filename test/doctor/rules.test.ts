import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadReaders } from "../../src/doctor/code/load-readers.ts";
import { scan } from "../../src/doctor/code/scan.ts";
import type { Evidence, Pieces, Seen } from "../../src/doctor/evidence.ts";
import { judgeAll, type Looks, rules } from "../../src/doctor/examine.ts";
import { configure } from "../../src/doctor/look/configure.ts";
import { failures } from "../../src/doctor/look/unseen.ts";
import { startPosing } from "../support/posing-server.ts";
import { startWire } from "../support/wire.ts";
import { codeFixtures } from "./code-fixtures.ts";
import { looksAt as looksFrom, MAX_CONNECTIONS, type ServerUnderTest, startServerUnderTest } from "./server-under-test.ts";
import { type Files, makeProject } from "./workplace.ts";

let under: ServerUnderTest;
let healthy: Looks;

beforeAll(async () => {
  under = await startServerUnderTest();
  healthy = await looksAt(under.url());
});

afterAll(() => under[Symbol.asyncDispose]());

/** What is seen of a server that is near, however busy this machine is. */
async function looksAt(...args: Parameters<typeof looksFrom>): Promise<Looks> {
  const looks = await looksFrom(...args);
  return altered("session", () => ({ roundTripMs: 1 }), looks);
}

/** What makes the fault a rule is named after, and undoes it. */
type Make = () => Promise<Looks>;

const MINUTE_MS = 60_000;

function seen<T>(piece: Seen<T>): T {
  if ("unseen" in piece) throw new Error(piece.unseen);
  return piece.value;
}

/** The healthy set-up with other evidence of one kind. */
function altered<Name extends keyof Pieces>(name: Name, alter: (piece: Pieces[Name]) => Partial<Pieces[Name]>, looks = healthy): Looks {
  const piece = seen(looks.evidence[name] as Seen<Pieces[Name]>);
  return withEvidence(
    { [name]: { value: Array.isArray(piece) ? alter(piece) : { ...piece, ...alter(piece) } } } as Partial<Evidence>,
    looks,
  );
}

function withEvidence(evidence: Partial<Evidence>, looks = healthy): Looks {
  return { ...looks, evidence: { ...looks.evidence, ...evidence } };
}

/** The healthy server with settings that lead elsewhere. */
function configured(url: string, variables: Readonly<Record<string, string>> = {}, looks = healthy): Looks {
  const looked = configure({ url, variables, now: Date.now() });
  if ("failed" in looked) throw new Error(looked.failed.reason);
  return withEvidence({ configured: looked, variables: { value: variables } }, looks);
}

async function withFiles(files: Files): Promise<Looks> {
  using project = makeProject(files);
  const { project: facts, sources } = await scan({
    folder: project.folder,
    timeoutMs: MINUTE_MS,
    signal: new AbortController().signal,
    load: loadReaders,
  });
  return withEvidence({ project: facts, sources });
}

/** Looks while the statements' work stands, and undoes it. */
async function whileDone(make: string, unmake: string): Promise<Looks> {
  for (const statement of make.split(";\n")) await under.admin.query(statement).catch(() => undefined);
  try {
    return await looksAt(under.url());
  } finally {
    for (const statement of unmake.split(";\n")) await under.admin.query(statement);
  }
}

/** Looks at the activity while other sessions are at what they do, and tells the time to be later. */
async function later(ms: number, act: () => Promise<() => Promise<unknown>>): Promise<Looks> {
  const undo = await act();
  try {
    const looks = await looksAt(under.url());
    return altered("activity", ({ serverNow }) => ({ serverNow: serverNow + ms }), looks);
  } finally {
    await undo();
  }
}

const LAMBDA = { AWS_LAMBDA_FUNCTION_NAME: "orders" };
const VERCEL = { VERCEL: "1" };
const presigned = encodeURIComponent("db:5432/?Action=connect&X-Amz-Date=20261126T120000Z&X-Amz-Expires=900&X-Amz-Signature=canary");
const bare: Files = { "src/db.ts": `import { Pool } from "pg";\nexport const pool = new Pool({ connectionString: url });` };

const fixtures: Readonly<Record<string, Make>> = {
  "pool-over-budget": async () => configured(under.url(`&connection_limit=${MAX_CONNECTIONS}`)),
  "max-on-lambda": async () => configured(under.url("&connection_limit=5"), LAMBDA),
  "idle-over-network-limit": async () => configured(under.url("&max_idle_connection_lifetime=600")),
  "deadline-over-timeout": () =>
    withFiles({ "vercel.json": `{"functions":{"api/a.ts":{"maxDuration":10},"api/b.ts":{"maxDuration":60}}}` }),
  "no-statement-limit": () => looksAt(under.url("", "without_statement_limit")),
  "no-idle-in-transaction-limit": () => looksAt(under.url("", "without_idle_limit")),
  "pooler-not-told": async () => {
    if (under.pooler === undefined) return altered("backend", () => ({ behindPooler: true }));
    return await looksAt(`${under.pooler.url()}?application_name=pooled`);
  },
  "session-pooler-port": async () => configured("postgres://u:p@aws-0-eu-central-1.pooler.supabase.com:5432/postgres", VERCEL),
  "direct-host": async () => configured("postgres://u:p@ep-cool-darkness-123456.us-east-2.aws.neon.tech/app", VERCEL),
  "no-direct-url": async () =>
    configured(under.url("&pgbouncer=true"), {}, await withFiles({ "package.json": `{"devDependencies":{"drizzle-kit":"1"}}` })),
  "unverified-tls": async () => configured("postgres://u:p@db.example.com/app?sslmode=no-verify"),
  "certificate-near-its-end": async () =>
    altered("reach", ({ certificateEndsAt: end }) => ({ now: (end as number) - 10 * 1_440 * MINUTE_MS })),
  "sslmode-misread": async () => configured("postgres://u:p@db.example.com/app?sslmode=require", {}, await withFiles(bare)),
  "far-region": async () => {
    await using wire = await startWire(under.server, { delayMs: 12 });
    return await looksFrom(`postgres://app:canary-app@127.0.0.1:${wire.port}/postgres?sslmode=disable`);
  },
  "password-near-its-end": async () => configured(`postgres://u:${presigned}@db.example.com/app`),
  "clock-skew": () => looksAt(under.url(), { now: () => Date.now() + MINUTE_MS }),
  "superuser-login": () => looksAt(under.url("", "boss")),
  "replica-for-writes": () => looksAt(under.url("", "reader")),
  "slots-nearly-used": async () => {
    const others = await Promise.all(Array.from({ length: 18 }, () => under.open("app", "others")));
    const looks = await looksAt(under.url());
    await Promise.all(others.map((client) => client.end()));
    return looks;
  },
  "sleeping-sessions": () =>
    later(11 * MINUTE_MS, async () => {
      const sleeper = await under.open();
      return () => sleeper.end();
    }),
  "idle-in-transaction": () =>
    later(2 * MINUTE_MS, async () => {
      await under.admin.query("begin");
      return () => under.admin.query("rollback");
    }),
  "long-query": () =>
    later(6 * MINUTE_MS, async () => {
      const busy = await under.open("app", "report");
      const running = busy.query("select pg_sleep(20)").catch(() => undefined);
      await until("select from pg_stat_activity where wait_event = 'PgSleep'");
      return async () => {
        await under.admin.query("select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'");
        await running;
        await busy.end();
      };
    }),
  // whoever waits for long runs no long statement
  "blocking-chain": () =>
    later(6 * MINUTE_MS, async () => {
      await under.admin.query("select pg_advisory_lock(7)");
      const waiter = await under.open("boss", "report");
      const waiting = waiter.query("select pg_advisory_lock(7)");
      await until("select from pg_stat_activity where wait_event_type = 'Lock'");
      return async () => {
        await under.admin.query("select pg_advisory_unlock(7)");
        await waiting;
        await waiter.end();
      };
    }),
  "leaked-advisory-lock": async () => {
    await under.admin.query("select pg_advisory_lock(42)");
    const looks = await looksAt(under.url());
    await under.admin.query("select pg_advisory_unlock_all()");
    return altered("advisoryLocks", (locks) => locks.map((lock) => ({ ...lock, serverNow: lock.serverNow + 2 * MINUTE_MS })), looks);
  },
  "unused-replication-slot": () =>
    whileDone("select pg_create_physical_replication_slot('standby_2', true)", "select pg_drop_replication_slot('standby_2')"),
  "wraparound-near": async () => altered("databaseAges", (ages) => ages.map((age) => ({ ...age, transactions: 1_500_000_000 }))),
  "key-near-its-end": () => whileDone("select setval('pets_id_seq', 2000000000)", "select setval('pets_id_seq', 1)"),
  "invalid-index": () =>
    whileDone(
      "create table twins (id bigint);\ninsert into twins values (1), (1);\ncreate unique index concurrently twins_id on twins (id)",
      "drop table twins",
    ),
  "foreign-key-without-index": () =>
    whileDone('create table "toys" (id bigint primary key, pet int references pets, noise text unique)', "drop table toys"),
  "rls-off": () => whileDone("grant select on owners to anon", "revoke select on owners from anon"),
  "end-of-life": async () => {
    await using posing = await startPosing(under.server.port, { server_version: "13.4" });
    return await looksAt(`postgres://app:canary-app@127.0.0.1:${posing.port}/postgres?sslmode=disable`);
  },
  ...Object.fromEntries(Object.entries(codeFixtures).map(([name, { fails }]) => [name, () => withFiles(fails)])),
};

/** Asked in a session of its own, for one that is in a transaction sees one picture of the activity. */
async function until(there: string, role = "app"): Promise<void> {
  const client = await under.open(role, "fixtures");
  try {
    await expect.poll(async () => (await client.query(there)).rowCount, { interval: 20 }).toBeGreaterThan(0);
  } finally {
    await client.end();
  }
}

/** What must not be found, however near it is: where a rule's line is drawn. */
const passing: Readonly<Record<string, Make>> = {
  "a pool of half the slots": async () => configured(under.url("&connection_limit=11")),
  "one connection on Lambda": async () => configured(under.url("&connection_limit=1"), LAMBDA),
  "an idle limit of five minutes": async () => configured(under.url("&max_idle_connection_lifetime=300")),
  "a function of a minute": () => withFiles({ "app/route.ts": "export const maxDuration = 60;" }),
  "a pooler that was told": async () =>
    under.pooler === undefined ? healthy : await looksAt(`${under.pooler.url()}?pgbouncer=true&application_name=pooled`),
  "a service whose proxy numbers its clients": async () =>
    configured(
      "postgres://u:p@ep-cool-darkness-123456.us-east-2.aws.neon.tech/app",
      {},
      altered("backend", () => ({ behindPooler: true })),
    ),
  "transaction mode on Vercel": async () => configured("postgres://u:p@aws-0-eu-central-1.pooler.supabase.com:6543/postgres", VERCEL),
  "session mode in a server": async () => configured("postgres://u:p@aws-0-eu-central-1.pooler.supabase.com:5432/postgres"),
  "Neon's pooler on Vercel": async () => configured("postgres://u:p@ep-cool-darkness-123456-pooler.us-east-2.aws.neon.tech/app", VERCEL),
  "migrations with a way around the pooler": async () =>
    configured(
      under.url("&pgbouncer=true"),
      { DIRECT_URL: "postgres://u:canary@h/d" },
      await withFiles({ "package.json": `{"devDependencies":{"drizzle-kit":"1"}}` }),
    ),
  "a certificate of a month": async () =>
    altered("reach", ({ certificateEndsAt: end }) => ({ now: (end as number) - 30 * 1_440 * MINUTE_MS })),
  "sslmode=verify-full for pg": async () => configured("postgres://u:p@db.example.com/app?sslmode=verify-full", {}, await withFiles(bare)),
  "sslmode=require for warmline alone": async () => configured("postgres://u:p@db.example.com/app?sslmode=require"),
  "a password with the look of a query": async () => configured("postgres://u:a%3FX-Amz-Expires%3Dno@db.example.com/app"),
  "a clock that is a second off": () => looksAt(under.url(), { now: () => Date.now() + 1_000 }),
  "a reader that asks for a standby": () => looksAt(under.url("&target_session_attrs=prefer-standby", "reader")),
  "sessions that rested for a moment": () =>
    later(MINUTE_MS / 2, async () => {
      const sleeper = await under.open();
      await under.admin.query("begin; select pg_advisory_xact_lock(1)");
      return async () => {
        await under.admin.query("rollback");
        await sleeper.end();
      };
    }),
  "sessions of others that sleep": () =>
    later(11 * MINUTE_MS, async () => {
      const others = await Promise.all([under.open("app", "another"), under.open("boss", "warmline")]);
      return () => Promise.all(others.map((client) => client.end()));
    }),
  "sessions that a pooler keeps": async () => {
    const looks = await later(11 * MINUTE_MS, async () => {
      const kept = await under.open();
      return () => kept.end();
    });
    return configured(under.url("&pgbouncer=true"), {}, looks);
  },
  "ages below the first warning": async () => altered("databaseAges", (ages) => ages.map((age) => ({ ...age, transactions: 200_000_000 }))),
  "a key at half its way": () => whileDone("select setval('pets_id_seq', 1000000000)", "select setval('pets_id_seq', 1)"),
  "a foreign key behind a wider index": () =>
    whileDone(
      "create table toys (id bigint primary key, pet int references pets, noise text);\ncreate index on toys (pet, noise)",
      "drop table toys",
    ),
  ...Object.fromEntries(Object.entries(codeFixtures).map(([name, { passes }]) => [`${name}, done right`, () => withFiles(passes)])),
};

test("a healthy set-up has no findings, and nothing that was not seen", () => {
  const { findings, notSeen, slots, session, backend } = judgeAll(healthy);
  expect([findings, notSeen]).toEqual([[], []]);
  expect(session).toMatchObject({ version: expect.stringMatching(/^\d/) });
  expect(backend).toMatchObject({ behindPooler: false, inRecovery: false });
  expect(slots?.most).toBe(MAX_CONNECTIONS - 3);
});

test("the doctor's own session, which ends with it, is in no count", async () => {
  const one = await under.open("app", "alone");
  const { slots } = judgeAll(await looksAt(under.url()));
  await one.end();
  expect(slots?.holders).toContainEqual({ application: "alone", user: "app", sessions: 1, idle: 1 });
  expect(slots?.holders.map(({ application }) => application)).not.toContain("warmline");
  expect(slots?.taken).toBe(slots?.holders.reduce((sum, { sessions }) => sum + sessions, 0));
});

test("every rule has a fixture", () => {
  expect(Object.keys(fixtures).sort()).toEqual(rules.map(({ name }) => name).sort());
});

describe("each rule fires in its fixture, and nowhere else", () => {
  test.each(Object.entries(fixtures))("%s", async (name, make) => {
    const { findings } = judgeAll(await make());
    expect([...new Set(findings.map(({ rule }) => rule))]).toEqual([name]);
    for (const { found, costs, change, page } of findings) {
      for (const text of [found, costs, change]) expect(text).toMatch(/^.{12,}$/);
      expect(page).toBe(`docs/doctor.md#${name}`);
    }
    expect(JSON.stringify(findings)).not.toContain("canary");
  });
});

describe("no rule fires for", () => {
  test.each(Object.entries(passing))("%s", async (_, make) => {
    expect(judgeAll(await make()).findings).toEqual([]);
  });
});

test("a rule says nothing of what was not seen, and is named with the reason", () => {
  const unseen = { unseen: "no permission (42501)" };
  const { findings, notSeen } = judgeAll(withEvidence({ activity: unseen, limits: unseen }));
  expect(findings).toEqual([]);
  expect(notSeen.flatMap((one) => one.rules)).toEqual(expect.arrayContaining(["slots-nearly-used", "long-query", "no-statement-limit"]));
  expect(new Set(notSeen.map(({ reason }) => reason))).toEqual(new Set(["no permission (42501)"]));
});

describe("no fault is", () => {
  test("an index over what a foreign key refers by, where that is not null", async () => {
    const looks = await whileDone(
      "create table toys (id bigint primary key, pet int references pets);\ncreate index on toys (pet) where pet is not null",
      "drop table toys",
    );
    expect(judgeAll(looks).findings).toEqual([]);
  });

  test("what an extension brought along", async () => {
    const looks = await whileDone(
      "create table brought (id bigint primary key, pet int references pets);\ngrant select on brought to anon;\nalter extension plpgsql add table brought",
      "alter extension plpgsql drop table brought;\ndrop table brought",
    );
    expect(judgeAll(looks).findings).toEqual([]);
  });

  test("another session's temporary table, whose keys nobody else can read", async () => {
    const other = await under.open("boss", "other");
    await other.query("create temporary table scratch (id serial); insert into scratch default values");
    const looks = await looksAt(under.url("", "boss"));
    await other.end();
    expect(looks.evidence.sequences).toHaveProperty("value");
  });
});

test("a function of Lambda's is held against the deadline that it has there, not here", async () => {
  const found = async (seconds: number, url = under.url()) => {
    const looks = await withFiles({ "serverless.yml": `provider: aws\nfunctions: { a: { timeout: ${seconds} } }` });
    return judgeAll(configured(url, {}, looks)).findings.map((finding) => finding.found);
  };
  expect([await found(3), await found(2)]).toEqual([[], ["A call may take 2.5 s, and the function has 2 s."]]);
  expect(await found(20, under.url("&socket_timeout=30"))).toEqual(["A call may take 30 s, and the function has 20 s."]);
  expect(await found(20, under.url("&socket_timeout=10"))).toEqual([]);
});

test("a prepared transaction at the head of a chain has no process to end", () => {
  const looks = altered("activity", (activity) => ({
    sessions: activity.sessions.map((row) => ({
      ...row,
      pid: row.pid + 1,
      statementSince: activity.serverNow - MINUTE_MS,
      blockedBy: [0],
    })),
  }));
  expect(judgeAll(looks).findings.map(({ rule, change }) => [rule, change])).toEqual([
    ["blocking-chain", expect.stringMatching(/^rollback prepared/)],
  ]);
});

test("what a role may not see of others is said, and the rest is judged", async () => {
  const { findings, notSeen } = judgeAll(await looksAt(under.url("", "stranger")));
  expect(findings).toEqual([]);
  expect(notSeen.map(({ reason }) => reason)).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^\d+ sessions of other roles: what they do is hidden/),
      expect.stringMatching(/sequences/),
    ]),
  );
});

test("the doctor changes nothing: every statement it sends is inside of a READ ONLY transaction, or reads by itself", async () => {
  await using wire = await startWire(under.server);
  const texts: string[] = [];
  wire.onMessage((message) => {
    if (message.type === "Q") texts.push(message.body.toString().replace(/\0$/, ""));
  });
  await looksAt(`postgres://app:canary-app@127.0.0.1:${wire.port}/postgres?sslmode=disable`);
  expect(texts.length).toBeGreaterThan(10);
  for (const text of texts) expect(text).toMatch(/^(begin read only; .*; commit|select (1|pg_backend_pid\(\).*))$/s);
});

test("every rule has a section in docs/doctor.md, and no section is of none", () => {
  const text = readFileSync(fileURLToPath(new URL("../../docs/doctor.md", import.meta.url)), "utf8");
  const sections = [...text.matchAll(/^### (.+)$/gm)].map(([, name]) => name);
  expect(sections.sort()).toEqual([...rules.map(({ name }) => name), ...Object.keys(failures)].sort());
});
