import { types as driverTypes, type NeonDbError, type NeonQueryPromise, neon, neonConfig } from "@neondatabase/serverless";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { textParsers } from "../../../src/database/text-parsers.ts";
import { createDatabase, DatabaseError, type Field, type Result, sql } from "../../../src/entry/edge.ts";
import { createDatabase as createOverPool } from "../../../src/entry/node.ts";
import { corpus, type Sample } from "../../conformance/corpus.ts";
import { fixtures } from "../../conformance/fixtures.ts";

/** One post, and what came back. */
interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly status: number;
  readonly answer: string;
}

type Init = Pick<Post, "headers" | "body">;

const { url } = inject("postgres");
const { username: user, password: right, hostname: host, port: digits } = new URL(url);
const port = Number(digits);
/** What URLs have escapes for; where it is posted, the right one is sent in its place. */
const password = "s3cr%t%41/?#@:ü '";
const options = "-c work_mem=8MB -c x.y=a=b&c+%2B";
const posts: Post[] = [];
const { fetch: send, Buffer: buffer } = globalThis;

vi.stubGlobal("fetch", async (to: string, init: Init) => {
  const login = new URL(init.headers["Neon-Connection-String"] ?? "");
  login.password = right;
  login.search = "";
  const response = await send(to, { method: "POST", body: init.body, headers: { ...init.headers, "Neon-Connection-String": login.href } });
  posts.push({ url: to, headers: init.headers, body: init.body, status: response.status, answer: await response.clone().text() });
  return response;
});

const db = createDatabase({ host, port, user, password, database: "as_driver", endpoint: inject("endpoint"), startupOptions: options });

beforeAll(async () => {
  await using admin = createOverPool({ url, transport: "pool" });
  await admin.script("create database as_driver");
  await using made = createOverPool({ host, port, user, password: right, database: "as_driver", transport: "pool" });
  await made.script(fixtures);
});
afterAll(() => db.close());

/** What Neon's driver posts for the statements of a post, and what it makes of the same answer. */
async function askDriver(post: Post, mode: object | undefined) {
  const sent: Pick<Post, "url" | "headers" | "body">[] = [];
  const { fetchFunction, fetchEndpoint } = neonConfig;
  neonConfig.fetchEndpoint = () => post.url;
  neonConfig.fetchFunction = async (to: string, { headers, body }: Init) => {
    sent.push({ url: to, headers, body });
    return new Response(post.answer, { status: post.status });
  };
  try {
    const startup = new URLSearchParams({ application_name: "warmline", options });
    const run = neon(`postgresql://${user}@${host}:${port}/as_driver?${startup}`, { fullResults: true });
    const login = { password: encodeURIComponent(password) };
    const ask = ({ query, params }: { query: string; params: unknown[] }) => run.query(query, params, login);
    const { queries, ...query } = JSON.parse(post.body);
    const answer = queries
      ? run.transaction(queries.map(ask), { ...mode, ...login } as never)
      : (ask(query) as NeonQueryPromise<false, true>);
    const outcome = await answer.then(
      (results) => ({ results: [results].flat(), error: undefined }),
      (error: NeonDbError) => ({ results: [], error }),
    );
    return { ...sent[0], ...outcome };
  } finally {
    Object.assign(neonConfig, { fetchFunction, fetchEndpoint });
  }
}

function asTemplate({ text, values = [] }: Sample) {
  const pieces = text.split(/\$\d+/);
  const named = [...text.matchAll(/\$(\d+)/g)].map(([, number]) => Array.from(values)[Number(number) - 1]);
  return sql(Object.assign(pieces, { raw: pieces }), ...named);
}

const modes = { isolation: "read uncommitted", readOnly: true, deferrable: true } as const;
const first = sql`select 1 as first`;

/** How a statement can be sent, and how Neon's driver is told the same. */
const ways: Readonly<
  Record<string, readonly [run: (sample: Sample) => Promise<unknown>, mode?: object | undefined, samples?: typeof corpus]>
> = {
  "a query": [async ({ text, values }) => [await db.query(text, values)]],
  "a query that is read only": [
    async ({ text, values }) => [await db.query(text, values, { readOnly: true, rowMode: "array" })],
    { readOnly: true },
    corpus.slice(0, 20),
  ],
  "a batch": [(sample) => db.batch([first, asTemplate(sample)]), undefined, corpus.slice(0, 20)],
  "a batch with modes": [
    (sample) => db.batch([first, asTemplate(sample)], modes),
    { isolationLevel: "ReadUncommitted", readOnly: true, deferrable: true },
  ],
};

/** Texts that came, by the ids of their types. */
const seen = new Map<number, Set<string>>();

function remember(answer: string): void {
  const body = JSON.parse(answer);
  for (const { fields = [], rows = [] } of (body.results ?? [body]) as { fields: Field[]; rows: (string | null)[][] }[]) {
    for (const [index, { dataTypeID }] of fields.entries()) {
      const texts = seen.get(dataTypeID) ?? new Set();
      seen.set(dataTypeID, texts);
      for (const row of rows) if (typeof row[index] === "string") texts.add(row[index]);
    }
  }
}

describe.each(Object.entries(ways))("as Neon's driver: %s", (_, [run, mode, samples = corpus]) => {
  test.for(samples.map((sample) => [sample.text.slice(0, 80), sample] as const))("%s", async ([, sample]) => {
    posts.length = 0;
    const outcome = await run(sample).then(
      (results) => ({ results: results as Result[], error: undefined }),
      (error: unknown) => ({ results: [], error }),
    );
    const [post] = posts;
    // refused before anything is sent
    if (post === undefined) return expect(outcome.error).toBeDefined();
    remember(post.answer);
    const driver = await askDriver(post, mode);
    expect([post.url, Object.entries(post.headers), post.body]).toEqual([driver.url, Object.entries(driver.headers ?? {}), driver.body]);
    if (driver.error === undefined) expect(outcome.error instanceof DatabaseError).toBe(false);
    else {
      const { code, severity, schema, table, column, constraint, dataType, routine } = driver.error;
      const told = Object.fromEntries(
        Object.entries({ severity, schema, table, column, constraint, dataType, routine }).filter(([, value]) => value),
      );
      expect(outcome.error).toMatchObject({ sqlState: code, ...told });
    }
    const heads = (results: readonly Pick<Result, "fields" | "command" | "rowCount">[]) =>
      results.map(({ fields, command, rowCount }) => ({ fields, command: command || null, rowCount }));
    if (outcome.error === undefined) expect(heads(outcome.results)).toEqual(heads(driver.results as never).slice(-outcome.results.length));
  });
});

test("every value that came is read as pg reads it, and as Neon's driver does", () => {
  expect(seen.size).toBeGreaterThan(60);
  for (const [id, texts] of seen) {
    for (const text of texts) {
      const value = textParsers.getTypeParser(id)(text);
      expect([id, text, value]).toStrictEqual([id, text, pg.types.getTypeParser(id)(text)]);
      expect([id, text, value]).toEqual([id, text, driverTypes.getTypeParser(id)(text)]);
    }
  }
});

/** Has a parser of its own there, which gives the text. */
const INT8 = 20;

test("the types that are read are those which pg reads, and their names are pg's", () => {
  const [ours, pgs] = [textParsers, pg.types].map((types) =>
    Array.from({ length: 10_000 }, (_, id) => id).filter((id) => id !== INT8 && types.getTypeParser(id) !== types.getTypeParser(25)),
  );
  expect(ours).toEqual(pgs);
  expect(textParsers.builtins).toEqual({ ...pg.types.builtins });
});

test.each(["\\000\\001\\377\\\\x'\"", "plain", "", "\\x", "\\x00ff7f", "\\\\\\\\"])("reads bytes as pg does: %s", (text) => {
  expect(textParsers.getTypeParser(17)(text)).toStrictEqual(pg.types.getTypeParser(17)(text));
});

test("gives bytes as a Uint8Array where there is no Buffer", () => {
  const given = ["\\x00ff7f", "\\000\\377\\\\x", ""].map((text) => {
    vi.stubGlobal("Buffer", undefined);
    try {
      return textParsers.getTypeParser(17)(text);
    } finally {
      vi.stubGlobal("Buffer", buffer);
    }
  });
  expect(given).toStrictEqual([Uint8Array.of(0, 255, 127), Uint8Array.of(0, 255, 92, 120), new Uint8Array()]);
});
