import { number } from "valibot";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Database, isWarmlineError, sql, type WarmlineError } from "../../../src/entry/node.ts";
import { ofFixtures, typeSamples } from "../../conformance/type-samples.ts";
import { failureOf, openDirect, openPool } from "../databases.ts";

let db: Database;

beforeAll(async () => {
  await using direct = await openDirect();
  await direct.query("create schema given; create table given.kept (id int, word varchar(3), letters char(3), bits bit(3))");
  db = openPool();
});
afterAll(async () => {
  await db.close();
  await using direct = await openDirect();
  await direct.query("drop schema given cascade");
});

const secret = "a value to keep";

function refusalOf(make: () => unknown): WarmlineError {
  try {
    make();
  } catch (error) {
    if (isWarmlineError(error)) return error;
    throw error;
  }
  throw new Error("It was made.");
}

describe("the text", () => {
  test("of sql.values names the first row's columns in its order, whatever the others'", () => {
    const rows = [
      { a: 1, b: 2 },
      { b: 4, a: 3 },
    ];
    expect(sql`insert into t ${sql.values(rows)}`.text).toBe('insert into t ("a", "b") values ($1, $2), ($3, $4)');
  });

  test("of sql.values has the columns that are named, and numbers what is around it", () => {
    const statement = sql`insert into t ${sql.values([{ a: 1, b: 2, c: secret }], ["b", "a"])} on conflict (a) do update set b = ${5}`;
    expect(statement.text).toBe('insert into t ("b", "a") values ($1, $2) on conflict (a) do update set b = $3');
  });

  test("has pieces of SQL where they are given as values", () => {
    expect(sql.values([{ a: sql`now()`, b: sql`default` }]).text).toBe('("a", "b") values (now(), default)');
    expect(sql.set({ a: sql`a + ${1}`, b: sql.json([1]), c: null }).text).toBe('"a" = a + $1, "b" = $2, "c" = $3');
  });

  test("of sql.unnest has a parameter per column, and types without their length", () => {
    const types = { a: "int", b: "varchar(20)[]", c: "timestamp(3) with time zone", d: 'app."Mood (1)"', e: "character (3)", f: "Bit(3)" };
    const read = '"a"::int, "b"::varchar[], "c"::timestamp with time zone, "d"::app."Mood (1)", "e"::bpchar, "f"::varbit';
    expect(sql.unnest([], types).text).toBe(
      `select ${read} from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) as given ("a", "b", "c", "d", "e", "f")`,
    );
  });

  test("shows no value and no mark where it is printed", () => {
    expect(String(sql`select ${sql.join([])} ${sql.values([{ a: secret }])}`)).toBe('select  ("a") values ($1)');
    expect(JSON.stringify(sql`x in (${sql.join([])})`)).toBe(`{"text":"x in (null)::text = any ('{}')","values":0}`);
  });
});

describe("rows that cannot be sent", () => {
  class Hidden {
    readonly #a = secret;
    get a() {
      return this.#a;
    }
  }
  const thrower = Object.defineProperty({}, "a", {
    enumerable: true,
    get() {
      throw new Error(secret);
    },
  });
  const refusals: readonly (readonly [string, () => unknown, string, RegExp])[] = [
    ["no rows", () => sql.values([]), "INVALID_STATEMENT", /at least one row.*sql\.unnest/],
    ["no columns", () => sql.values([{}]), "INVALID_STATEMENT", /default values/],
    ["no named columns", () => sql.values([{ a: 1 }], []), "INVALID_STATEMENT", /at least one column/],
    ["columns that are no array", () => sql.values([{ a: 1 }], "a" as never), "INVALID_STATEMENT", /array of names/],
    ["a row that lacks a column", () => sql.values([{ a: secret, b: 1 }, { a: secret }]), "INVALID_STATEMENT", /"b" in row 2 is missing/],
    ["a row that lacks a named column", () => sql.values([{ a: secret }], ["b" as never]), "INVALID_STATEMENT", /"b" in row 1 is missing/],
    ["a column of Object's", () => sql.values([{ a: 1 }], ["toString" as never]), "INVALID_STATEMENT", /"toString" in row 1 is missing/],
    ["a row that has one more", () => sql.values([{ a: 1 }, { a: 1, b: secret }]), "INVALID_STATEMENT", /"b" in row 2/],
    ["a row that has a nameless one", () => sql.values([{ a: 1 }, { a: 1, "": secret }]), "INVALID_STATEMENT", /"" in row 2/],
    ["a row that has another", () => sql.values([{ a: 1 }, { b: secret }] as never), "INVALID_STATEMENT", /"a" in row 2 is missing/],
    ["undefined", () => sql.values([{ a: secret }, { a: undefined }]), "UNDEFINED_VALUE", /"a" in row 2 is undefined; .*null for NULL/],
    ["a hole", () => sql.values([{ a: 1 }, ...new Array(1)]), "INVALID_STATEMENT", /row 2 of sql\.values is no object/],
    ["an array as a row", () => sql.values([[secret]] as never), "INVALID_STATEMENT", /row 1/],
    ["sql as a row", () => sql.values([sql`a`]), "INVALID_STATEMENT", /row 1/],
    ["a promise of a row", () => sql.values([Promise.reject(new Error(secret))]), "PROMISE_VALUE", /await/],
    ["a promise of rows", () => sql.values(Promise.reject(new Error(secret)) as never), "PROMISE_VALUE", /await/],
    ["one row that is no array", () => sql.values({ a: secret } as never), "INVALID_STATEMENT", /array of rows/],
    ["a row that hides what it has", () => sql.values([new Hidden()]), "INVALID_STATEMENT", /at least one column/],
    ["a row whose getter throws", () => sql.values([thrower]), "UNSUPPORTED_VALUE", /code of its own/],
    ["a nameless column", () => sql.values([{ "": 1 }]), "INVALID_STATEMENT", /not empty/],
    ["a column with NUL", () => sql.set({ "a\0": 1 }), "NUL_CHARACTER", /identifier/],
    ["an empty patch", () => sql.set({}), "INVALID_STATEMENT", /send no update/],
    ["a patch that is none", () => sql.set(null as never), "INVALID_STATEMENT", /patch of sql\.set is no object/],
    ["a patch of a Map", () => sql.set(new Map([["a", secret]])), "INVALID_STATEMENT", /at least one column/],
    ["undefined in a patch", () => sql.set({ a: secret, b: undefined }), "UNDEFINED_VALUE", /"b" in the patch/],
    ["no types", () => sql.unnest([{ a: 1 }], {}), "INVALID_STATEMENT", /type of at least one/],
    ["types that are none", () => sql.unnest([{ a: 1 }], null as never), "INVALID_STATEMENT", /types of sql\.unnest/],
    ["undefined in a column", () => sql.unnest([{ a: 1 }, { a: undefined }], { a: "int" }), "UNDEFINED_VALUE", /"a" in row 2/],
    [
      "a column that is missing",
      () => sql.unnest([{ a: 1 }, {}] as { a: 1 }[], { a: "int" }),
      "INVALID_STATEMENT",
      /"a" in row 2 is missing/,
    ],
    ["an array without a type of arrays", () => sql.unnest([{ a: [secret] }], { a: "jsonb" }), "UNSUPPORTED_VALUE", /sql\.json/],
    ["sql in a column", () => sql.unnest([{ a: sql`now()` }], { a: "date" }), "UNSUPPORTED_VALUE", /sql\.values/],
    ["sql around a value in a column", () => sql.unnest([{ a: sql`(${1})` }], { a: "int" }), "UNSUPPORTED_VALUE", /sql\.values/],
    ["nothing between and and and", () => sql.join([], sql` and `), "INVALID_STATEMENT", /at least one item/],
    ["a list that is a text", () => sql.join(secret as never), "INVALID_STATEMENT", /array of values or pieces/],
    ["a list that is a Set", () => sql.join(new Set([secret]) as never), "INVALID_STATEMENT", /array of values or pieces/],
    ["a promise of a list", () => sql.join(Promise.reject(new Error(secret)) as never), "PROMISE_VALUE", /await/],
    ["a text between", () => sql.join([1, 2], secret as never), "INVALID_STATEMENT", /separator of sql\.join is sql`…`/],
    ["nothing as a text", () => sql.raw(undefined as never), "INVALID_STATEMENT", /sql\.raw takes a text/],
    ["a tag that is called with a text", () => sql(secret as never), "INVALID_STATEMENT", /sql is a tag/],
    ["a typed tag that is called with a text", () => sql.typed(number())(secret as never), "INVALID_STATEMENT", /sql is a tag/],
  ];

  test.each(refusals)("%s: refused with what to do, without the value", (_title, make, code, message) => {
    const error = refusalOf(make);
    expect(error).toMatchObject({ name: "UsageError", code, fate: "not-sent", message: expect.stringMatching(message) });
    expect(String(error.stack)).not.toContain(secret);
  });
});

describe("types of sql.unnest", () => {
  const names = [
    "int; drop table given.kept",
    "int from given.kept",
    "int)",
    "int[] or true",
    "a.b.c",
    "int--",
    "int/**/",
    '"a',
    "",
    " int",
    "int[1]",
  ];
  const more = ["é", "varchar(x)", "int collate a", 'U&"a"', "$1", "int::text", "text\n", '"a"";drop"b', 5, null, undefined, {}];

  test.each([...names, ...more])("%j is no name of a type", (type) => {
    const error = refusalOf(() => sql.unnest([{ a: 1 }], { a: type as string }));
    expect(error).toMatchObject({
      name: "UsageError",
      code: "INVALID_STATEMENT",
      message: expect.stringContaining('The type of column "a"'),
    });
  });

  test("a quoted name is a name, whatever is in it", async () => {
    const type = '"int4); drop table given.kept; --"';
    expect((await failureOf(db.query(sql.unnest([{ a: 1 }], { a: type })))).code).toBe("42704");
    expect((await db.query("select from given.kept")).rowCount).toBe(0);
  });

  test.each([
    ["word", "varchar(3)", "22001"],
    ["letters", "char(3)", "22001"],
    ["bits", "bit(3)", "22026"],
  ])("%s: what is longer than %s is refused by the column, not cut", async (column, type, code) => {
    const insert = (value: string) =>
      db.query(sql`insert into given.kept (${sql.id(column)}) ${sql.unnest([{ [column]: value }], { [column]: type })}`);
    expect((await failureOf(insert("10101"))).code).toBe(code);
    expect((await insert("101")).rowCount).toBe(1);
    await db.sql`delete from given.kept`;
  });

  test("every type comes as the server reads its text", async () => {
    const samples = typeSamples.filter(({ type }) => /^[a-z]\w*(\[\])*$/.test(type) && !ofFixtures.test(type));
    expect(samples.length).toBeGreaterThan(50);
    for (const { type, text } of samples) {
      const query = sql`select a::text as sent, (${text}::${sql.raw(type)})::text as read
        from (${sql.unnest([{ a: text }], { a: type })}) given`;
      const [row] = (await db.query(query)).rows as Record<string, string>[];
      if (!/^(bpchar|bit)$/.test(type)) expect([type, row?.sent]).toEqual([type, row?.read]);
    }
  });
});

describe("a list of nothing", () => {
  const none = sql.join([]);

  test("is in no type's list, and outside of all", async () => {
    const samples = [...typeSamples.filter(({ type }) => !ofFixtures.test(type)), { type: "record", text: "" }];
    let lists = 0;
    for (const { type, text } of samples) {
      const x = type === "record" ? sql`(1, 'a')` : sql`${text}::${sql.raw(type)}`;
      for (const negated of [false, true]) {
        const word = sql.raw(negated ? "not in" : "in");
        const hasLists = await db.query(sql`select ${x} ${word} (${x})`).catch(() => undefined);
        if (hasLists === undefined) continue;
        lists++;
        expect([type, (await db.query(sql`select ${x} ${word} (${none}) as found`)).rows]).toEqual([type, [{ found: negated }]]);
      }
    }
    expect(lists).toBeGreaterThan(100);
  });

  const places: readonly (readonly [string, unknown, boolean])[] = [
    ["a NULL", sql`null::int in (${none})`, false],
    ["a NULL outside", sql`null::int not in (${none})`, true],
    ["a parameter", sql`${1} in (${none})`, false],
    ["a row", sql`(1, 'a') in (${none})`, false],
    ["what is denied", sql`not 1 in (${none})`, true],
    ["capitals, lines and comments", sql`1 NOT /* a */ IN -- in\n ( ${none} /* b */ )`, true],
    ["what is compared after it", sql`1 in (${none}) = false`, true],
    ["what is asked after it", sql`1 in (${none}) is not true`, true],
    ["what is cast after it", sql`(1 in (${none})::text) = 'false'`, true],
    ["and, or", sql`true or 1 in (${none}) and false`, true],
    ["a piece around it", sql`1 in ${sql`(${none})`}`, false],
    ["two of them", sql`1 in (${none}) or 2 not in (${sql.join([], sql`,`)})`, true],
    ["a column named not", sql`(select "not" in (${none}) from (select 1 as "not") t)`, false],
  ];
  test.each(places)("is read for %s as any list is", async (_title, condition, expected) => {
    expect(await db.sql`select ${condition} as found`).toEqual([{ found: expected }]);
  });

  test.each([
    ["an array", sql`select array[${none}]::int[]`],
    ["a function's parameters", sql`select now(${none})`],
    ["a function named in", sql`select given.in(${none})`],
    ["a list with more in it", sql`select 1 in (1, ${none})`],
    ["a literal", sql`select '1 in (${none})'`],
    ["a comment", sql`select 1 /* 1 in (${none}) */`],
    ["an order", sql`select 1 order by ${none}`],
    ["a list that is not closed", sql`select 1 in (${none}`],
  ])("is refused in %s before anything is sent", async (_title, statement) => {
    const error = await failureOf(db.query(statement));
    expect(error).toMatchObject({ name: "UsageError", code: "INVALID_STATEMENT", fate: "not-sent" });
    expect(error.message).toContain("empty sql.join");
  });

  test("cannot be made from text of the caller's", async () => {
    expect((await failureOf(db.query(sql`select 1 in (${sql.raw("\0")})`))).code).toBe("NUL_CHARACTER");
  });
});
