import { describe, expect, inject, test } from "vitest";
import { createDatabase as createOverHttp } from "../../src/entry/edge-http.ts";
import { createDatabase } from "../../src/entry/node.ts";
import { createDatabase as createOnNodeOverHttp } from "../../src/entry/node-http.ts";
import { createDatabase as createOverTcp } from "../../src/entry/tcp.ts";
import { failureOf } from "./databases.ts";

const { url } = inject("postgres");
const backend = "select pg_backend_pid() as pid";

describe("warmline/tcp", () => {
  test("shares its connections with a handle of the main entry that has the same settings", async () => {
    await using one = createOverTcp({ url, name: "entries", max: 1 });
    await using other = createDatabase({ url, name: "entries", max: 1, transport: "pool" });
    const pids = [
      (await one.query(backend)).rows,
      (await other.query(backend)).rows,
      await one.transaction(async (tx) => (await tx.query(backend)).rows),
    ];
    expect(pids).toEqual([pids[0], pids[0], pids[0]]);
    expect([one.plan.transport, one.plan.reasons]).toEqual([
      other.plan.transport,
      { ...other.plan.reasons, transport: one.plan.reasons.transport },
    ]);
  });

  test.each([
    ["endpoint", { endpoint: "https://sql.example.com" }],
    ["transport", { transport: "http" }],
  ] as const)("refuses the setting %s, which only HTTP needs, and names the entry that has it", (setting, options) => {
    const make = () => createOverTcp({ url, ...options });
    expect(make).toThrow(expect.objectContaining({ name: "ConfigError", code: "INVALID_SETTING", setting }));
    expect(make).toThrow(/import createDatabase from "warmline"/);
  });

  test("takes no notice of a variable that names an endpoint for others", () => {
    const { transport, endpoint } = createOverTcp({ url, env: { WARMLINE_ENDPOINT: inject("endpoint") } }).plan;
    expect([transport, endpoint]).toEqual(["pool", null]);
  });
});

describe.each([
  ["the edge", createOverHttp],
  ["Node", createOnNodeOverHttp],
] as const)("warmline/http on %s", (_, create) => {
  const open = () => create({ url, endpoint: inject("endpoint") });

  test("answers queries and batches, with the values of a pool", async () => {
    await using db = open();
    await using pool = createOverTcp({ url });
    const text = "select 1 as n, now()::date as d, array[1.5, null]::numeric[] as a, interval '1 day 2 hours' as i, '\\x00ff'::bytea as b";
    const { rows, via } = await db.query(text, [], { readOnly: true });
    expect(rows).toStrictEqual((await pool.query(text)).rows);
    expect((await db.batch([{ text, values: [] }]))[0].rows).toStrictEqual(rows);
    expect([via.transport, db.plan.session]).toEqual(["http", "none"]);
  });

  test("refuses what needs a session before anything is sent, and says where there are some", async () => {
    await using db = open();
    for (const work of [
      () => db.transaction(async () => 1),
      () => db.session(async () => 1),
      () => db.stream("select 1").batches().next(),
    ]) {
      const error = await failureOf(work());
      expect(error).toMatchObject({ name: "UsageError", code: "NO_SESSION", fate: "not-sent" });
      expect(error.message).toContain('import createDatabase from "warmline"');
    }
    expect(db.stats().connects).toBe(0);
  });

  test("has no way to a target that speaks no HTTP, and says where there is one", () => {
    expect(() => create({ url }).plan).toThrow(expect.objectContaining({ code: "NO_TRANSPORT" }));
    expect(() => create({ url }).plan).toThrow(/import createDatabase from "warmline"/);
  });
});
