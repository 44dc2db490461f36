import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Database, DatabaseOptions, NoticeEvent, Result } from "../../../src/entry/node.ts";
import {
  dataRow,
  errorResponse,
  int16,
  int32,
  type Message,
  message,
  report,
  rowDescription,
  text,
  withLength,
} from "../../fuzz/server/answers.ts";
import { openPool, until } from "../databases.ts";
import { stopWallClock } from "./passing-time.ts";
import { bytesOf, type Kept, type ScriptedServer, startScriptedServer } from "./scripted-server.ts";

const look = "select $1::int as n";
const insert = "insert into t values ($1)";
const five = [10, 11, 12, 13, 14] as const;
/** A look, a write, a look, a write, a look. */
const textOf = (n: number) => (n % 2 === 0 ? look : insert);

let server: ScriptedServer;
beforeEach(async () => {
  // a slow machine makes no statement slow, and no connection old
  vi.spyOn(performance, "now").mockReturnValue(1_000_000);
  stopWallClock();
  server = await startScriptedServer();
  return () => server[Symbol.asyncDispose]();
});
afterEach(() => void vi.restoreAllMocks());

/** A database of one connection that knows both texts to be fast, and has given them names. */
async function open(options: DatabaseOptions = {}): Promise<Database> {
  const db = openPool({ url: `postgres://a:b@127.0.0.1:${server.port}/c?sslmode=disable`, max: 1, ...options });
  for (const n of [0, 1, 2, 3, 4, 5]) await db.query(textOf(n), [n]);
  return db;
}

/** Five calls at once, and their answers before they are given. */
async function fiveInFlight(db: Database): Promise<{ readonly outcomes: Promise<readonly string[]>; readonly kept: Kept }> {
  const keeping = server.keep(five.length);
  const calls = five.map((n) => db.query(textOf(n), [n]));
  return { outcomes: Promise.all(calls.map(outcomeOf)), kept: await keeping };
}

/** What became of a call: its own number where it was answered. */
const outcomeOf = (call: Promise<Result>) =>
  call.then(
    ({ command, rowCount, rows }) => (command === "INSERT" ? `${command} ${rowCount}` : String(rows[0]?.n)),
    ({ code, fate }) => `${code} ${fate}`,
  );

const right = ["10", "INSERT 1", "12", "INSERT 1", "14"];

/** How statements travel, and what begins an answer. */
const forms = [
  { form: "by their names", prepare: true },
  { form: "unnamed", prepare: false },
] as const;

/** Every place in the answers, and whose answer it stands in: before which of its messages, 0 for none of it was said. */
function placesIn(answers: Kept["answers"]): { readonly before: Buffer; readonly call: number; readonly said: number }[] {
  const all = answers.flat();
  const places = answers.flatMap((messages, call) => messages.map((_, said) => ({ call, said })));
  return places.map((place, at) => ({ ...place, before: bytesOf(all.slice(0, at)) }));
}

const asides: Readonly<Record<string, Message>> = {
  "a notice": report("N", { S: "NOTICE", V: "NOTICE", C: "00000", M: "by the way" }),
  "a notification": message("A", int32(7), text("channel"), text("payload")),
  "a setting": message("S", text("TimeZone"), text("UTC")),
};

describe.each(forms)("five calls in flight on one connection, $form", ({ prepare }) => {
  test("have their own answers wherever what comes is split", async () => {
    await using db = await open({ prepare });
    let length = 0;
    for (let at = 1; at === 1 || at < length; at++) {
      const { outcomes, kept } = await fiveInFlight(db);
      const bytes = bytesOf(kept.answers.flat());
      length = bytes.length;
      await kept.say(bytes.subarray(0, at));
      await kept.say(bytes.subarray(at));
      expect(await outcomes, `split at ${at}`).toEqual(right);
    }
    expect(length).toBeGreaterThan(100);
    expect(db.stats()).toMatchObject({ connects: 1, discarded: 0, retries: 0 });
  });

  test("have them a byte at a time", async () => {
    await using db = await open({ prepare });
    const { outcomes, kept } = await fiveInFlight(db);
    for (const byte of bytesOf(kept.answers.flat())) await kept.say(Buffer.of(byte));
    expect(await outcomes).toEqual(right);
    expect(db.stats()).toMatchObject({ connects: 1, discarded: 0 });
  });

  test.each(Object.entries(asides))("have them whichever two messages %s stands between", async (_, aside) => {
    await using db = await open({ prepare });
    let places = 1;
    for (let at = 0; at <= places; at++) {
      const { outcomes, kept } = await fiveInFlight(db);
      const all = kept.answers.flat();
      places = all.length;
      // in one piece, and in one of its own
      if (at % 2 === 0) await kept.say(bytesOf(all.toSpliced(at, 0, aside)));
      else for (const part of [all.slice(0, at), [aside], all.slice(at)]) await kept.say(bytesOf(part));
      expect(await outcomes, `before message ${at}`).toEqual(right);
    }
    expect(db.stats()).toMatchObject({ connects: 1, discarded: 0, retries: 0 });
  });

  test("are each told what is said while the server is at them, whatever language it says the severity in", async () => {
    await using db = await open({ prepare });
    const heard: NoticeEvent[] = [];
    db.subscribe((event) => void (event.type === "notice" && heard.push(event)));
    const { outcomes, kept } = await fiveInFlight(db);
    const said = (n: number) => report("N", { S: "HINWEIS", V: "NOTICE", C: "00000", M: `noted at ${n}`, R: "fuzz" });
    await kept.say(
      bytesOf(kept.answers.flatMap((messages, at) => [...messages.slice(0, -1), said(five[at] as number), ...messages.slice(-1)])),
    );
    expect(await outcomes).toEqual(right);
    expect(heard.map(({ text, severity }) => [text, severity])).toEqual(five.map((n) => [textOf(n), "NOTICE"]));
    // in a language of its own a message cannot be told from a value
    expect(new Set(heard.map(({ message }) => message))).toEqual(new Set(["successful completion"]));
    // between calls it is nobody's
    await kept.say(bytesOf([said(0)]));
    expect(heard).toHaveLength(five.length);
  });

  test("are told a notice without a word in it as one", async () => {
    await using db = await open({ prepare });
    const heard: NoticeEvent[] = [];
    db.subscribe((event) => void (event.type === "notice" && heard.push(event)));
    const { outcomes, kept } = await fiveInFlight(db);
    await kept.say(bytesOf([report("N", {}), ...kept.answers.flat()]));
    expect(await outcomes).toEqual(right);
    expect(heard).toMatchObject([{ severity: "", code: "", message: "", routine: null, text: look }]);
  });

  test("an encoding that is not UTF-8 between them ends those that have no answer yet", async () => {
    const { answers } = await (await rehearsal(prepare)).kept;
    for (const { call, said } of placesIn(answers)) {
      await using db = await open({ prepare });
      const { outcomes, kept } = await fiveInFlight(db);
      const { before } = placesIn(kept.answers).find((place) => place.call === call && place.said === said) as { before: Buffer };
      const rest = bytesOf(kept.answers.flat()).subarray(before.length);
      await kept.say(before);
      await kept.say(bytesOf([message("S", text("client_encoding"), text("LATIN1"))]));
      await kept.say(rest);
      expect(await outcomes).toEqual(right.map((own, at) => (at < call ? own : "OUT_OF_STEP unknown")));
    }
  });

  test("an error in the second is that of the second, wherever it comes", async () => {
    await using db = await open({ prepare });
    let length = 1;
    for (let at = 0; at < length; at++) {
      const { outcomes, kept } = await fiveInFlight(db);
      const [first, second = [], ...others] = kept.answers;
      length = second.length;
      const refused = [...second.slice(0, at), errorResponse("ERROR", "23505"), ...second.slice(-1)];
      await kept.say(bytesOf([first, refused, ...others].flat() as Message[]));
      expect(await outcomes, `before message ${at}`).toEqual(right.with(1, "23505 refused"));
    }
    expect(db.stats()).toMatchObject({ connects: 1, discarded: 0, retries: 0 });
  });

  test("1,664 columns of the third are its own", async () => {
    const names = Array.from({ length: 1_664 }, (_, at) => `c${at}`);
    const wide = names.map((_, at) => at);
    await using db = await open({ prepare });
    const asking = "select 12 as wide";
    await db.query(asking, []);
    for (const split of [undefined, 20_000, 30_000]) {
      const keeping = server.keep(5);
      const calls = five.map((n) => (n === 12 ? db.query(asking, [], { rowMode: "array" }) : db.query(textOf(n), [n])));
      const kept = await keeping;
      const described = kept.answers.with(2, withColumns(kept.answers[2] as readonly Message[], names, wide));
      const bytes = bytesOf(described.flat());
      await kept.say(bytes.subarray(0, split));
      await kept.say(bytes.subarray(split ?? bytes.length));
      const [third] = ((await calls[2]) as Result).rows;
      expect(Object.values(third as object)).toEqual(wide);
      const others = await Promise.all(calls.map(outcomeOf));
      expect(others.toSpliced(2, 1)).toEqual(right.toSpliced(2, 1));
    }
  });

  test.each(["in the same packet", "in the next"])(
    "a farewell ends the call it comes to, and those behind it are done once: %s",
    async (packet) => {
      const { answers } = await (await rehearsal(prepare)).kept;
      for (const { call, said } of placesIn(answers)) {
        await using db = await open({ prepare });
        const connection = server.books.length - 1;
        const { outcomes, kept } = await fiveInFlight(db);
        const { before } = placesIn(kept.answers).find((place) => place.call === call && place.said === said) as { before: Buffer };
        const farewell = bytesOf([errorResponse("FATAL", "57P01")]);
        if (packet === "in the next") {
          await kept.say(before);
          await kept.say(farewell);
        } else await kept.say(Buffer.concat([before, farewell]));
        kept.end("fin");
        // of what had begun nobody knows how it ended; what had not is sent again
        expect(await outcomes, `before message ${said} of call ${call}`).toEqual(said === 0 ? right : right.with(call, "57P01 unknown"));
        const again = five.filter((n, at) => textOf(n) === insert && (at > call || (at === call && said === 0)));
        expect([...(server.books[connection + 1]?.done ?? [])].sort()).toEqual(again);
        expect(await db.query(look, [1])).toMatchObject({ rows: [{ n: 1 }] });
      }
    },
  );

  test.each(["fin", "rst"] as const)("the end of the link, at any byte, is the end of those that have no whole answer: %s", async (how) => {
    let length = 1;
    for (let at = 0; at <= length; at++) {
      await using db = await open({ prepare });
      const { outcomes, kept } = await fiveInFlight(db);
      const bytes = bytesOf(kept.answers.flat());
      length = bytes.length;
      await kept.say(bytes.subarray(0, at));
      kept.end(how);
      await until(() => db.stats().total === 0);
      const ends = kept.answers.map((_, call) => bytesOf(kept.answers.slice(0, call + 1).flat()).length);
      expect(await outcomes, `at byte ${at}`).toEqual(
        right.map((own, call) => (at >= (ends[call] as number) ? own : "CONNECTION_LOST unknown")),
      );
      expect(await db.query(look, [1])).toMatchObject({ rows: [{ n: 1 }] });
    }
  });

  test("a row of the third that says it is a gigabyte long takes no memory, and its deadline ends it", async () => {
    await using db = await open({ prepare, deadlineMs: 500 });
    const { outcomes, kept } = await fiveInFlight(db);
    const [first, second, third = []] = kept.answers;
    const row = third.findIndex(({ type }) => type === "D");
    const endless = withLength(message("D", int16(1), int32(999_999_990), Buffer.alloc(1_000, "x")), 1_000_000_000);
    const before = process.memoryUsage();
    await kept.say(bytesOf([first, second, third.slice(0, row), endless].flat() as Message[]));
    for (let part = 0; part < 64; part++) await kept.say(Buffer.alloc(16_384, "x"));
    const after = process.memoryUsage();
    // what has come, and what the socket reads ahead
    expect(after.external + after.arrayBuffers - before.external - before.arrayBuffers).toBeLessThan(16_000_000);
    expect(await outcomes).toEqual(right.map((own, call) => (call < 2 ? own : "DEADLINE_EXCEEDED unknown")));
    expect(await db.query(look, [1])).toMatchObject({ rows: [{ n: 1 }] });
  });

  test("a length that no server can mean ends those that have no answer yet, at once", async () => {
    await using db = await open({ prepare });
    const { outcomes, kept } = await fiveInFlight(db);
    const [first, second, third = []] = kept.answers;
    await kept.say(bytesOf([first, second].flat() as Message[]));
    const row = third.findIndex(({ type }) => type === "D");
    await kept.say(bytesOf([...third.slice(0, row), withLength(third[row] as Message, 2 ** 30)]));
    expect(await outcomes).toEqual(right.map((own, call) => (call < 2 ? own : "OUT_OF_STEP unknown")));
    expect(await db.query(look, [1])).toMatchObject({ rows: [{ n: 1 }] });
  });
});

describe("five calls by their names", () => {
  test("a name that is gone is that of one call alone, which is answered without it", async () => {
    await using db = await open();
    const { outcomes, kept } = await fiveInFlight(db);
    const gone = [errorResponse("ERROR", "26000"), ...(kept.answers[1] as readonly Message[]).slice(-1)];
    await kept.say(bytesOf(kept.answers.with(1, gone).flat()));
    expect(await outcomes).toEqual(right);
    expect(db.stats()).toMatchObject({ connects: 1, discarded: 0 });
  });
});

/** The answers as they are before anything is changed; nobody is given them. */
async function rehearsal(prepare: boolean): Promise<{ readonly kept: Kept }> {
  await using db = await open({ prepare });
  const { outcomes, kept } = await fiveInFlight(db);
  await kept.say(bytesOf(kept.answers.flat()));
  await outcomes;
  return { kept };
}

/** An answer of one row, of these columns. */
function withColumns(answer: readonly Message[], names: readonly string[], values: readonly number[]): readonly Message[] {
  return answer.map((said) => (said.type === "T" ? rowDescription(names) : said.type === "D" ? dataRow(values) : said));
}
