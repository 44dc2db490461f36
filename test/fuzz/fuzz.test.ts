import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PostgresServer, startPostgres } from "../support/postgres/server.ts";
import { createRandom } from "../support/random.ts";
import { fuzz, holds, holdsServer, judge, runFuzz, runServerFuzz } from "./run.ts";
import { type FuzzTarget, targetNames } from "./targets.ts";

const COUNT = 250;

describe("stands malformed requests, and answers a good one afterwards", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test.each(targetNames)("%s", { timeout: 180_000 }, async (target) => {
    const row = await runFuzz(target, server, { seed: 20_261_121, count: COUNT });
    expect(row).toMatchObject({ target, requests: COUNT, crashes: 0, serverErrors: 0, problems: [], wellAfter: true });
    expect(holds(row, COUNT)).toBe(true);
  });
});

test("the package stands a server that speaks wrongly", async () => {
  const row = await runServerFuzz({ seed: 20_261_125, count: 500 });
  expect(row).toMatchObject({ rounds: 500, hangs: 0, crashes: 0, foreign: 0, problems: [] });
  // all it can do has been done
  expect(Object.keys(row.misdeeds).length).toBeGreaterThan(40);
  expect(holdsServer(row, 500)).toBe(true);
});

test("the same seed makes the same cases", () => {
  const numbers = (seed: number) => Array.from({ length: 20 }, createRandom(seed).fraction);
  expect(numbers(1)).toEqual(numbers(1));
  expect(numbers(1)).not.toEqual(numbers(2));
});

describe("the fuzz tells", () => {
  const sent = { kind: "body", bytes: Buffer.alloc(0), whole: true };
  const answer = (status: number, body = "{}") => ({
    text: `HTTP/1.1 ${status} Words\r\nContent-Type: application/json\r\n\r\n${body}`,
    ended: true,
    connected: true,
  });
  test.each([
    ["nothing wrong", answer(400), undefined],
    ["an answer of 5xx", answer(500), "5xx"],
    ["one behind a good one", { ...answer(200), text: answer(200).text + answer(503).text }, "5xx"],
    ["a secret", answer(400, '{"message":"canary"}'), "secret shown"],
    ["a secret in base64", answer(400, `{"message":"${Buffer.from("canary").toString("base64")}"}`), "secret shown"],
    ["a connection that is not ended", { ...answer(200), ended: false }, "not ended"],
    ["a request without an answer", { text: "", ended: true, connected: true }, "no answer"],
    ["JSON that is none", answer(400, "{"), "not JSON"],
  ])("%s", (_, received, problem) => {
    expect(judge(sent, received, ["canary"])).toBe(problem);
  });

  test("a process that dies, its sockets first", async () => {
    const script = `
      let connections = 0;
      const s = require("net").createServer((c) => {
        c.on("error", () => {});
        if (++connections <= 9) return c.end("HTTP/1.1 400 No\\r\\n\\r\\n");
        c.destroy();
        s.close();
        setTimeout(() => process.exit(3), 300);
      });`;
    const child = spawn(process.execPath, ["-e", `${script} s.listen(0, "127.0.0.1", () => console.log(s.address().port));`]);
    const [port] = (await once(child.stdout, "data")) as [Buffer];
    const target: FuzzTarget = {
      port: Number(port.toString()),
      secrets: [],
      child,
      written: () => "",
      makeCase: () => ({ kind: "any", bytes: Buffer.from("GET / HTTP/1.1\r\n\r\n"), whole: true }),
      answersWell: async () => true,
      [Symbol.asyncDispose]: async () => {},
    };
    const row = { target: "demo" as const, ...(await fuzz(target, { seed: 1, count: 30 })) };
    expect(row).toMatchObject({ crashes: 1, wellAfter: false });
    expect(row.requests).toBeLessThan(30);
    expect(holds(row, 30)).toBe(false);
  });
});
