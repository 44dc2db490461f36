import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { lambdaHandler } from "../../src/adapters/lambda.ts";
import { openPool, urlAt } from "../core/databases.ts";
import { bundleHandler } from "./bundle-handler.ts";
import type { Environment } from "./environment.ts";
import { startSandbox } from "./sandbox.ts";

let folder: string;
let module: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "warmline-handlers-"));
  const handler = await bundleHandler(fileURLToPath(new URL("./handlers/forms.ts", import.meta.url)), folder);
  module = handler.slice(0, handler.lastIndexOf("."));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function open(name: string): Promise<Environment> {
  const sandbox = await startSandbox({ handler: `${module}.${name}`, timeoutMs: 60_000, env: { DATABASE_URL: urlAt() } });
  onTestFinished(sandbox.stop);
  return sandbox.environment();
}

const two = { text: "select 1 + 1" };
const endless = { text: "select pg_sleep(60)" };
const inAMoment = { deadlineMs: 600 };

test("a handler that gives a promise answers, and answers in time", async () => {
  const environment = await open("promised");
  expect((await environment.invoke(two)).value).toBe(2);
  expect((await environment.invoke(endless, inAMoment)).value).toBe("DEADLINE_EXCEEDED");
});

test("a handler that gives its reply at once, or throws, does so", async () => {
  expect((await (await open("immediate")).invoke(two)).value).toBe(two.text.length);
  expect((await (await open("throwing")).invoke(two)).error).toMatchObject({ errorType: "RangeError", errorMessage: "at once" });
});

test.each(["streamedInside", "streamedOutside"])("a handler that streams does, and in time, wrapped in either order: %s", async (name) => {
  const environment = await open(name);
  expect(await environment.invoke(two)).toMatchObject({ error: undefined, body: Buffer.from("answer: 2"), stream: {} });
  expect((await environment.invoke(endless, inAMoment)).body.toString()).toBe("answer: DEADLINE_EXCEEDED");
  expect([environment.inits, environment.deaths]).toEqual([1, []]);
});

test("a handler with a callback is refused where it is loaded, as without the wrapper", async () => {
  const { error } = await (await open("withCallback")).invoke(two);
  expect(error).toMatchObject({ errorType: "Runtime.CallbackHandlerDeprecated", errorMessage: expect.stringContaining("callback-based") });
});

test("a runtime that still calls it with a callback is told with a code, and nobody is answered null", async () => {
  await using db = openPool();
  const handler = lambdaHandler(db, (_event: unknown, _context: unknown, callback: () => void) => callback());
  const context = { getRemainingTimeInMillis: () => 3_000 };
  await expect(handler({}, context, () => {})).rejects.toMatchObject({
    name: "UsageError",
    code: "CALLBACK_HANDLER",
    message: expect.stringContaining("Return the reply"),
  });
});
