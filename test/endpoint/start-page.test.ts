import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { neonConfig } from "@neondatabase/serverless";
import { afterAll, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { guidesFor } from "../../src/endpoint/guides.ts";
import { useEndpoint } from "./local-endpoint.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const { running } = useEndpoint();
const guarded = useEndpoint({ token: "open sesame" });

const get = (accept: string, headers: Readonly<Record<string, string>> = {}) =>
  fetch(running().url, { headers: { Accept: accept, ...headers } });

describe("GET /", () => {
  test("is a page for a browser", async () => {
    const response = await get("text/html,application/xhtml+xml,*/*;q=0.8");
    const page = await response.text();
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(page).toContain(`neonConfig.fetchEndpoint = &quot;${running().url}/sql&quot;;`);
    // it loads nothing, so no request of its own is refused and logged
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(page).not.toMatch(/<script|src=|href="(?!data:,)/);
    expect(page.length).toBeLessThan(8_000);
  });

  test("is the same as plain text for everybody else, and without a body for HEAD", async () => {
    const response = await get("*/*");
    const page = await response.text();
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/plain; charset=utf-8"]);
    for (const { title, code } of guidesFor(running().url)) for (const words of [title, ...code]) expect(page).toContain(words);
    const head = await fetch(running().url, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, `${Buffer.byteLength(page)}`, ""]);
  });

  test("says nothing of the server behind it", async () => {
    const server = new URL(inject("postgres").url);
    for (const accept of ["text/html", "text/plain"]) {
      const page = await (await get(accept)).text();
      for (const piece of [server.password, server.host, server.port]) expect(page).not.toContain(piece);
    }
  });

  test("names the address it was asked by", async () => {
    const page = await (await fetch(running().url.replace("127.0.0.1", "localhost"))).text();
    expect(page).toContain(`"http://localhost:${running().port}/sql"`);
  });

  test("with a token is for whoever has it, and shows no host that is none", async () => {
    const { url } = guarded.running();
    expect((await fetch(url)).status).toBe(401);
    const { request } = await import("node:http");
    const page = await new Promise<string>((resolve) => {
      request(url, { headers: { Host: '"<script>', Authorization: "Bearer open sesame", Accept: "text/html" } }, (response) => {
        response.setEncoding("utf8").on("data", resolve);
      }).end();
    });
    expect(page).toContain(url);
    expect(page).not.toContain("script");
  });
});

describe("the lines it shows", () => {
  let folder: string;
  const { fetchEndpoint } = neonConfig;

  beforeAll(async () => {
    folder = await mkdtemp(join(ROOT, "test/endpoint/.lines-"));
    vi.stubEnv("DATABASE_URL", inject("postgres").url);
    vi.stubEnv("WARMLINE_ENDPOINT", running().url);
  });
  afterAll(async () => {
    neonConfig.fetchEndpoint = fetchEndpoint;
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  });

  /** Imports a file of these lines, as they stand on the page, and whatever follows. */
  async function importLines(name: string, lines: readonly string[]): Promise<Record<string, never>> {
    const file = join(folder, `${name}.mjs`);
    await writeFile(file, lines.join("\n\n"));
    return import(/* @vite-ignore */ file);
  }
  const guide = (title: string) => guidesFor(running().url).find((each) => each.title === title)?.code ?? [];

  test("point Neon's driver at it, over HTTP and over WebSocket", async () => {
    const { answers } = await importLines("neon", [
      ...guide("Neon's driver"),
      `import { Client } from "@neondatabase/serverless";
const client = new Client(process.env.DATABASE_URL);
await client.connect();
export const answers = [await sql\`select \${1}::int as n\`, (await pool.query("select 2 as n")).rows, (await client.query("select 3 as n")).rows];
await Promise.all([client.end(), pool.end()]);`,
    ]);
    expect(answers).toEqual([[{ n: 1 }], [{ n: 2 }], [{ n: 3 }]]);
  });

  test.each([
    ["neon-http", 0, 1],
    ["neon-serverless", 1, 0],
    ["warmline", 2, 1],
  ])("point Drizzle at it, over %s", async (name, index, posts) => {
    const { requests } = running();
    const isOurs = name === "warmline";
    // where there are sockets it has to be told, as the page says
    const own = guide("Drizzle")[index]?.replace("createDatabase()", 'createDatabase({ transport: "http" })') ?? "";
    const { rows } = await importLines(name, [
      ...(isOurs ? [] : guide("Neon's driver")),
      own,
      `export const { rows } = await db.execute("select 1 as n"); await ${isOurs ? "db.$client.close" : "pool.end"}();`,
    ]);
    expect([rows, running().requests - requests]).toEqual([[{ n: 1 }], posts]);
  });
});

test("docs/endpoint.md repeats them", async () => {
  const page = await readFile(join(ROOT, "docs/endpoint.md"), "utf8");
  for (const { code } of guidesFor("http://127.0.0.1:4444")) for (const lines of code) expect(page).toContain(lines);
});
