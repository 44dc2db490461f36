import { Agent, get } from "node:http";
import { createServer } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { createDatabase } from "warmline";
import { type RunningApp, ServeError, serveApp } from "../../functions/node.ts";
import { startWire } from "../support/wire.ts";
import { connect, createDemoDatabase, type DemoDatabase, orderOf } from "./demo-app.ts";
import { type DemoProcess, startDemoProcess } from "./demo-process.ts";

let demo: DemoDatabase;
const processes: DemoProcess[] = [];
const start = (env: Record<string, string>) => {
  const started = startDemoProcess(env);
  processes.push(started);
  return started;
};
beforeAll(async () => {
  demo = await createDemoDatabase();
});
afterEach(async () => {
  for (const { child, ended } of processes.splice(0)) {
    child.kill("SIGKILL");
    await ended;
  }
});
afterAll(() => demo?.stop());

/** The backends that wait for a lock. */
const blocked = "select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";

const order = (url: string, key: string) =>
  fetch(`${url}/orders`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": key },
    body: JSON.stringify(orderOf(1)),
  });
const refusesConnections = (url: string) =>
  fetch(`${url}/health`).then(
    () => false,
    () => true,
  );

describe("node functions/node.ts", () => {
  it.each(["SIGTERM", "SIGINT"] as const)(
    "on %s finishes the running request, refuses new ones, closes its pool and exits 0",
    async (signal) => {
      const { host, port } = inject("postgres");
      await using wire = await startWire({ host, port });
      const farewells: string[] = [];
      wire.onMessage(({ from, type }) => {
        if (from === "client" && type === "X") farewells.push(type);
      });
      const through = new URL(demo.url);
      through.port = String(wire.port);
      const { child, url, ended } = start({ DATABASE_URL: through.href });
      const base = await url;
      const blocker = await connect(demo.url);
      await blocker.query("begin");
      await blocker.query("select 1 from products where id = 1 for update");
      const running = order(base, signal);
      await expect.poll(() => demo.ask(blocked)).toHaveLength(1);

      child.kill(signal);
      await expect.poll(() => refusesConnections(base)).toBe(true);
      expect(child.exitCode).toBeNull();
      const [backend] = await demo.ask(blocked);
      await blocker.query("commit");
      await blocker.end();

      const answer = await running;
      expect(answer.status).toBe(201);
      expect(answer.headers.get("Connection")).toBe("close");
      await answer.text();
      expect(await ended).toMatchObject({ code: 0, stdout: "" });
      // A process that merely ends drops its connections without Postgres' Terminate.
      expect([wire.connections(), farewells]).toEqual([1, ["X"]]);
      await expect.poll(() => demo.ask("select 1 from pg_stat_activity where pid = $1", [backend?.pid])).toEqual([]);
      expect(await demo.ask("select 1 from orders where idempotency_key = $1", [signal])).toHaveLength(1);
    },
  );

  it("exits 0 on SIGTERM although a caller keeps an idle connection", async () => {
    const { child, url, ended } = start({ DATABASE_URL: demo.url });
    await (await fetch(`${await url}/products`)).text();
    child.kill("SIGTERM");
    expect((await ended).code).toBe(0);
  });

  it("says in one line that its port is in use, and exits 1", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const address = taken.address();
    const port = String(typeof address === "object" ? address?.port : "");
    const { code, stdout, stderr } = await start({ DATABASE_URL: demo.url, PORT: port }).ended;
    taken.close();
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: "",
      stderr: `Port ${port} of 127.0.0.1 is in use: set PORT to another, or end what listens there.\n`,
    });
  });

  it.each([
    ["a port that is none", { PORT: "80800" }, /^PORT is not a port number: .+\n$/],
    [
      "an address beyond this machine without a token",
      { HOST: "0.0.0.0" },
      /^Refusing to listen on 0\.0\.0\.0 without a token.+API_TOKEN.+\n$/,
    ],
    ["no database", { DATABASE_URL: "" }, /^.*DATABASE_URL.*\n$/],
  ])("refuses %s in one line, and exits 1", async (_title, env, line) => {
    const { code, stderr } = await start({ DATABASE_URL: demo.url, ...env } as Record<string, string>).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(line);
  });

  it("asks for API_TOKEN where it is set, and writes it nowhere", async () => {
    const { child, url, ended } = start({ DATABASE_URL: demo.url, API_TOKEN: "canary-token", HOST: "0.0.0.0" });
    const base = (await url).replace("0.0.0.0", "127.0.0.1");
    expect((await fetch(`${base}/stats`, { headers: { Connection: "close" } })).status).toBe(401);
    child.kill("SIGTERM");
    const { code, stderr } = await ended;
    expect(code).toBe(0);
    expect(stderr).not.toContain("canary-token");
  });
});

describe("serveApp", () => {
  const running: RunningApp[] = [];
  afterEach(async () => {
    for (const app of running.splice(0)) await app.stop();
  });
  const serve = async (options: Partial<Parameters<typeof serveApp>[0]> = {}) => {
    // what fetch keeps is not waited for
    const app = await serveApp({ db: demo.db, port: 0, drainMs: 100, ...options });
    running.push(app);
    return app;
  };

  it("refuses a body over the limit to a caller that is still sending, and serves the next", async () => {
    const { url } = await serve();
    const headers = { "Content-Type": "application/json", "Idempotency-Key": "huge" };
    const answer = await fetch(`${url}/orders`, { method: "POST", headers, body: " ".repeat(1_000_000) });
    expect(answer.status).toBe(413);
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  it("serves HEAD without a body", async () => {
    const answer = await fetch(`${(await serve()).url}/products`, { method: "HEAD" });
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
    expect(answer.headers.get("X-Connection-Id")).not.toBe("n/a");
  });

  it("refuses a port that is taken", async () => {
    const port = Number(new URL((await serve()).url).port);
    await expect(serve({ port })).rejects.toBeInstanceOf(ServeError);
  });

  it.each(["0.0.0.0", "::", "192.0.2.1", "127.0.0.1.example"])("refuses to listen on %s without a token", async (host) => {
    await expect(serve({ host })).rejects.toThrow(/without a token/);
  });

  it("answers when it is stopped what comes on a connection that was kept, and ends that with the answer", async () => {
    const app = await serveApp({ db: demo.db, port: 0 });
    const agent = new Agent({ keepAlive: true });
    const ask = () =>
      new Promise((resolve, reject) => {
        const asked = get(`${app.url}/health`, { agent }, (answer) => {
          answer.resume().once("end", () => resolve([answer.statusCode, answer.headers.connection, asked.reusedSocket]));
        }).once("error", reject);
      });
    expect(await ask()).toEqual([200, "keep-alive", false]);
    const stopped = app.stop();
    expect(await ask()).toEqual([200, "close", true]);
    await stopped;
  });

  it("cuts off what runs longer than it may when it is stopped", async () => {
    const db = createDatabase({ url: demo.url, name: "cut off" });
    const app = await serveApp({ db, port: 0, drainMs: 1 });
    const blocker = await connect(demo.url);
    await blocker.query("begin");
    await blocker.query("select 1 from products where id = 1 for update");
    const cut = order(app.url, "cut").catch((error: unknown) => error);
    await expect
      .poll(() => demo.ask("select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"))
      .toHaveLength(1);
    await app.stop();
    expect(await cut).toBeInstanceOf(TypeError);
    await blocker.query("rollback");
    await blocker.end();
    await db.close();
  });
});
