import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, inject, test } from "vitest";
import type { Database } from "../../src/database/database.ts";
import { hyperdrive } from "../../src/entry/hyperdrive.ts";
import { createDatabase } from "../../src/entry/workerd.ts";
import { eventually, failureOf, onlyValue } from "../conformance/case.ts";

const { url } = inject("postgres");
const { HYPERDRIVE, UNCACHED } = env;

/** Runs `work` as one request, to the end of its connections. */
async function inRequest<T>(db: Database, work: () => Promise<T>): Promise<T> {
  const context = createExecutionContext();
  const result = await db.scope(context, work);
  await waitOnExecutionContext(context);
  return result;
}

const currentDatabase = "select current_database()";

test("finds the only Hyperdrive binding there is, and prefers it to DATABASE_URL", async () => {
  const db = createDatabase({ tcp: hyperdrive(), env: { HYPERDRIVE, DATABASE_URL: url } });
  expect(db.plan).toMatchObject({ target: "hyperdrive", transport: "request", max: 6 });
  expect(await inRequest(db, () => onlyValue(db.sql`select current_database()`))).toBe("warmline_hyperdrive");
});

test("takes no variable of JSON for Hyperdrive, beside the binding or without one", async () => {
  const CACHE = { connectionString: "redis://cache.internal:6379" };
  const beside = createDatabase({ tcp: hyperdrive(), env: { CACHE, HYPERDRIVE } });
  expect(await inRequest(beside, () => onlyValue(beside.sql`select current_database()`))).toBe("warmline_hyperdrive");
  const without = createDatabase({ tcp: hyperdrive(), env: { CACHE, DATABASE_URL: url } });
  expect(await inRequest(without, () => onlyValue(without.sql`select current_database()`))).toBe("warmline_test");
});

test.each([() => {}, () => null, () => ({}), async () => {}])("refuses as tcp what hyperdrive() does not give: %s", (tcp) => {
  expect(() => createDatabase({ url, tcp: tcp as never })).toThrow(expect.objectContaining({ code: "INVALID_SETTING" }));
});

test("prefers an address that was given to every binding", async () => {
  const db = createDatabase({ url, tcp: hyperdrive() });
  expect(db.plan).toMatchObject({ target: "postgres", transport: "request" });
  expect(await inRequest(db, () => onlyValue(db.sql`select current_database()`))).toBe("warmline_test");
});

test("asks which of several bindings is meant, and takes the one that is named", async () => {
  const several = createDatabase({ tcp: hyperdrive(), env: { HYPERDRIVE, UNCACHED } });
  await failureOf(() => several.sql`select 1`, { name: "ConfigError", code: "MISSING_SETTING" });
  const named = createDatabase({ tcp: hyperdrive({ binding: "UNCACHED" }), env: { HYPERDRIVE, UNCACHED } });
  expect(await inRequest(named, () => onlyValue(named.sql`select current_database()`))).toBe("warmline_test");
});

test("names a binding that is not there", async () => {
  const db = createDatabase({ tcp: hyperdrive({ binding: "ELSEWHERE" }) });
  const error = await failureOf(() => db.sql`select 1`, { name: "ConfigError", code: "MISSING_SETTING" });
  expect(error.message).toContain('"ELSEWHERE"');
});

test("says which import is missing where Hyperdrive is bound and nothing was handed in", async () => {
  const db = createDatabase({ env: { HYPERDRIVE } });
  const error = await failureOf(() => db.sql`select 1`, { name: "ConfigError", code: "NO_TRANSPORT" });
  expect(error.message).toContain('"warmline/hyperdrive"');
});

test("goes past the cache over the second binding when a call says so, and says which option names it", async () => {
  const db = createDatabase({ tcp: hyperdrive({ uncached: "UNCACHED" }), env: { HYPERDRIVE, UNCACHED } });
  await inRequest(db, async () => {
    expect(await onlyValue(db.query(currentDatabase, [], { cache: "bypass" }).then(({ rows }) => rows))).toBe("warmline_test");
    expect(await onlyValue(db.query(currentDatabase).then(({ rows }) => rows))).toBe("warmline_hyperdrive");
  });
  const without = createDatabase({ tcp: hyperdrive(), env: { HYPERDRIVE } });
  const error = await failureOf(() => without.query("select 1", [], { cache: "bypass" }), { name: "ConfigError", code: "MISSING_SETTING" });
  expect(error.message).toContain("uncached");
});

test.each([
  ["sslMode", { sslMode: "no-verify" }],
  ["ca", { ca: "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----" }],
  ["sslNegotiation", { sslMode: "require", sslNegotiation: "direct" }],
  ["channelBinding", { sslMode: "require", channelBinding: "require" }],
] as const)("refuses %s, which sockets here do not know, before anything is sent", async (setting, options) => {
  const db = createDatabase({ url, tcp: hyperdrive(), ...options });
  const error = await failureOf(() => db.sql`select 1`, { name: "ConfigError", code: "INVALID_SETTING" });
  expect(error.message).toContain(setting);
});

test("fails with a code and the fate not-sent where nothing listens, and where the server speaks no TLS", async () => {
  const nowhere = createDatabase({ url: "postgres://u:p@127.0.0.1:9/d", tcp: hyperdrive(), deadlineMs: 20_000 });
  await failureOf(() => inRequest(nowhere, () => nowhere.sql`select 1`), { code: "CONNECT_FAILED", fate: "not-sent" });
  const plain = createDatabase({ url, tcp: hyperdrive(), sslMode: "require" });
  await failureOf(() => inRequest(plain, () => plain.sql`select 1`), { code: "TLS_FAILED", fate: "not-sent" });
});

test("keeps its connections to itself: two requests at once share none", async () => {
  const db = createDatabase({ url, tcp: hyperdrive() });
  const pid = () =>
    inRequest(db, async () => [await onlyValue(db.sql`select pg_backend_pid()`), await onlyValue(db.sql`select pg_backend_pid()`)]);
  const [[first, again], [other]] = (await Promise.all([pid(), pid()])) as [unknown[], unknown[]];
  expect(again).toBe(first);
  expect(other).not.toBe(first);
  expect(db.stats()).toMatchObject({ total: 0, connects: 2, reuses: 2, discarded: 0 });
});

test("opens a connection of its own in what goes on after the request's work is done", async () => {
  const db = createDatabase({ url, tcp: hyperdrive() });
  const context = createExecutionContext();
  let later: Promise<unknown> | undefined;
  await db.scope(context, async () => {
    await db.sql`select 1`;
    later = (async () => {
      await expect.poll(() => db.stats().total).toBe(0);
      return onlyValue(db.sql`select 'later'`);
    })();
  });
  expect(await later).toBe("later");
  await waitOnExecutionContext(context);
  expect(db.stats()).toMatchObject({ connects: 2 });
});

test("ends the connection of a call without a scope with the call", async () => {
  const db = createDatabase({ url, tcp: hyperdrive(), applicationName: "without a scope" });
  await db.sql`select 1`;
  const watcher = createDatabase({ url, tcp: hyperdrive() });
  const left = () => onlyValue(watcher.sql`select count(*)::int from pg_stat_activity where application_name = 'without a scope'`);
  await eventually(left, 0);
});
