import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type RunningWorker, startWorker } from "./harness.ts";

const { url } = inject("postgres");
const { host, pathname, username } = new URL(url);
const id = "0123456789abcdef0123456789abcdef";

/** One of every kind that needs no account; each answers, or refuses, names it has never heard of in its own way. */
const everyKind = {
  kv_namespaces: [{ binding: "KV", id }],
  r2_buckets: [{ binding: "BUCKET", bucket_name: "bucket" }],
  d1_databases: [{ binding: "D1", database_id: id, database_name: "d1" }],
  queues: { producers: [{ binding: "QUEUE", queue: "queue" }] },
  durable_objects: { bindings: [{ name: "COUNTER", class_name: "Counter" }] },
  migrations: [{ tag: "v1", new_sqlite_classes: ["Counter"] }],
  workflows: [{ binding: "WORKFLOW", name: "flow", class_name: "Flow" }],
  services: [
    { binding: "ITSELF", service: "warmline-test" },
    { binding: "REMOTE", service: "warmline-test", entrypoint: "Remote" },
  ],
  analytics_engine_datasets: [{ binding: "EVENTS", dataset: "events" }],
  secrets_store_secrets: [{ binding: "SECRET", store_id: id, secret_name: "password" }],
  send_email: [{ name: "EMAIL" }],
  ratelimits: [{ name: "LIMIT", namespace_id: "1", simple: { limit: 100, period: 60 } }],
  version_metadata: { binding: "VERSION" },
};

describe("a worker with a binding of every kind", () => {
  let beside: RunningWorker;
  let without: RunningWorker;
  const ask = async (worker: RunningWorker, path: string) =>
    (await (await fetch(new URL(path, worker.url), { signal: AbortSignal.timeout(25_000) })).json()) as Record<string, unknown>;

  beforeAll(async () => {
    const vars = {
      PGHOST: host,
      WITHOUT_PASSWORD: `postgres://${username}@${host}${pathname}?sslmode=disable`,
      OBJECT_OF_DATA: { a: 1 } as never,
    };
    beside = await startWorker("bindings.ts", { hyperdrive: { HYPERDRIVE: url }, vars, config: everyKind });
    without = await startWorker("bindings.ts", { config: everyKind });
  });
  afterAll(async () => {
    await beside?.stop();
    await without?.stop();
  });

  test("finds Hyperdrive among them", async () => {
    expect(await ask(beside, "/names")).toHaveLength(17);
    expect(await ask(beside, "/found")).toEqual({ rows: [{ n: 1 }], target: "hyperdrive" });
  });

  test("takes none of them for Hyperdrive, named or found", async () => {
    expect(await ask(without, "/found")).toEqual({ code: "MISSING_SETTING", message: expect.stringContaining("Hyperdrive binding") });
    expect(await ask(without, "/http")).toEqual({ code: "MISSING_SETTING", message: expect.stringContaining("DATABASE_URL") });
    for (const name of (await ask(without, "/names")) as unknown as string[]) {
      const answer = await ask(without, `/named?name=${name}`);
      expect(answer, name).toEqual({ code: "MISSING_SETTING", message: expect.stringContaining(`no Hyperdrive binding "${name}"`) });
    }
  });

  test("says that bindings cannot be read while the module is loaded, and reads them later", async () => {
    expect(await ask(beside, "/early")).toEqual({ code: "MISSING_SETTING", message: expect.stringContaining("inside a handler") });
  });

  test("asks a Secrets Store for the password, and says so of a URL that is kept there", async () => {
    expect(await ask(without, "/secret")).toEqual({ code: "MISSING_SETTING", message: expect.stringContaining("password: () =>") });
    // no secret can be put into the local store from here: that it is asked shows in its refusal
    expect(await ask(beside, "/password")).toEqual({ code: "PASSWORD_FAILED", message: expect.any(String) });
  });
});
