import { afterEach, describe, expect, test } from "vitest";
import { invitation } from "../../scripts/demo/invitation.ts";
import { startStage } from "../../scripts/demo/stage.ts";
import { descendants, type ScriptChild, startScript, stillRunningAfter } from "./demo-child.ts";

/** Written when Postgres, the endpoint and the first API run. */
const PROOF_BEGINS = "node · pool: 1,000 invocations";

// CI runs the whole of it, `npm run demo -- --once`; here is what that does not look at
describe("the demo in the middle of its proof", { timeout: 300_000 }, () => {
  let demo: ScriptChild | undefined;

  /** Starts it, and finds the processes it has started. */
  async function startDemo() {
    demo = startScript("demo.ts");
    await demo.writes(PROOF_BEGINS);
    const started = descendants(demo.pid);
    expect(started.map(({ command }) => command)).toContain("postgres");
    return { demo, started };
  }

  afterEach(async () => {
    demo?.signal("SIGKILL");
    await demo?.ended;
  });

  test("shows on its page that it runs, and ends with 0 at Ctrl-C without leaving a process behind", async () => {
    const { demo, started } = await startDemo();
    const [, url = ""] = /(http:\S+) shows how far it is/.exec(demo.written()) ?? [];
    expect(await (await fetch(url, { headers: { Accept: "text/html" } })).text()).toContain("The proof is running …");
    demo.signal("SIGINT");
    expect((await demo.ended).code).toBe(0);
    expect(await stillRunningAfter(started, 20_000)).toEqual([]);
  });

  test("leaves no Postgres behind when it was killed", async () => {
    const { demo, started } = await startDemo();
    demo.signal("SIGKILL");
    expect(await stillRunningAfter(started, 20_000)).toEqual([]);
  });
});

test("the demo's picture does one strike after another, and lets one wait: of more its end would have to wait for all", async () => {
  const stage = await startStage();
  const said = await Promise.all(Array.from({ length: 5 }, () => stage.strikes.kill()));
  expect(said.map((sentence) => sentence.split(" ")[0])).toEqual(["Ended", "Ended", "What", "What", "What"]);
  await stage.stop();
});

test("the demo's last lines say where everything is, the database too, and what to try", () => {
  const lines = invitation({
    apiUrl: "http://api.example",
    endpointUrl: "http://sql.example",
    databaseUrl: "postgresql://me:it@db.example/demo",
  });
  expect(lines).toMatch(/^Database +postgresql:\/\/me:it@db\.example\/demo$/m);
  expect(lines).toMatch(/^SQL over HTTP +http:\/\/sql\.example$/m);
  expect(lines).toMatch(/^ +curl -i http:\/\/api\.example\/products\/1$/m);
  expect(lines).toMatch(/^ +psql 'postgresql:\/\/me:it@db\.example\/demo' -c /m);
  expect(lines).toContain("Idempotency-Key: ");
  // with a proof of seven rows it all has less than sixty
  expect(lines.split("\n").length).toBeLessThan(20);
});
