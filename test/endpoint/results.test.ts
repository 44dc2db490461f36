import { describe, expect, inject, test } from "vitest";
import { useEndpoint } from "./local-endpoint.ts";

const { running, post, query } = useEndpoint();

describe("a result", () => {
  test("has fields, rows, command, row count and row mode", async () => {
    const { status, headers, body } = await post({ query: "select 1 as one, 'a'::text as letter" });
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("application/json");
    expect(headers.get("access-control-allow-origin")).toBe("*");
    expect(body).toEqual({
      fields: [
        { name: "one", dataTypeID: 23, tableID: 0, columnID: 0, dataTypeSize: 4, dataTypeModifier: -1, format: "text" },
        { name: "letter", dataTypeID: 25, tableID: 0, columnID: 0, dataTypeSize: -1, dataTypeModifier: -1, format: "text" },
      ],
      rows: [{ one: 1, letter: "a" }],
      command: "SELECT",
      rowCount: 1,
      rowAsArray: false,
    });
  });

  test.each([
    ["false", "false", { n: 7, b: true, t: null }],
    ["false", "true", [7, true, null]],
    ["true", "false", { n: "7", b: "t", t: null }],
    ["true", "true", ["7", "t", null]],
  ])("with raw text %s and array mode %s has the row %j", async (rawText, arrayMode, row) => {
    const headers = { "Neon-Raw-Text-Output": rawText, "Neon-Array-Mode": arrayMode };
    const { body } = await post({ query: "select 7 as n, true as b, null::text as t" }, { headers });
    expect(body.rows).toEqual([row]);
    expect(body.rowAsArray).toBe(arrayMode === "true");
  });

  test.each(["TRUE", "1", "yes", "True", "true, true"])("is not switched by the flag value %j", async (value) => {
    const headers = { "Neon-Raw-Text-Output": value, "Neon-Array-Mode": value };
    expect((await post({ query: "select 1 as n" }, { headers })).body).toMatchObject({ rows: [{ n: 1 }], rowAsArray: false });
  });

  test("follows a query's own arrayMode before the header's", async () => {
    const queries = [
      { query: "select 1 as n", arrayMode: false },
      { query: "select 2 as n", arrayMode: true },
      { query: "select 3 as n", arrayMode: null },
    ];
    const { body } = await post({ queries }, { headers: { "Neon-Array-Mode": "true" } });
    expect(body.results).toMatchObject([{ rows: [{ n: 1 }] }, { rows: [[2]] }, { rows: [[3]] }]);
  });

  test.each([
    ["create temp table t (n int)", "CREATE", null],
    ["insert into pg_temp.t select 1 where false", "INSERT", 0],
    ["select 1 where false", "SELECT", 0],
    ["set local work_mem = '1MB'", "SET", null],
    ["", "", null],
    ["-- nothing", "", null],
    ["copy (values (1), (2)) to stdout", "COPY", 2],
  ])("of %j has command %j and row count %j", async (text, command, rowCount) => {
    const setUp = text.includes("pg_temp.t") ? [{ query: "create temp table t (n int)" }] : [];
    const { body } = await post({ queries: [...setUp, { query: text }] });
    expect((body.results as unknown[]).at(-1)).toMatchObject({ command, rowCount, fields: expect.any(Array) });
  });

  test("names the table and column a field comes from", async () => {
    const { fields } = await query("select oid from pg_class limit 0");
    expect(fields).toMatchObject([{ name: "oid", tableID: 1259, columnID: 1 }]);
  });
});

describe("without raw text", () => {
  test.each([
    ["42::int2", 42],
    ["42::int4", 42],
    ["42::int8", "42"],
    ["1.10::numeric", "1.10"],
    ["1.5::float4", 1.5],
    ["1e300::float8", 1e300],
    ["'NaN'::float8", "NaN"],
    ["'-Infinity'::float4", "-Infinity"],
    ["false", false],
    [`'{"a": [1, null]}'::json`, { a: [1, null] }],
    [`'"text"'::jsonb`, "text"],
    ["'null'::jsonb", null],
    ["'2026-01-02'::date", "2026-01-02"],
    ["'\\x00ff'::bytea", "\\x00ff"],
    ["'{}'::int[]", []],
    ["'{1,NULL}'::int[]", [1, null]],
    [
      "'{{1,2},{3,4}}'::int4[]",
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ["'[0:1]={1,2}'::int[]", [1, 2]],
    ["'{9007199254740993}'::int8[]", ["9007199254740993"]],
    ["'{t,f}'::bool[]", [true, false]],
    ["'{1.5,NaN}'::float8[]", [1.5, "NaN"]],
    [`array['{"a":"\\"{}"}']::jsonb[]`, [{ a: '"{}' }]],
    [`array['NULL', null, 'a,b', 'c"d', 'e\\f', '']`, ["NULL", null, "a,b", 'c"d', "e\\f", ""]],
    ["array[box '(1,1),(0,0)', box '(2,2),(1,1)']", ["(1,1),(0,0)", "(2,2),(1,1)"]],
    ["'1 2'::int2vector", "1 2"],
    ["row(1, 'a')", "(1,a)"],
    ["'[1,3)'::int4range", "[1,3)"],
  ])("%s is %j", async (expression, value) => {
    expect((await query(`select ${expression} as v`)).rows).toEqual([{ v: value }]);
  });

  test("no digit of a JSON value is lost", async () => {
    const response = await fetch(`${running().url}/sql`, {
      method: "POST",
      headers: { "Neon-Connection-String": inject("postgres").url },
      body: JSON.stringify({ query: `select '{"n": 12345678901234567890.12}'::jsonb as v` }),
    });
    const text = await response.text();
    expect(text).toContain('{"n": 12345678901234567890.12}');
  });

  test("arrays of enums, domains and composites made a moment ago are JSON arrays", async () => {
    const { body } = await post({
      queries: [
        { query: "create type pg_temp.mood as enum ('sad', 'so so', 'happy')" },
        { query: "create domain pg_temp.price as numeric" },
        { query: "create type pg_temp.pair as (a int, b text)" },
        {
          query:
            "select '{happy,\"so so\",NULL}'::pg_temp.mood[] as moods, '{1.50}'::pg_temp.price[] as prices, array[row(1,'x')::pg_temp.pair] as pairs",
        },
      ],
    });
    expect((body.results as unknown[]).at(-1)).toMatchObject({
      rows: [{ moods: ["happy", "so so", null], prices: ["1.50"], pairs: ["(1,x)"] }],
    });
  });
});

describe("parameters", () => {
  test.each([
    ["select $1::text as v", [null], null],
    ["select $1 as v", [42], "42"],
    ["select $1 * 1 as v", [42], 42],
    ["select $1::bool as v", [true], true],
    ["select $1::jsonb as v", [{ a: 1 }], { a: 1 }],
    ["select $1::jsonb as v", ['[1, "x"]'], [1, "x"]],
    ["select $1::int[] as v", [[1, null, 3]], [1, null, 3]],
    ["select $1::text[] as v", [["a\nb", 'q"', "\\", "NULL"]], ["a\nb", 'q"', "\\", "NULL"]],
    ["select $1::text as v", ["ünï 🐘"], "ünï 🐘"],
    ["select length($1) as v", [""], 0],
  ])("%s with %j gives %j", async (text, params, value) => {
    expect((await query(text, params)).rows).toEqual([{ v: value }]);
  });

  test("may be missing from the body", async () => {
    expect((await post({ query: "select 1 as v" })).body.rows).toEqual([{ v: 1 }]);
  });

  test("count up to 65535", async () => {
    const params = Array.from({ length: 65_535 }, () => 1);
    const text = `select count(*)::int4 as v from unnest(array[${params.map((_, index) => `$${index + 1}::int4`).join(",")}])`;
    expect((await query(text, params)).rows).toEqual([{ v: 65_535 }]);
    expect(await post({ query: "select 1", params: [...params, 1] })).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining("65535") },
    });
  });
});
