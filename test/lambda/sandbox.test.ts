import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { bundleHandler } from "./bundle-handler.ts";
import type { Environment } from "./environment.ts";
import { CRASHES_AFTER_MS } from "./handlers/crash.ts";
import type { Errand, Look } from "./handlers/errand.ts";
import type { PoolReply } from "./handlers/pool.ts";
import type { StreamErrand } from "./handlers/streaming.ts";
import { startNetwork } from "./network.ts";
import { maxReplyBytes } from "./reply.ts";
import { type SandboxOptions, startSandbox } from "./sandbox.ts";

const postgres = inject("postgres");
let folder: string;
let errands: string;
let pools: string;
let streams: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "warmline-handlers-"));
  const bundle = async (name: string) => {
    return await bundleHandler(fileURLToPath(new URL(`./handlers/${name}.ts`, import.meta.url)), join(folder, name));
  };
  [errands, pools, streams] = await Promise.all([bundle("errand"), bundle("pool"), bundle("streaming")]);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function open(handler: string, options: Omit<SandboxOptions, "handler"> = {}): Promise<Environment> {
  const sandbox = await startSandbox({ timeoutMs: 60_000, ...options, handler });
  onTestFinished(sandbox.stop);
  return await sandbox.environment();
}

async function send<Value = unknown>(environment: Environment, errand: Errand, deadlineMs = 60_000) {
  return await environment.invoke<Value>(errand, { deadlineMs });
}

async function lookFrom(environment: Environment, deadlineMs = 60_000): Promise<Look> {
  const { value, error } = await send<Look>(environment, { do: "look" }, deadlineMs);
  if (value === undefined) throw new Error(error?.errorMessage);
  return value;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > giveUpAt) throw new Error("What was waited for did not come.");
    await delay(5);
  }
}

describe("an environment", () => {
  test("runs a built handler in one process, which AWS's runtime client calls again and again", async () => {
    const environment = await open(errands);
    expect(environment.pid).toBeUndefined();
    const first = await send<Look>(environment, { do: "look" });
    const second = await send<Look>(environment, { do: "look" });
    expect([first.coldStart, second.coldStart]).toEqual([true, false]);
    expect([first.value?.invocations, second.value?.invocations]).toEqual([1, 2]);
    expect(first.value?.requestId).toBe(first.requestId);
    expect([first.value?.pid, second.value?.pid]).toEqual([environment.pid, environment.pid]);
    expect([environment.inits, environment.deaths]).toEqual([1, []]);
    expect(environment.initMs).toBeGreaterThan(0);
  });

  test("gives the function the platform's variables, its own, and none of the tests'", async () => {
    process.env.OF_THE_TESTS = "secret";
    const { env } = await lookFrom(await open(errands, { env: { OWN: "1", AWS_REGION: "us-east-2" }, memoryMb: 1024 }));
    expect(env).toMatchObject({
      OWN: "1",
      AWS_REGION: "us-east-2",
      AWS_LAMBDA_FUNCTION_NAME: "warmline-test",
      AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "1024",
      AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
      AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
      LAMBDA_TASK_ROOT: join(folder, "errand"),
      _HANDLER: "index.handler",
      TZ: ":UTC",
    });
    expect(env.AWS_LAMBDA_RUNTIME_API).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(Object.keys(env)).not.toContain("OF_THE_TESTS");
    expect(Object.keys(env)).not.toContain("AWS_LAMBDA_MAX_CONCURRENCY");
  });

  test("stands still between invocations: a timer of 5 ms does not run in a second", async () => {
    const environment = await open(errands);
    await send(environment, { do: "count-ticks" });
    const timed = async () => {
      const startedAt = performance.now();
      const { value: ticks } = await send<number>(environment, { do: "count-ticks" });
      return { ticks: ticks ?? Number.POSITIVE_INFINITY, ms: performance.now() - startedAt };
    };
    const before = await timed();
    await environment.freezeFor({ realMs: 1_000 });
    const after = await timed();
    // Awake it would have ticked 200 times more; it may while the events come and go.
    expect(after.ticks - before.ticks).toBeLessThan((before.ms + after.ms) / 5 + 60);
  });

  test("is awake for a while before the event comes, where that is asked for", async () => {
    const environment = await open(errands);
    await send(environment, { do: "count-ticks" });
    const before = (await send<number>(environment, { do: "count-ticks" })).value ?? 0;
    const after = (await environment.invoke<number>({ do: "count-ticks" }, { awakeMs: 600 })).value ?? 0;
    expect(after - before).toBeGreaterThan(15);
  });

  test.runIf(process.platform === "linux")("has no running thread when an invocation has resolved", async () => {
    const environment = await open(errands);
    const states = async () => {
      const tasks = `/proc/${environment.pid}/task`;
      const stats = await Promise.all((await readdir(tasks)).map((task) => readFile(join(tasks, task, "stat"), "utf8")));
      return [...new Set(stats.map((stat) => stat.slice(stat.lastIndexOf(")") + 2)[0]))];
    };
    for (let round = 0; round < 3; round += 1) {
      await send(environment, { do: "look" });
      expect(await states()).toEqual(["T"]);
    }
    const hanging = send(environment, { do: "hang" });
    await until(async () => !(await states()).includes("T"));
    await environment.stop();
    expect((await hanging).error?.errorType).toBe("Runtime.ExitError");
  });

  test("has a wall clock that jumps over a pause nobody waits for, while its monotonic clock does not", async () => {
    const environment = await open(errands);
    const startedAt = performance.now();
    const before = await lookFrom(environment);
    await environment.freezeFor({ wallClockMs: 300_000 });
    await environment.freezeFor({ wallClockMs: 45_000 });
    const after = await lookFrom(environment, 7_000);
    const tookMs = performance.now() - startedAt;
    expect(after.now - before.now).toBeGreaterThanOrEqual(345_000);
    expect(after.now - before.now).toBeLessThan(345_000 + tookMs + 50);
    expect(after.monotonicMs - before.monotonicMs).toBeLessThan(tookMs + 50);
    expect(Math.abs(Date.parse(after.date) - after.now)).toBeLessThan(10_000);
    expect(Math.abs(Date.parse(after.written) - after.now)).toBeLessThan(10_000);
    // The deadline is told by the same clock.
    expect(after.remainingMs).toBeGreaterThan(0);
    expect(after.remainingMs).toBeLessThanOrEqual(7_000);
  });

  test("cannot be paused before it is frozen", async () => {
    const environment = await open(errands);
    await expect(environment.freezeFor({ wallClockMs: 1 })).rejects.toThrow("frozen");
  });

  test("is initialized and frozen ahead with provisioned concurrency", async () => {
    const environment = await open(errands, { initializationType: "provisioned-concurrency" });
    expect([environment.inits, typeof environment.pid]).toEqual([1, "number"]);
    await environment.freezeFor({ wallClockMs: 3_600_000 });
    const { value, coldStart } = await send<Look>(environment, { do: "look" });
    expect([coldStart, value?.env.AWS_LAMBDA_INITIALIZATION_TYPE]).toEqual([false, "provisioned-concurrency"]);
    expect(value?.now).toBeGreaterThan(Date.now() + 3_500_000);
  });

  test("tells what the handler threw, and goes on", async () => {
    const environment = await open(errands);
    const { error, value } = await send(environment, { do: "throw", message: "no such order" });
    expect(error).toMatchObject({ errorType: "RangeError", errorMessage: "no such order" });
    expect(error?.trace?.[0]).toBe("RangeError: no such order");
    expect(value).toBeUndefined();
    expect((await lookFrom(environment)).invocations).toBe(2);
    expect(environment.logs()).toContain("Invoke Error");
  });

  test("tells why the init phase failed, and tries again with the next event", async () => {
    const environment = await open(errands, { env: { INIT_FAILS: "no database" } });
    for (const inits of [1, 2]) {
      const { error } = await send(environment, { do: "look" });
      expect(error).toMatchObject({ errorType: "RangeError", errorMessage: "no database" });
      expect([environment.inits, environment.deaths, environment.initMs]).toEqual([inits, [], undefined]);
    }
    const ahead = open(errands, { env: { INIT_FAILS: "no database" }, initializationType: "provisioned-concurrency" });
    await expect(ahead).rejects.toMatchObject({ name: "InitError", errorType: "RangeError", logs: expect.stringContaining("Init Error") });
  });

  test("tells of a process that ended in its init phase", async () => {
    const environment = await open(errands, { env: { INIT_EXITS: "3" } });
    expect((await send(environment, { do: "look" })).error).toMatchObject({ errorType: "Runtime.ExitError" });
    expect(environment.deaths).toEqual([{ code: 3, signal: null, requestIds: [expect.any(String)] }]);
  });

  test("counts the death of a process in the middle of an invocation, and starts another", async () => {
    const environment = await open(errands);
    const { pid } = await lookFrom(environment);
    const { error, requestId } = await send(environment, { do: "exit", code: 7 });
    expect(error).toEqual({ errorType: "Runtime.ExitError", errorMessage: "Error: Runtime exited with error: exit status 7" });
    expect(environment.deaths).toEqual([{ code: 7, signal: null, requestIds: [requestId] }]);
    const next = await lookFrom(environment);
    expect([next.invocations, environment.inits]).toEqual([1, 2]);
    expect(next.pid).not.toBe(pid);
  });

  test("loses the next invocation when the process dies of something it woke up to", async () => {
    const environment = await open(errands);
    expect((await send(environment, { do: "crash-later" })).value).toBe("fine so far");
    await environment.freezeFor({ wallClockMs: CRASHES_AFTER_MS });
    const { error } = await send(environment, { do: "hang" });
    expect(error?.errorType).toBe("Runtime.ExitError");
    expect(environment.deaths).toMatchObject([{ code: 1 }]);
    expect(environment.logs()).toContain("nobody listens");
  });

  test("ends a process that does not answer in time, which is no death", async () => {
    const environment = await open(errands);
    const { pid, remainingMs } = await lookFrom(environment, 5_000);
    expect(remainingMs).toBeGreaterThan(0);
    expect(remainingMs).toBeLessThanOrEqual(5_000);
    const { error, durationMs } = await send(environment, { do: "hang" }, 250);
    expect(error).toMatchObject({
      errorType: "Sandbox.Timedout",
      errorMessage: expect.stringMatching(/Task timed out after 0\.25 seconds$/),
    });
    expect(durationMs).toBeGreaterThanOrEqual(249);
    expect([isAlive(pid), environment.pid, environment.deaths]).toEqual([false, undefined, []]);
    expect((await lookFrom(environment)).invocations).toBe(1);
  });

  test("refuses a reply over 6 MB and stays usable", async () => {
    const environment = await open(errands);
    const largest = await send<string>(environment, { do: "reply", bytes: maxReplyBytes });
    expect([largest.error, largest.value?.length]).toEqual([undefined, maxReplyBytes - 2]);
    const { error, value } = await send(environment, { do: "reply", bytes: maxReplyBytes + 1 });
    expect(error?.errorType).toBe("Function.ResponseSizeTooLarge");
    expect(error?.errorMessage).toContain("6291557 bytes");
    expect(value).toBeUndefined();
    expect(await lookFrom(environment)).toMatchObject({ invocations: 3, pid: environment.pid });
  });

  test("takes no event after it was stopped", async () => {
    const environment = await open(errands);
    await lookFrom(environment);
    await environment.stop();
    await expect(send(environment, { do: "look" })).rejects.toThrow("stopped");
    expect(environment.deaths).toEqual([]);
  });
});

describe("the shutdown", () => {
  test("is a SIGTERM where an extension is registered", async () => {
    const environment = await open(errands, { env: { EXTENSION: "[]" }, shutdownMs: 10_000 });
    await lookFrom(environment);
    await environment.freezeFor({ realMs: 20 });
    expect(await environment.stop()).toEqual({ code: 0, signal: null });
    expect(environment.logs()).toContain("told to end");
  });

  test("is a SIGKILL to a process that hears SIGTERM and stays", async () => {
    const environment = await open(errands, { env: { EXTENSION: "[]", STUBBORN: "1" }, shutdownMs: 3_000 });
    await lookFrom(environment);
    expect(await environment.stop()).toEqual({ code: null, signal: "SIGKILL" });
    expect(environment.logs()).toContain("told to end");
  });

  test("is a SIGKILL without an extension", async () => {
    const environment = await open(errands);
    await lookFrom(environment);
    expect(await environment.stop()).toEqual({ code: null, signal: "SIGKILL" });
    expect(environment.logs()).toBe("");
    expect(await environment.stop()).toBeUndefined();
  });

  test("is no event an internal extension may ask for", async () => {
    const environment = await open(errands, { env: { EXTENSION: '["SHUTDOWN"]' } });
    const { error } = await send(environment, { do: "look" });
    expect(error?.errorMessage).toContain("Extension.InvalidEventType");
  });
});

describe("a streaming handler", () => {
  async function stream(event: StreamErrand, onChunk?: (chunk: Buffer) => void) {
    const environment = await open(streams);
    return { environment, ...(await environment.invoke(event, onChunk && { onChunk })) };
  }

  test("is heard before it has ended", async () => {
    const asked = Promise.withResolvers<ServerResponse>();
    const server = createServer((_, response) => asked.resolve(response)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { readonly port: number };
    let heard = "";
    const heardFirst = Promise.withResolvers<void>();
    const ended = stream({ between: `http://127.0.0.1:${port}` }, (chunk) => {
      heard += chunk;
      heardFirst.resolve();
    });
    await heardFirst.promise;
    expect(heard).toBe("first ");
    (await asked.promise).end();
    const { body, error, stream: head } = await ended;
    expect([body.toString(), error, head]).toEqual([
      "first second",
      undefined,
      { contentType: "application/octet-stream", prelude: undefined },
    ]);
    expect(heard).toBe("first second");
    server.close();
    server.closeAllConnections();
  });

  test("may send status and headers ahead", async () => {
    const prelude = { statusCode: 201, headers: { "x-order": "7" } };
    const { body, stream: head } = await stream({ prelude });
    expect(body.toString()).toBe("first second");
    expect(head).toEqual({ contentType: "application/vnd.awslambda.http-integration-response", prelude });
  });

  test("may fail half-way, and go on with the next event", async () => {
    const { error, body, environment } = await stream({ fails: "torn" });
    expect(error).toMatchObject({ errorType: "RangeError", errorMessage: "torn" });
    expect(body.toString()).toBe("first ");
    expect((await environment.invoke({})).body.toString()).toBe("first second");
    expect(environment.inits).toBe(1);
  });
});

describe("a managed instance", () => {
  /** A place where handlers wait until so many are there. */
  async function openMeeting(size: number) {
    const present: ServerResponse[] = [];
    let most = 0;
    const server = createServer((_, response) => {
      present.push(response);
      most = Math.max(most, present.length);
      if (present.length === size) for (const one of present.splice(0)) one.end("all are here");
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as { readonly port: number };
    return { url: `http://127.0.0.1:${port}`, most: () => most };
  }

  test("interleaves invocations on its threads, and never freezes", async () => {
    const environment = await open(errands, { concurrency: { max: 6, workers: 2 } });
    const { env } = await lookFrom(environment);
    expect(env).toMatchObject({
      AWS_LAMBDA_INITIALIZATION_TYPE: "lambda-managed-instances",
      AWS_LAMBDA_MAX_CONCURRENCY: "6",
      AWS_LAMBDA_NODEJS_WORKER_COUNT: "2",
    });
    // It takes events as soon as one of its threads is there.
    const threads = new Set<number>();
    await until(async () => threads.add((await lookFrom(environment)).threadId).size === 2);
    const meeting = await openMeeting(6);
    // None of the six ends before all six run.
    const met = await Promise.all(Array.from({ length: 12 }, () => send<string>(environment, { do: "meet", url: meeting.url })));
    expect(met.map(({ value }) => value)).toEqual(met.map(() => "all are here"));
    expect(meeting.most()).toBe(6);
    await expect(environment.freezeFor({ realMs: 1 })).rejects.toThrow("frozen");
    expect(environment.inits).toBe(1);
  });

  test("times out one invocation and leaves its neighbours running", async () => {
    const environment = await open(errands, { concurrency: { max: 4, workers: 1 } });
    const meeting = await openMeeting(2);
    const one = send<string>(environment, { do: "meet", url: meeting.url });
    const { error } = await send(environment, { do: "hang" }, 100);
    expect(error?.errorType).toBe("Sandbox.Timedout");
    const other = await send<string>(environment, { do: "meet", url: meeting.url });
    expect([(await one).value, other.value]).toEqual(["all are here", "all are here"]);
    expect([environment.inits, environment.deaths]).toEqual([1, []]);
  });

  test("tells why the init phase of its threads failed", async () => {
    const instance = open(errands, { env: { INIT_FAILS: "no database" }, concurrency: { max: 2, workers: 2 } });
    await expect(instance).rejects.toMatchObject({ errorType: "RangeError", message: expect.stringContaining("no database") });
  });
});

describe("a bare pg.Pool of one connection", () => {
  const urlAt = (port: number) => {
    const url = new URL(postgres.url);
    url.port = String(port);
    return url.href;
  };
  const ask = async (environment: Environment) => (await environment.invoke<PoolReply>({})).value;

  test("is reused over short pauses and reconnects after its idle timer, which is due on waking", async () => {
    const environment = await open(pools, { env: { DATABASE_URL: postgres.url, IDLE_TIMEOUT_MS: "1000" } });
    const first = await ask(environment);
    expect(await ask(environment)).toEqual(first);
    await environment.freezeFor({ realMs: 1_100 });
    const after = await ask(environment);
    expect(after?.connects).toBe(2);
    expect(after?.pid).not.toBe(first?.pid);
  });

  test("fails when its first write after a pause is answered with RST", async () => {
    await using network = await startNetwork(postgres);
    const environment = await open(pools, { env: { DATABASE_URL: urlAt(network.port) } });
    await ask(environment);
    expect(network.lay({ kind: "rst-on-write" })).toBe(1);
    await environment.freezeFor({ wallClockMs: 400_000 });
    expect(await ask(environment)).toMatchObject({ connects: 1, code: "ECONNRESET" });
    expect(network.strikes).toEqual([{ kind: "rst-on-write", connection: 1 }]);
    expect(await ask(environment)).toMatchObject({ connects: 2, pid: expect.any(Number) });
    expect(environment.deaths).toEqual([]);
  });

  test("fails when the end of its session is told only after its first write", async () => {
    await using network = await startNetwork(postgres);
    const environment = await open(pools, { env: { DATABASE_URL: urlAt(network.port) } });
    const { pid } = (await ask(environment)) ?? {};
    network.lay({ kind: "withhold" });
    await end(pid);
    expect(await ask(environment)).toMatchObject({ connects: 1, code: "57P01" });
    expect(network.strikes).toEqual([{ kind: "withhold", connection: 1 }]);
  });

  test("takes the process with it when its session ends in its sleep and nobody listens", async () => {
    const environment = await open(pools, { env: { DATABASE_URL: postgres.url, LISTENER: "none" } });
    const { pid } = (await ask(environment)) ?? {};
    await end(pid);
    const { error, requestId } = await environment.invoke({}, { awakeMs: 1_000 });
    expect(error?.errorType).toBe("Runtime.ExitError");
    expect(environment.deaths).toEqual([{ code: 1, signal: null, requestIds: [requestId] }]);
  });

  /** Ends a session of the server, and waits until it is gone. */
  async function end(pid: number | undefined): Promise<void> {
    const client = new Client({ connectionString: postgres.url });
    await client.connect();
    await client.query("select pg_terminate_backend($1, 5000)", [pid]);
    await client.end();
  }
});

test("leaves nothing behind when its process is killed, not even what is stopped", async () => {
  const program = fileURLToPath(new URL("./handlers/leave-behind.ts", import.meta.url));
  const child = spawn(process.execPath, [program, errands], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const left = JSON.parse(line.toString()) as { readonly pid: number; readonly folder: string };
  expect([isAlive(left.pid), existsSync(left.folder)]).toEqual([true, true]);
  child.kill("SIGKILL");
  await until(async () => !existsSync(left.folder) && (await isGone(left.pid)));
});

/** A killed process whose parent is dead too may stay as a zombie where process 1 reaps no children. */
async function isGone(pid: number): Promise<boolean> {
  if (!isAlive(pid)) return true;
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ") Z");
  return stat.slice(stat.lastIndexOf(")")).startsWith(") Z");
}
