// A database call in every place where one can stand, with cache components, built as standalone and served by two processes.
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type InstalledExample, installExample } from "./installed-example.ts";
import { buildNext, type NextServer, startStandalone } from "./next-process.ts";
import { type Shop, type Shops, startShops } from "./shop.ts";
import { get } from "./visits.ts";

/** The package's ways to a database, and a bare `pg.Pool`. */
const ways = ["pool", "http", "shared", "pg"] as const;
const PROCESSES = 2;

let shops: Shops;
let example: InstalledExample;
let shop: Shop;
let built: string;
let server: NextServer;
let registered: number;

const marks = async (name: string) => Number(await shop.ask(`select count(*) from marks where name = '${name}'`));

beforeAll(async () => {
  [shops, example] = await Promise.all([startShops(), installExample()]);
  await example.standEverywhere(ways);
  shop = await shops.open("places");
  await shop.ask("create table marks (name text not null)");
  await shop.ask("insert into marks values ('seed'), ('seed')");
  built = await buildNext(example.folder, "turbopack", shop.env);
  registered = await marks("instrumentation");
  const standalone = join(example.folder, ".next/standalone");
  await cp(join(example.folder, "cluster.cjs"), join(standalone, "cluster.cjs"));
  server = await startStandalone(standalone, "cluster.cjs", shop.env);
});
afterAll(async () => {
  await server?.stop();
  await example?.remove();
  await shops?.stop();
});

/** What the table of the build says of each route of a way: how it is rendered, and for how long what is prerendered holds. */
function tableOf(way: string): readonly string[] {
  const rows = built.matchAll(new RegExp(`^[┌├└] (\\S) /${way}/(\\S+) *(.*?) *$`, "gmu"));
  return [...rows].map(([, sign, route, held]) => `${sign} ${route} ${held}`.replace(/\s+/g, " ").trim());
}

/** What a page shows, without the comments and the payload that React puts into it. */
async function shown(path: string, headers: Readonly<Record<string, string>> = {}): Promise<readonly string[]> {
  const response = await fetch(server.url + path, { headers });
  expect(response.status, path).toBe(200);
  expect(response.headers.get("x-instrumented"), path).toBe("true");
  return (await response.text()).match(/<(b|i|h1)>[^<]*<\/\1>/g) ?? [];
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const giveUpAt = Date.now() + 30_000; !(await holds()); await delay(100)) {
    if (Date.now() > giveUpAt) throw new Error(`${what}: not within 30 s.\n${server.output().slice(-2_000)}`);
  }
}

describe.each(ways)("over %s", (way) => {
  test("each route is prerendered as far as with pg.Pool", () => {
    expect(tableOf(way)).toEqual([
      "○ action",
      "ƒ after",
      "ƒ api",
      "ƒ blocking",
      "○ cached 1s 1h",
      "ƒ draft",
      "◐ mixed 15m 1y",
      "◐ suspense",
      "○ unstable-cache 1h 1y",
    ]);
  });

  test("server components answer, with and without Suspense, cached and not; a route handler does, and the proxy before each", async () => {
    expect(await shown(`/${way}/suspense`)).toEqual(["<h1>Shell</h1>", "<i>Asking</i>", "<b>2</b>"]);
    expect(await shown(`/${way}/blocking`)).toEqual(["<b>2</b>"]);
    expect((await shown(`/${way}/mixed`)).toSorted()).toEqual(["<b>2</b>", "<i>4</i>"]);
    expect(await shown(`/${way}/unstable-cache`)).toEqual(["<b>2</b>"]);
    expect(JSON.parse((await get(server, `/${way}/api`)).text)).toEqual({ count: 2 });
  });

  test("a server action writes, and what after() does is done", async () => {
    const page = (await get(server, `/${way}/action`)).text;
    const [, field] = /name="(\$ACTION_ID_\w+)"/.exec(page) ?? [];
    const body = new FormData();
    body.set(String(field), "");
    expect((await fetch(`${server.url}/${way}/action`, { method: "POST", body })).status).toBe(200);
    expect(await marks(`action ${way}`)).toBe(1);
    expect((await fetch(`${server.url}/${way}/after`, { method: "POST" })).status).toBe(200);
    await until("after()", async () => (await marks(`after ${way}`)) === 1);
  });

  test("what was cached is asked for again: at once in draft mode, and when its time is over", async () => {
    const before = await marks("fresh");
    await shop.ask("insert into marks values ('fresh')");
    const drafting = await fetch(`${server.url}/${way}/draft`, { method: "POST" });
    const cookie = drafting.headers.getSetCookie().map((text) => text.split(";")[0]);
    expect(await shown(`/${way}/cached`, { cookie: cookie.join("; ") })).toEqual([`<b>${before + 1}</b>`]);
    await until("revalidation", async () => (await shown(`/${way}/cached`))[0] === `<b>${before + 1}</b>`);
  });
});

test("instrumentation.ts asks once in each process, and each has the connections of one pool", async () => {
  expect((await marks("instrumentation")) - registered).toBe(PROCESSES);
  await Promise.all(Array.from({ length: 100 }, (_, turn) => get(server, turn % 2 === 0 ? "/pool/api" : "/shared/api")));
  const backends = Number(await shop.ask("select count(*) from pg_stat_activity where application_name = 'places'"));
  // of two each
  expect(backends).toBeGreaterThan(0);
  expect(backends).toBeLessThanOrEqual(2 * PROCESSES);
  expect(server.output()).not.toContain("unstable value");
});
