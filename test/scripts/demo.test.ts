import { describe, expect, test } from "vitest";
import { descendants, type ScriptChild, startScript, stillRunningAfter } from "./demo-child.ts";

/** Written when Postgres, the endpoint and the first API run. */
const PROOF_BEGINS = "node · pool: 1,000 invocations";

/** The demo in the middle of its proof, and the processes it has started. */
async function startDemo() {
  const demo: ScriptChild = startScript("demo.ts");
  await demo.writes(PROOF_BEGINS);
  const started = descendants(demo.pid);
  expect(started.map(({ command }) => command)).toContain("postgres");
  return { demo, started };
}

describe("the demo", () => {
  test("proves reuse, says where it answers, and ends with 0 when asked for one run", { timeout: 600_000 }, async () => {
    const { code, stdout, stderr } = await startScript("demo.ts", ["--once"]).ended;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(/^node +pool +1,000 +1 +1 +0 .* held$/m);
    expect(stdout).toMatch(/^node +http +1,000 +\d+ +\d+ +0 .* held$/m);
    expect(stdout).toMatch(/^lambda +direct +1,000 +1 +1 +0 .* held$/m);
    expect(stdout).toMatch(/curl -i http:\/\/127\.0\.0\.1:\d+\/products\/1/);
    expect(stdout).toContain("Idempotency-Key: ");
  });

  test("ends with 0 at Ctrl-C, in the middle of the proof too, and leaves no process behind", { timeout: 300_000 }, async () => {
    const { demo, started } = await startDemo();
    demo.signal("SIGINT");
    expect((await demo.ended).code).toBe(0);
    expect(await stillRunningAfter(started, 20_000)).toEqual([]);
  });

  test("leaves no Postgres behind when it was killed", { timeout: 300_000 }, async () => {
    const { demo, started } = await startDemo();
    demo.signal("SIGKILL");
    expect(await stillRunningAfter(started, 20_000)).toEqual([]);
  });
});
