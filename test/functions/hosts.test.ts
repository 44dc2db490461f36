import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningApp, serveApp } from "../../functions/node.ts";
import { heads, origins, spellings } from "../endpoint/spellings.ts";
import { sendRaw, statusesIn } from "../fuzz/raw-connection.ts";
import { createDemoDatabase, createTestApp, type DemoDatabase, orderOf } from "./demo-app.ts";

let demo: DemoDatabase;
let open: RunningApp;
let guarded: RunningApp;
beforeAll(async () => {
  demo = await createDemoDatabase();
  open = await serveApp({ db: demo.db, port: 0 });
  guarded = await serveApp({ db: demo.db, port: 0, token: "t0ken" });
});
afterAll(async () => {
  await open?.stop();
  await guarded?.stop();
  await demo?.stop();
});

type Way = readonly [title: string, method: string, path: string, status: number];
const ways: readonly Way[] = [
  ["a read", "GET", "health", 200],
  ["the statistics", "GET", "stats", 200],
  ["a path that is none", "GET", "nowhere", 404],
  ["a preflight", "OPTIONS", "orders", 404],
];

async function ask(lines: readonly string[], [, method, path]: Way, headers: readonly string[] = [], { url } = open) {
  const head = [`${method} ${lines[0]?.replace("/PATH", `/${path}`)}`, ...lines.slice(1), ...headers, "Connection: close"];
  const writes = [Buffer.from(`${head.join("\r\n")}\r\n\r\n`, "latin1")];
  const { text } = await sendRaw(Number(new URL(url).port), { writes, whole: true });
  return { status: statusesIn(text)[0], text };
}

const to = (host: string) => ["/PATH HTTP/1.1", `Host: ${host}`];

describe.each(ways)("%s without a token", (...way) => {
  const [, , , served] = way;

  it("is answered for this machine's own names, in every spelling, and for no other", async () => {
    // Hono's server reads only some of the spellings of an address, and refuses the others by itself
    const expected = (own: boolean) => (own ? [served, 400] : [403, 400]);
    for (const [host, own] of spellings) expect(expected(own), host).toContain((await ask(to(host), way)).status);
    for (const host of ["localhost:8787", "LOCALHOST", "127.0.0.1:8787", "[::1]:8787", "app.localhost"]) {
      expect((await ask(to(host), way)).status, host).toBe(served);
    }
    for (const host of ["example.com:8787", "localhost.example.com", "127.0.0.1.example.com", "0.0.0.0:8787"]) {
      expect((await ask(to(host), way)).status, host).toBe(403);
    }
  });

  it("is answered for the pages of this machine, in every spelling, and for no other's", async () => {
    for (const [host, own] of spellings) {
      expect((await ask(to("localhost"), way, [`Origin: http://${host}`])).status, host).toBe(own ? served : 403);
    }
  });

  it.each(heads)("with %s is answered: %s", async (_, own, lines) => {
    const { status } = await ask(lines, way);
    expect(own ? [served, 400] : [403, 400]).toContain(status);
  });

  it.each(origins)("with an Origin %s is answered: %s", async (_, own, lines) => {
    expect((await ask(to("localhost"), way, lines)).status).toBe(own ? served : 403);
  });
});

describe("a page whose name leads to this machine", () => {
  const order = (host: string, authorization: readonly string[] = [], { url } = open) => {
    const body = JSON.stringify(orderOf(1));
    const head = [
      "POST /orders HTTP/1.1",
      `Host: ${host}`,
      `Origin: http://${host}`,
      "Content-Type: application/json",
      "Idempotency-Key: rebound",
      `Content-Length: ${body.length}`,
      ...authorization,
      "Connection: close",
    ];
    return sendRaw(Number(new URL(url).port), { writes: [Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`)], whole: true });
  };

  it("orders nothing, and is told why in a problem with all of an answer's headers", async () => {
    const { text } = await order("shop.example:8787");
    expect(statusesIn(text)).toEqual([403]);
    expect(text).toContain('{"error":{"code":"FOREIGN_HOST"');
    expect(text).toMatch(/x-instance-id/i);
    expect(text).not.toMatch(/access-control|shop\.example/i);
    expect(await demo.ask("select 1 from orders")).toEqual([]);
  });

  it("needs the token where there is one, and nobody's name is asked then", async () => {
    expect(statusesIn((await order("shop.example", [], guarded)).text)).toEqual([401]);
    expect(statusesIn((await order("shop.example", ["Authorization: Bearer t0ken"], guarded)).text)).toEqual([201]);
  });
});

it("a platform that found the deployment by its name is not asked for it", async () => {
  const { request } = createTestApp(demo.db, { platform: "hosted" });
  for (const host of ["api.example.com", "abc.lambda-url.eu-central-1.on.aws", "demo.workers.dev"]) {
    expect((await request(`https://${host}/health`, { headers: { Host: host } })).status).toBe(200);
  }
});
