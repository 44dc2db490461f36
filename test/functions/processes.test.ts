import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { connect, createDemoDatabase, type DemoDatabase } from "./demo-app.ts";
import { type DemoProcess, startDemoProcess } from "./demo-process.ts";

let demo: DemoDatabase;
const started: DemoProcess[] = [];
const start = (env: Record<string, string>) => {
  const one = startDemoProcess({ DATABASE_URL: demo.url, ...env });
  started.push(one);
  return one;
};
let own: number;
beforeAll(async () => {
  demo = await createDemoDatabase();
  own = (await backends()).length;
});
afterEach(async () => {
  for (const { child, ended } of started.splice(0)) {
    child.kill("SIGKILL");
    await ended;
  }
});
afterAll(() => demo?.stop());

/** Each asks with a connection of its own, so any process may answer. */
const ask = async (base: string) => {
  const answer = await fetch(`${base}/products`, { headers: { Connection: "close" } });
  await answer.text();
  return { status: answer.status, instance: answer.headers.get("X-Instance-Id") ?? "" };
};
/** The processes that answer, asked until `wanted` are seen: the kernel gives a connection to whoever is free. */
const instances = async (base: string, wanted: number) => {
  const seen = new Set<string>();
  for (let round = 0; round < 30 && seen.size < wanted; round += 1) {
    for (const { instance } of await Promise.all(Array.from({ length: 40 }, () => ask(base)))) seen.add(instance);
  }
  return seen;
};
const backends = () =>
  demo.ask(
    "select pid from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()",
  );
/** The processes a process has started. */
const childrenOf = async (pid: number | undefined) =>
  (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).trim().split(" ").filter(Boolean).map(Number);
/** How often a process has written this so far. */
const written = (child: ChildProcess, pattern: RegExp) => {
  let text = "";
  child.stderr?.on("data", (chunk: string) => {
    text += chunk;
  });
  return () => text.match(pattern)?.length ?? 0;
};

describe("PROCESSES", () => {
  it("answers on one port from several processes, within the connections one process would hold", async () => {
    const { child, url, ended } = start({ PROCESSES: "3" });
    const base = await url;
    expect(await childrenOf(child.pid)).toHaveLength(3);
    expect((await instances(base, 2)).size).toBeGreaterThan(1);
    const held = (await backends()).length - own;
    expect(held).toBeGreaterThan(1);
    expect(held).toBeLessThanOrEqual(10);
    child.kill("SIGTERM");
    const { code, stdout, stderr } = await ended;
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: "",
      stderr: `Listening on ${base}, 3 processes, 10 connections among them, writes open to this machine, for API_TOKEN is not set.\n`,
    });
    await expect.poll(() => backends()).toHaveLength(own);
  });

  it("divides what the URL allows", async () => {
    const url = new URL(demo.url);
    url.searchParams.set("connection_limit", "2");
    const base = await start({ PROCESSES: "2", DATABASE_URL: url.href }).url;
    expect((await instances(base, 2)).size).toBe(2);
    expect(await backends()).toHaveLength(own + 2);
  });

  it.each([
    ["SIGTERM", 0],
    // what a killed process had accepted is reset: a caller's one request
    ["SIGKILL", 18],
  ] as const)("answers every request while its processes get %s one by one, and replaces them", async (signal, mostReset) => {
    const { child, url } = start({ PROCESSES: "3" });
    const replaced = written(child, /The other listens\./g);
    const base = await url;
    const before = await instances(base, 3);
    let isOver = false;
    let resets = 0;
    const answers: number[] = [];
    const caller = async () => {
      while (!isOver) {
        // as any client does with a read
        const again = () => {
          resets += 1;
          return ask(base);
        };
        answers.push((await ask(base).catch(again)).status);
      }
    };
    const callers = Array.from({ length: 6 }, caller);
    try {
      for (const [index, pid] of (await childrenOf(child.pid)).entries()) {
        process.kill(pid, signal);
        await expect.poll(() => replaced()).toBe(index + 1);
      }
    } finally {
      isOver = true;
      await Promise.all(callers);
    }
    expect(new Set(answers)).toEqual(new Set([200]));
    expect(resets).toBeLessThanOrEqual(mostReset);
    expect([...(await instances(base, 3))].filter((instance) => before.has(instance))).toEqual([]);
  });

  it("answers on the same port, though it was chosen freely, after all processes were killed at once", async () => {
    const { child, url } = start({ PROCESSES: "2", HOST: "::1" });
    const replaced = written(child, /The other listens\./g);
    const base = await url;
    expect(base).toMatch(/^http:\/\/\[::1\]:\d+$/);
    for (const pid of await childrenOf(child.pid)) process.kill(pid, "SIGKILL");
    await expect.poll(() => replaced()).toBe(2);
    expect((await ask(base)).status).toBe(200);
  });

  it("waits longer and longer for one that ends as soon as it listens", async () => {
    const { child, url } = start({ PROCESSES: "2" });
    const replaced = written(child, /The other listens\./g);
    let text = "";
    child.stderr?.on("data", (chunk: string) => {
      text += chunk;
    });
    await url;
    const [other] = await childrenOf(child.pid);
    for (let round = 1; round <= 4; round += 1) {
      const last = (await childrenOf(child.pid)).find((pid) => pid !== other);
      process.kill(last as number, "SIGKILL");
      await expect.poll(() => replaced(), { interval: 10 }).toBe(round);
    }
    const pauses = [...text.matchAll(/another is started in (\d+) ms/g)].map(([, ms]) => Number(ms));
    expect(pauses.slice(-3)).toEqual(pauses.length === 4 ? [200, 400, 800] : [100, 200, 400]);
  });

  it.each([
    ["ENOENT", (program: string, away: string) => rename(program, away)],
    // of which Node tells by throwing, and not by an event
    [
      "ENOTDIR",
      async (program: string, away: string) => {
        await rename(program, away);
        await rm(dirname(program), { recursive: true });
        await writeFile(dirname(program), "");
      },
    ],
  ])("goes on with those it has while no other can be started, and says why: %s", async (code, takeAway) => {
    const folder = await mkdtemp(join(tmpdir(), "node-"));
    const [program, away] = [join(folder, "bin", "node"), join(folder, "away")];
    await mkdir(dirname(program));
    await copyFile(process.execPath, program);
    const one = startDemoProcess({ DATABASE_URL: demo.url, PROCESSES: "2" }, program);
    started.push(one);
    const base = await one.url;
    const refused = written(one.child, new RegExp(`A process could not be started \\(${code}\\); another is started in \\d+ ms\\.`, "g"));
    const replaced = written(one.child, /The other listens\./g);
    await takeAway(program, away);
    const [first] = await childrenOf(one.child.pid);
    process.kill(first as number, "SIGKILL");
    await expect.poll(() => refused()).toBeGreaterThan(1);
    expect((await ask(base)).status).toBe(200);
    await rm(dirname(program), { recursive: true });
    await mkdir(dirname(program));
    await rename(away, program);
    await expect.poll(() => replaced()).toBe(1);
    one.child.kill("SIGTERM");
    expect((await one.ended).code).toBe(0);
    await rm(folder, { recursive: true });
  });

  it("says in one line that not even the first can be started, and exits 1", async () => {
    const folder = await mkdtemp(join(tmpdir(), "node-"));
    const program = join(folder, "node");
    await copyFile(process.execPath, program);
    const one = startDemoProcess({ DATABASE_URL: demo.url, PROCESSES: "2" }, program);
    started.push(one);
    await once(one.child, "spawn");
    await rm(folder, { recursive: true });
    expect(await one.ended).toEqual({ code: 1, stdout: "", stderr: "A process could not be started (ENOENT).\n" });
  });

  it("ends in order when all are told at once, as by an init, as soon as it says that it listens", async () => {
    const { child, url, ended } = start({ PROCESSES: "2" });
    await url;
    child.kill("SIGTERM");
    for (const pid of await childrenOf(child.pid)) process.kill(pid, "SIGTERM");
    const { code, stderr } = await ended;
    expect({ code, lines: stderr.trim().split("\n").length }).toEqual({ code: 0, lines: 1 });
  });

  it("ends in its time though a statement hangs", async () => {
    const { child, url, ended } = start({ PROCESSES: "2" });
    const base = await url;
    const beside = await connect(demo.url);
    await beside.query("begin; lock table products in access exclusive mode");
    const asked = ask(base).catch(() => "cut off");
    const waiting = "select from pg_locks where not granted";
    await expect.poll(async () => (await demo.ask(waiting)).length).toBeGreaterThan(0);
    child.kill("SIGTERM");
    const hung = new Promise((_, reject) => {
      setTimeout(() => reject(new Error("it did not end")), 20_000).unref();
    });
    expect(await Promise.race([ended, hung])).toMatchObject({ code: 0 });
    expect(await asked).toBe("cut off");
    await beside.end();
  });

  it("says in one line that its port is in use, and exits 1", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const address = taken.address();
    const port = String(typeof address === "object" ? address?.port : "");
    const { code, stdout, stderr } = await start({ PROCESSES: "4", PORT: port }).ended;
    taken.close();
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: "",
      stderr: `Port ${port} of 127.0.0.1 is in use: set PORT to another, or end what listens there.\n`,
    });
  });

  it("takes the rest with it when the one that started them is killed", async () => {
    const { child, url, ended } = start({ PROCESSES: "2" });
    await url;
    const others = await childrenOf(child.pid);
    child.kill("SIGKILL");
    await ended;
    const isAlive = (pid: number) => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    await expect.poll(() => others.filter(isAlive)).toEqual([]);
  });

  it.each([
    ["more processes than connections", { PROCESSES: "11" }, /^PROCESSES is 11, and the pool holds 10 connections in all: .+\n$/],
    ["what is no number", { PROCESSES: "auto" }, /^PROCESSES is not a number of processes: .+\n$/],
    ["none", { PROCESSES: "0" }, /^PROCESSES is not a number of processes: .+\n$/],
    ["no database", { PROCESSES: "2", DATABASE_URL: "" }, /^.*DATABASE_URL.*\n$/],
  ])("refuses %s in one line, and exits 1", async (_title, env, line) => {
    const { code, stderr } = await start(env as Record<string, string>).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(line);
  });
});
