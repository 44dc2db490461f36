import { mkdir } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startChromium } from "../support/chromium.ts";
import { leaveEarly, readSlowly } from "../support/slow-reader.ts";
import { startWire } from "../support/wire.ts";
import { edgeSources, serverSources } from "./bundle-sources.ts";
import { type InstalledExample, installExample, type Variant } from "./installed-example.ts";
import { type Bundler, buildNext, type NextServer, startNext } from "./next-process.ts";
import { type Shop, type Shops, startShops } from "./shop.ts";
import { failingPaths, get, paths, visit } from "./visits.ts";

const began = Date.now();
const tell = (words: string) => console.info(`[${Math.round((Date.now() - began) / 1000)} s] ${words}`);

let shops: Shops;
let example: InstalledExample;

beforeAll(async () => {
  tell("packing the package, installing the example, starting Postgres and the endpoint");
  [shops, example] = await Promise.all([startShops(), installExample()]);
  tell("installed");
});
afterAll(async () => {
  await example?.remove();
  await shops?.stop();
});

const REQUESTS = 200;
/** 50 MB: more than what lies between processes on one machine can hold. */
const EXPORTED = 600_000;
const EDITS = 20;
/** Between two edits, as between two of a person. */
const PAUSE_MS = 500;

interface Developed {
  /** The most backends there were. */
  readonly most: number;
  /** What the server printed at last, when it was asked for the routes that fail. */
  readonly failures: string;
}

/** Edits the database file under a development server, and asks for everything after each edit, and for the routes that fail at the end. */
async function developing(bundler: Bundler, variant: Variant): Promise<Developed> {
  await example.become(variant, { max: 5 });
  await example.edit(0);
  const shop = await shops.open(`${bundler} dev ${variant}`);
  const server = await startNext(example.folder, ["dev", `--${bundler}`], shop.env);
  let most = 0;
  try {
    await visit(server, paths.length);
    for (let edit = 1; edit <= EDITS; edit++) {
      await delay(PAUSE_MS);
      await example.edit(edit);
      await untilServed(server, edit);
      most = Math.max(most, await shop.backends());
    }
    const before = server.output().length;
    for (const path of failingPaths) await get(server, path);
    return { most, failures: server.output().slice(before) };
  } finally {
    await server.stop();
  }
}

/** Turbopack may miss a change that comes right behind another, or while it answers: so it is saved again every two seconds. */
async function untilServed(server: NextServer, edit: number): Promise<void> {
  const began = Date.now();
  for (let saved = began; !(await isServed(server, edit)); await delay(250)) {
    if (Date.now() - began > 60_000) throw new Error(`Edit ${edit} was not served:\n${server.output().slice(-2_000)}`);
    if (Date.now() - saved < 2_000) continue;
    await example.edit(edit);
    saved = Date.now();
  }
}

/** Whether the route sees the edit, and everything answers. */
async function isServed(server: NextServer, edit: number): Promise<boolean> {
  const { status, text } = await get(server, "/api/edit");
  if (status !== 200 || JSON.parse(text).edit !== edit) return false;
  const answers = await Promise.all(paths.map((path) => get(server, path)));
  return answers.every((answer) => answer.status === 200);
}

/** Builds without a database, starts with one, and uses the server. */
async function serving<T>(
  { bundler, variant, max, name }: { readonly bundler: Bundler; readonly variant: Variant; readonly max: number; readonly name: string },
  use: (server: NextServer, shop: Shop) => Promise<T>,
): Promise<T> {
  await example.become(variant, { max });
  tell(`${bundler}, ${variant}: next build`);
  await buildNext(example.folder, bundler);
  const shop = await shops.open(name);
  const server = await startNext(example.folder, ["start"], shop.env);
  try {
    return await use(server, shop);
  } finally {
    await server.stop();
  }
}

describe.each<Bundler>(["turbopack", "webpack"])("built with %s", (bundler) => {
  describe("as published", () => {
    let server: NextServer;
    let shop: Shop;

    beforeAll(async () => {
      // one connection, so that every pool is one session
      await example.become("published", { max: 1 });
      tell(`${bundler}, published: next build without a DATABASE_URL`);
      await buildNext(example.folder, bundler);
      shop = await shops.open(`${bundler} published`);
      server = await startNext(example.folder, ["start"], shop.env);
      tell(`${bundler}, published: next start`);
    });
    afterAll(() => server?.stop());

    test(`${REQUESTS} requests to the proxy, two routes and the page make one pool, as the server counts it`, async () => {
      expect(await visit(server, REQUESTS)).toEqual({ 200: REQUESTS });
      const { pool } = JSON.parse((await get(server, "/api/products")).text);
      const sessions = await shop.sessions();
      tell(`${bundler}, published: ${sessions} session, as the server counts; ${pool.reuses} reuses`);
      // the pool that one of the routes knows opened every session there ever was
      expect(pool.connects).toBe(sessions);
      expect(sessions - pool.discarded).toBe(1);
    });

    test("the route on the edge runtime answers over HTTP", async () => {
      const { status, text } = await get(server, "/api/edge");
      expect([status, JSON.parse(text)]).toEqual([
        200,
        { runtime: "edge-light", transport: "http", products: expect.arrayContaining([expect.objectContaining({ name: "Linen cloth" })]) },
      ]);
    });

    test("nothing of pg, of the pool or of Node's entry is in the edge route", async () => {
      const edge = await edgeSources(example.folder, "/api/edge/route");
      const poolFiles = /node_modules\/(pg|pg-[a-z]+|drizzle-orm)\/|warmline\/(src|dist)\/(entry\/(node|pool)|transports\/pool\/|aws\/)/;
      expect(edge).toContainEqual(expect.stringMatching(/warmline\/(src|dist)\/entry\/edge\.[jt]s$/));
      expect(edge.filter((source) => poolFiles.test(source))).toEqual([]);
      // the same reading finds them where they are
      expect((await serverSources(example.folder)).filter((source) => poolFiles.test(source))).not.toEqual([]);
      tell(`${bundler}: ${edge.length} source files in the edge route, none of them pg's`);
    });

    test("the page takes an order in a browser, and shows no secret", async () => {
      await using browser = await startChromium();
      const page = await browser.newPage({ viewport: { width: 1180, height: 900 }, colorScheme: "light" });
      const complaints: string[] = [];
      page.on("pageerror", (error) => complaints.push(error.message));
      await page.goto(server.url);
      const card = page.getByRole("listitem").filter({ hasText: "Tea bowl" });
      await card.getByRole("button", { name: "Order" }).click();
      await card.getByRole("status").filter({ hasText: "Tea bowl is yours." }).waitFor();
      await page.locator(".orders").getByText("Tea bowl").waitFor();
      await card.getByText("17 left").waitFor();
      await mkdir("test-artifacts", { recursive: true });
      await page.screenshot({ path: `test-artifacts/next-${bundler}.png`, fullPage: true });
      const shown = (await page.content()) + (await page.locator("body").innerText());
      expect(shown).toContain("One pool");
      for (const secret of [shop.password, "postgres://", "postgresql://", shop.env.WARMLINE_ENDPOINT]) expect(shown).not.toContain(secret);
      expect(complaints).toEqual([]);
      expect(await shop.ask("select string_agg(product_id || ' × ' || quantity, ', ') from orders")).toBe("3 × 1");
      expect(await shop.ask("select stock from products where id = 3")).toBe(17);
    });

    test("the export fetches no more orders than its reader takes, and ends when it goes away", async () => {
      await shop.ask(`insert into orders (product_id, quantity) select 2, 1 from generate_series(1, ${EXPORTED})`);
      await using wire = await startWire({ host: "127.0.0.1", port: Number(new URL(shop.env.DATABASE_URL).port) });
      const through = new URL(shop.env.DATABASE_URL);
      through.port = String(wire.port);
      const own = await startNext(example.folder, ["start"], { ...shop.env, DATABASE_URL: through.href });
      try {
        const { batchesWhileStopped, lines, ...seen } = await readSlowly(`${own.url}/api/export`, wire);
        tell(`${bundler}: ${batchesWhileStopped} of ${EXPORTED / 500} batches while the export's reader stood still`);
        expect(seen).toEqual({ status: 200, contentType: "application/x-ndjson" });
        expect(lines).toBeGreaterThanOrEqual(EXPORTED);
        expect(batchesWhileStopped).toBeLessThan(EXPORTED / 1_000);
        await leaveEarly(`${own.url}/api/export`);
        // its pool has one connection
        expect((await get(own, "/api/products")).status).toBe(200);
      } finally {
        await own.stop();
        await shop.ask("delete from orders where product_id = 2");
      }
    });

    test("a database in a client component is refused at once, and the error says why", async () => {
      await using browser = await startChromium();
      const page = await browser.newPage();
      await page.goto(`${server.url}/browser`);
      const said = page.locator("#said").filter({ hasNotText: "nothing yet" });
      await said.waitFor();
      expect(await said.innerText()).toMatch(
        /^ConfigError BROWSER: A browser must not hold the address of a database\. .*server component/,
      );
    });

    test.each([
      ["without DATABASE_URL", {}, "MISSING_SETTING"],
      ["with a DATABASE_URL that is wrong", { DATABASE_URL: "postgres://someone:canary-7Q@127.0.0.1:port/shop" }, "INVALID_SETTING"],
    ])("%s a request fails with 500 and a ConfigError in the log, and neither shows a secret", async (_, env, code) => {
      const lost = await startNext(example.folder, ["start"], env);
      try {
        for (const path of [...paths, "/api/edge"]) {
          const { status, text } = await get(lost, path);
          expect(status, path).toBe(500);
          expect(text, path).not.toMatch(/canary-7Q|postgres:\/\//);
        }
        expect(lost.output()).toContain("ConfigError");
        expect(lost.output()).toContain(code);
        expect(lost.output()).not.toContain("canary-7Q");
      } finally {
        await lost.stop();
      }
    });
  });

  test("in serverExternalPackages it makes one pool, too", async () => {
    await serving({ bundler, variant: "external", max: 1, name: `${bundler} external` }, async (server, shop) => {
      expect(await visit(server, REQUESTS)).toEqual({ 200: REQUESTS });
      const { pool } = JSON.parse((await get(server, "/api/products")).text);
      const sessions = await shop.sessions();
      tell(`${bundler}, external: ${sessions} session`);
      expect(pool.connects).toBe(sessions);
      expect(sessions - pool.discarded).toBe(1);
    });
  });

  test("for comparison: the same app with a pg.Pool at module level", async () => {
    await serving({ bundler, variant: "module-level", max: 1, name: `${bundler} module-level` }, async (server, shop) => {
      expect(await visit(server, REQUESTS)).toEqual({ 200: REQUESTS });
      tell(`${bundler}, module-level pg.Pool: ${await shop.sessions()} pools of one session each`);
    });
  });

  test(`${EDITS} edits of the database file in development leave at most the pool's five backends, and an error shows the line that asked`, async () => {
    const { most, failures } = await developing(bundler, "published");
    tell(`${bundler}, next dev, ${EDITS} edits: ${most} backends at most`);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(5);
    for (const path of failingPaths) {
      expect(failures).toMatch(new RegExp(`relation "shelf" does not exist\\n +at async GET \\(app${path}/route\\.ts:\\d+:\\d+\\)\\n`));
    }
    expect(failures).toMatch(/^> +\d+ \| .*await db\.query\("select name/m);
  });

  test("for comparison: the same edits with a pg.Pool at module level", async () => {
    const { most } = await developing(bundler, "module-level");
    tell(`${bundler}, next dev, ${EDITS} edits, module-level pg.Pool: ${most} backends at most`);
  });
});
