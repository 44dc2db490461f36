import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { makeEventStreams } from "../../../src/dashboard/event-stream.ts";
import { type Feed, makeFeed } from "../../../src/dashboard/feed.ts";
import { call, failed, makeTeller, said } from "./told.ts";

let clock = 0;
const make = () => {
  clock = 10_000;
  const teller = makeTeller();
  return { teller, feed: makeFeed(teller, () => clock) };
};
/** The newest frame, of what was told until now. */
const newest = (feed: Feed) => {
  clock += 1_000;
  const frame = feed.after(0).at(-1);
  return said(frame?.bytes ?? new Uint8Array());
};

describe("a feed tells", () => {
  test("each call once, by its connection and by how it came to it", () => {
    const { teller, feed } = make();
    teller.tell({ type: "connect", transport: "pool", connectionId: "c1", durationMs: 20 });
    teller.tell(call("c1", false));
    teller.tell(call("c1", true));
    teller.tell({ type: "thaw", connectionId: "c1", idleMs: 5_000 });
    teller.tell(call("c1", true));
    teller.tell(call("c1", true));
    teller.tell(call(null, null));
    teller.tell(failed("CONNECTION_LOST"));
    // a transaction, whose statements were told before
    teller.tell(call("c1", true, { operation: "transaction", texts: [], via: null }));
    const { data } = newest(feed);
    const marks = data.marks as unknown as (readonly unknown[])[];
    expect(marks.filter(([kind]) => kind === "q").map(([, id, , , reuse]) => [id, reuse])).toEqual([
      ["c1", "new"],
      ["c1", "thaw"],
      ["c1", "warm"],
      ["c1", "warm"],
      [null, "none"],
    ]);
    expect(marks.filter(([kind]) => kind !== "q").map(([kind]) => kind)).toEqual(["c", "t", "f"]);
    expect(data).toMatchObject({
      left: 0,
      totals: { calls: 6, failed: 1, fresh: 1, reused: 3, fates: { unknown: 1 } },
      stats: { total: 1 },
    });
  });

  test("no text of a statement and no value, beside the line an error points at", () => {
    const { teller, feed } = make();
    teller.tell(call("c1", true));
    teller.tell(failed("42P01", "    select x\n           ^"));
    const text = JSON.stringify([newest(feed), said(feed.hello())]);
    expect(text).not.toContain("canary-7q");
    expect(text).toContain("select x");
  });

  test("why there is no plan, where the setting lacks", () => {
    expect(said(make().feed.hello()).data).toMatchObject({ plan: { trouble: "DATABASE_URL is missing" } });
  });

  test("the last errors, the newest first, what repeats with its count, and no more than a few", () => {
    const { teller, feed } = make();
    for (let n = 0; n < 20; n++) teller.tell(failed(`E${n}`));
    for (let n = 0; n < 3; n++) teller.tell(failed("E19"));
    const errors = newest(feed).data.errors as unknown as { code: string; times: number }[];
    expect(errors).toHaveLength(8);
    expect(errors[0]).toMatchObject({ code: "E19", times: 4 });
    expect(errors[1]).toMatchObject({ code: "E18", times: 1 });
  });

  test("of ten thousand events a sample that is even over time, every rare one, and says how many it left out", () => {
    const { teller, feed } = make();
    for (let n = 0; n < 10_000; n++) {
      teller.tell(call(`c${n % 10}`, true, { startedAt: n }));
      if (n % 1_000 === 0) teller.tell({ type: "discard", transport: "pool", connectionId: "c1", reason: "lost" });
    }
    const { data } = newest(feed);
    const marks = data.marks as unknown as (readonly [string, string, number])[];
    const warm = marks.filter(([kind]) => kind === "q").map(([, , at]) => at);
    expect(marks.filter(([kind]) => kind === "d")).toHaveLength(10);
    expect(warm.length).toBeGreaterThan(50);
    expect(warm.length).toBeLessThanOrEqual(120);
    expect(new Set(warm.map((at) => Math.floor(at / 1_000))).size).toBe(10);
    expect(data).toMatchObject({ left: 10_010 - marks.length, totals: { calls: 10_000, events: 10_010 } });
    expect(JSON.stringify(data).length).toBeLessThan(12_000);
  });

  test("to who is too late the newest alone, and to who comes again what it has not seen", () => {
    const { teller, feed } = make();
    for (let n = 0; n < 40; n++) {
      clock += 100;
      teller.tell(call("c1", true));
      feed.after(n);
    }
    clock += 1;
    expect(feed.after(10).map(({ seq }) => seq)).toEqual([40]);
    expect(feed.after(38).map(({ seq }) => seq)).toEqual([39, 40]);
    const { id } = said(feed.after(39)[0]?.bytes ?? new Uint8Array());
    expect(feed.begin(id)).toBe(40);
    for (const other of [undefined, "", "other-39", `${id?.split("-")[0]}-9999`, `${id?.split("-")[0]}-x`, "-1"])
      expect(feed.begin(other)).toBe(20);
  });

  test("nobody any more once it is closed", () => {
    const { teller, feed } = make();
    feed.close();
    teller.tell(call("c1", true));
    expect(newest(feed).data).toMatchObject({ totals: { events: 0 } });
  });
});

describe("those who look", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const reading = (response: Response) => {
    const reader = (response.body as ReadableStream<Uint8Array<ArrayBuffer>>).getReader();
    return async () => {
      const next = reader.read();
      await vi.advanceTimersByTimeAsync(1_100);
      return (await next).value;
    };
  };
  /** A piece for each of them, at the same time. */
  const readAll = async (readers: readonly ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>[]) => {
    const all = Promise.all(readers.map((reader) => reader.read()));
    await vi.advanceTimersByTimeAsync(150);
    return (await all).map(({ value }) => value);
  };

  test("share each frame, however many they are, and who does not read holds nothing up", async () => {
    const teller = makeTeller();
    const feed = makeFeed(teller);
    const streams = makeEventStreams();
    const readers = Array.from({ length: 200 }, () => {
      return (streams.answer(feed, undefined).body as ReadableStream<Uint8Array<ArrayBuffer>>).getReader();
    });
    await readAll(readers);
    expect(streams.viewers).toBe(200);
    const [slow, ...quick] = readers;
    for (let n = 0; n < 60; n++) {
      teller.tell(call("c1", true));
      expect(new Set(await readAll(quick)).size).toBe(1);
    }
    // the slow one is told the newest, and by `from` how much it missed
    const late = said((await slow?.read())?.value ?? new Uint8Array());
    expect(Number(late.id?.split("-")[1])).toBeGreaterThanOrEqual(60);
    expect(late.data.from).toBeGreaterThanOrEqual(59);
  });

  test("leave by going away, and when their time is over; without reading they never came", async () => {
    const feed = makeFeed(makeTeller());
    const streams = makeEventStreams();
    streams.answer(feed, undefined);
    expect(streams.viewers).toBe(0);
    const gone = streams.answer(feed, undefined);
    const reader = gone.body?.getReader();
    await reader?.read();
    expect(streams.viewers).toBe(1);
    await reader?.cancel();
    expect(streams.viewers).toBe(0);
    const read = reading(streams.answer(feed, undefined));
    let frames = 0;
    while ((await read()) !== undefined) frames++;
    expect(frames).toBeGreaterThan(20);
    expect(streams.viewers).toBe(0);
  });

  test("are turned away when five hundred look", async () => {
    const feed = makeFeed(makeTeller());
    const streams = makeEventStreams();
    const answers = Array.from({ length: 500 }, () => streams.answer(feed, undefined));
    await Promise.all(answers.map((answer) => answer.body?.getReader().read()));
    expect(streams.answer(feed, undefined).status).toBe(503);
    streams.close();
    await vi.advanceTimersByTimeAsync(200);
  });
});
