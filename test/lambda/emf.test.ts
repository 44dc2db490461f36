import { expect, test } from "vitest";
import { urlAt } from "../core/databases.ts";
import { readEmf } from "../observe/emf-schema.ts";
import { ask, useWarmHandler } from "./warm-function.ts";

const deploy = useWarmHandler();
const query = { do: "query", text: "select 1" } as const;

test("a function that was asked to logs a line of metrics for each invocation, with nothing around it", async () => {
  await using deployed = await deploy({ url: urlAt(), emfNamespace: "Shop" });
  const environment = await deployed.environment();
  await ask(environment, query);
  await environment.freezeFor({ realMs: 20, wallClockMs: 60_000 });
  await ask(environment, { ...query, text: "select 1 / 0" });
  const lines = environment.logs().trim().split("\n").map(readEmf);
  expect(lines).toMatchObject([
    { FunctionName: "warmline-test", namespace: "Shop", QueryFailures: 0, Connects: 1, Thaws: 0 },
    { FunctionName: "warmline-test", namespace: "Shop", QueryFailures: 1, Connects: 0, Thaws: 1 },
  ]);
});

test("a function that was not asked to logs nothing", async () => {
  await using deployed = await deploy({ url: urlAt() });
  const environment = await deployed.environment();
  await ask(environment, query);
  expect(environment.logs()).toBe("");
});
