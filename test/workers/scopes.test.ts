import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createOwnDatabase, ask as query } from "./databases.ts";
import { backendsLeft, type RunningWorker, startWorker } from "./harness.ts";

describe("scopes", () => {
  let worker: RunningWorker;
  let databaseUrl: string;
  const fetchText = async (path: string) => (await fetch(new URL(path, worker.url), { signal: AbortSignal.timeout(25_000) })).text();
  const ask = async (path: string) => JSON.parse(await fetchText(path));

  beforeAll(async () => {
    databaseUrl = await createOwnDatabase("workers_scopes");
    worker = await startWorker("scopes.ts", {
      vars: { DATABASE_URL: databaseUrl },
      config: {
        durable_objects: { bindings: [{ name: "ROOM", class_name: "Room" }] },
        migrations: [{ tag: "v1", new_sqlite_classes: ["Room"] }],
      },
    });
  });
  afterAll(() => worker?.stop());

  test("are one for all databases, whichever says so, those over HTTP among them", async () => {
    const [first, second] = await ask("/two");
    expect(second).toBe(first);
    expect(await backendsLeft(databaseUrl)).toBe(0);
  });

  test("last until what waitUntil was given in them is done", async () => {
    const before = await ask("/connects");
    await ask("/wait-until");
    let pids: number[] | null = null;
    while (pids === null) pids = await ask("/behind");
    expect(new Set(pids).size).toBe(1);
    expect(await ask("/connects")).toBe(before + 1);
    expect(await backendsLeft(databaseUrl)).toBe(0);
  });

  test("open anew in the body of a response", async () => {
    const before = await ask("/connects");
    const pieces = (await fetchText("/stream")).trim().split("\n");
    expect(pieces).toHaveLength(2);
    for (const piece of pieces) expect(new Set(JSON.parse(piece)).size).toBe(1);
    // the first piece is asked for while the handler still works
    expect(await ask("/connects")).toBe(before + 2);
    expect(await backendsLeft(databaseUrl)).toBe(0);
  });

  test("give a response that streams rows one connection", async () => {
    const before = await ask("/connects");
    const bodies = await Promise.all(Array.from({ length: 30 }, () => fetchText("/rows?count=2000")));
    for (const body of bodies) expect(body.trim().split("\n")).toHaveLength(2_000);
    expect(await ask("/connects")).toBe(before + 30);
    expect(await backendsLeft(databaseUrl)).toBe(0);
  });

  test("of a Durable Object keep their connection from event to event, apart from other objects", async () => {
    const first = await ask("/?room=a");
    for (const path of ["/", "/throws", "/"]) expect(await ask(`${path}?room=a`)).toBe(first);
    await ask("/alarm?room=a");
    let told: number[] = [];
    while (told.length === 0) told = await ask("/told?room=a");
    expect(told).toEqual([first]);
    expect(await ask("/?room=b")).not.toBe(first);
    expect(
      await query(
        databaseUrl,
        "select count(*)::int as n from pg_stat_activity where application_name = 'warmline' and datname = current_database()",
      ),
    ).toEqual([{ n: 2 }]);
  });

  test("of a Durable Object serve events that overlap, and survive a connection that dies", async () => {
    const before = await ask("/connects");
    const pids = (await Promise.all(Array.from({ length: 20 }, () => ask("/many?room=c")))).flat();
    expect(pids.every((pid) => typeof pid === "number")).toBe(true);
    expect((await ask("/connects")) - before).toBeLessThanOrEqual(6);
    await ask("/killed?room=c");
    expect(await ask("/?room=c")).toEqual(expect.any(Number));
  });

  test("of a Durable Object give their connections up when it is idle, and when it is gone", async () => {
    expect(await ask("/?room=d")).toEqual(expect.any(Number));
    await fetchText("/abort?room=d");
    expect(await ask("/?room=d")).toEqual(expect.any(Number));
    expect(await backendsLeft(databaseUrl)).toBe(0);
    expect(await ask("/?room=a")).toEqual(expect.any(Number));
  });
});
