import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterEach, beforeAll, expect, inject, test, vi } from "vitest";
import { startWire } from "../../support/wire.ts";
import { openDirect, openPool, until, urlAt } from "../databases.ts";

type Listen = (
  channel: string,
  how: { readonly url: string; readonly hear: (payload: string) => void; readonly catchUp: () => unknown; readonly signal: AbortSignal },
) => Promise<void>;

let listen: Listen;

beforeAll(async () => {
  const document = readFileSync(new URL("../../../docs/listening.md", import.meta.url), "utf8");
  const [, recipe = ""] = /```ts\n(.*?)```/s.exec(document) ?? [];
  const folder = await mkdtemp(join(tmpdir(), "warmline-listening-"));
  try {
    const outfile = join(folder, "listening.mjs");
    const plugin = {
      name: "pg of this repository",
      setup: ({ onResolve }: Parameters<NonNullable<Parameters<typeof build>[0]["plugins"]>[number]["setup"]>[0]) =>
        onResolve({ filter: /^pg$/ }, ({ path }) => ({ path: import.meta.resolve(path), external: true })),
    };
    await build({ stdin: { contents: recipe, loader: "ts" }, bundle: true, platform: "node", format: "esm", outfile, plugins: [plugin] });
    ({ listen } = await import(/* @vite-ignore */ pathToFileURL(outfile).href));
  } finally {
    await rm(folder, { recursive: true });
  }
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** The recipe at work, until it is stopped. */
function listening(url: string, channel: string) {
  const heard: string[] = [];
  const controller = new AbortController();
  let caughtUp = 0;
  const done = listen(channel, { url, hear: (payload) => heard.push(payload), catchUp: () => caughtUp++, signal: controller.signal });
  return {
    heard,
    times: () => caughtUp,
    async [Symbol.asyncDispose]() {
      controller.abort();
      await done;
    },
  };
}

test("the recipe hears what is sent over a pool, and listens again when its backend is ended", async () => {
  await using direct = await openDirect();
  await using db = openPool();
  const channel = 'a "channel"';
  const { heard, times, ...ended } = listening(urlAt(), channel);
  await using _ = ended;
  await until(() => times() === 1);
  await db.transaction((tx) => tx.sql`select pg_notify(${channel}, ${"first"})`);
  await until(() => heard.length === 1);
  const { rows } = await direct.query('select pg_terminate_backend(pid) from pg_stat_activity where query like \'listen "a ""channel"""\'');
  expect(rows).toHaveLength(1);
  await until(() => times() === 2);
  await db.sql`select pg_notify(${channel}, ${"second"})`;
  await until(() => heard.length === 2);
  expect(heard).toEqual(["first", "second"]);
});

test("the recipe leaves a connection that fell silent, and takes another", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  await using wire = await startWire(inject("postgres"));
  await using db = openPool();
  vi.useFakeTimers({ toFake: ["setInterval", "setTimeout", "clearInterval", "clearTimeout"] });
  const { heard, times, ...ended } = listening(urlAt(wire), "silence");
  await using _ = ended;
  await until(() => times() === 1);
  wire.hold();
  await vi.advanceTimersByTimeAsync(30_000);
  await vi.advanceTimersByTimeAsync(10_000);
  wire.resume();
  await until(() => times() === 2);
  await db.sql`select pg_notify('silence', 'heard')`;
  await until(() => heard.length === 1);
});
