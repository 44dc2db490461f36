import type { Random } from "../../support/random.ts";
import {
  commandComplete,
  dataRow,
  errorResponse,
  int16,
  int32,
  type Message,
  message,
  readyForQuery,
  report,
  rowDescription,
  text,
  wholeAnswer,
  withLength,
} from "./answers.ts";
import type { Reply } from "./backend.ts";

/** What is said in place of a reply. */
export interface Said {
  readonly messages: readonly Message[];
  /** Said behind it, after a pause in milliseconds, 0 for the next turn; or when that resolves. */
  readonly afterwards?: { readonly messages: readonly Message[]; readonly afterMs: number | Promise<void> };
  /** How the connection ends behind it. `silence`: it goes on, and says nothing any more. */
  readonly ends?: "fin" | "rst" | "silence";
  /** How many bytes are missing at the end. */
  readonly cut?: number;
  /** Whether each byte is sent on its own. */
  readonly bytewise?: boolean;
}

/** One way to behave badly; undefined where the reply gives no occasion. */
export type Misdeed = (reply: Reply, random: Random) => Said | undefined;

/** A number that is nobody's. */
const FOREIGN = 777_777_777;

const isAnswer = ({ kind }: Reply) => kind !== "login";

function placeOf({ messages }: Reply, type: string): number {
  return messages.findIndex((said) => said.type === type);
}

/** Puts `others` in place of the first message of a type. */
function replacing(type: string, others: (first: Message, random: Random) => readonly Message[]): Misdeed {
  return (reply, random) => {
    const at = placeOf(reply, type);
    if (at < 0 || !isAnswer(reply)) return undefined;
    const { messages } = reply;
    return { messages: [...messages.slice(0, at), ...others(messages[at] as Message, random), ...messages.slice(at + 1)] };
  };
}

/** Puts `others` somewhere into an answer. */
function inserting(others: (random: Random) => readonly Message[]): Misdeed {
  return (reply, random) => {
    if (!isAnswer(reply)) return undefined;
    const at = random.between(0, reply.messages.length);
    return { messages: [...reply.messages.slice(0, at), ...others(random), ...reply.messages.slice(at)] };
  };
}

const garbage = (random: Random, length = random.between(0, 12)) => Buffer.from(Array.from({ length }, () => random.between(0, 255)));
const copyStart = (type: string) => message(type, Buffer.from([0]), int16(0));
const someStatus = (random: Random) => readyForQuery(random.pick(["I", "T", "E"]));

/**
 * What no client can tell, and is not made: a whole answer that nobody asked for, in a packet of its own, that comes when the next statement
 * is on its way and fits it; a value that is wrong inside of a sound row; an ERROR that is said of what was done.
 */
export const misdeeds = {
  "ready too many": replacing("Z", (ready, random) => Array.from({ length: random.between(2, 3) }, () => ready)),
  "ready too many, next packet": (reply, random) => ({
    messages: reply.messages,
    afterwards: { messages: [someStatus(random)], afterMs: 0 },
  }),
  "ready too many, later": (reply, random) => ({
    messages: reply.messages,
    afterwards: { messages: [someStatus(random)], afterMs: random.between(1, 15) },
  }),
  "no ready": replacing("Z", () => []),
  "status wrong": replacing("Z", ({ bytes }, random) => [
    readyForQuery(random.pick(["I", "T", "E"].filter((status) => status !== bytes.toString("latin1", 5)))),
  ]),
  "status unknown": replacing("Z", (_, random) => [readyForQuery(random.pick(["X", "i", "\0", "", "II"]))]),
  "type unknown": inserting((random) => [message(random.pick(["?", "\0", "V", "v", "z", "ÿ"]), garbage(random))]),
  "no row description": replacing("T", (_, random) => (random.once(2) ? [] : [message("n")])),
  "row description twice": replacing("T", (first) => [first, first]),
  "columns wrong": replacing("T", (_, random) => [rowDescription(random.pick([[], ["n", "m"], ["n", "n", "n"]]))]),
  "row width wrong": replacing("D", (_, random) => [dataRow(random.pick([[], [1, 2], [FOREIGN, null, 3]]))]),
  "complete twice": replacing("C", (first) => [first, first]),
  "no complete": replacing("C", () => []),
  // never ROLLBACK of what was committed: that is a lie in sound words
  "tag garbage": replacing("C", (_, random) => [
    commandComplete(random.pick(["", "0", "SELECT", "BEGIN", "SAVEPOINT", "é", "SELECT 99999999999999999999", " ".repeat(29_000)])),
  ]),
  "empty query": replacing("C", () => [message("I")]),
  "portal suspended": replacing("C", (first, random) => (random.once(2) ? [message("s")] : [message("s"), first])),
  "copy in": inserting(() => [copyStart("G")]),
  "copy in, for an end": replacing("C", () => [copyStart("G")]),
  "copy out": inserting((random) => [copyStart("H"), ...(random.once(2) ? [message("d", Buffer.from(`${FOREIGN}\n`)), message("c")] : [])]),
  "copy both": inserting(() => [copyStart("W")]),
  "copy data": inserting((random) => [random.once(2) ? message("d", garbage(random)) : message("c")]),
  "error without fields": inserting((random) => [
    random.pick([report("E", {}), report("E", { M: "a" }), report("E", { S: "ERROR", M: "a" }), report("E", { C: "XX000", M: "a" })]),
  ]),
  "error of garbage": inserting((random) => [message("E", garbage(random, random.between(0, 40)))]),
  "error, and then complete": replacing("C", (first) => [errorResponse("ERROR", "22012"), first]),
  "error, and then the rest": (reply, random) => {
    // behind the last command it is a deferred constraint's, and right
    const last = reply.messages.length - 2;
    if (!isAnswer(reply) || last < 1) return undefined;
    const at = random.between(0, last);
    return { messages: [...reply.messages.slice(0, at), errorResponse("ERROR", "22012"), ...reply.messages.slice(at)] };
  },
  "other messages of the protocol": inserting((random) => [
    random.pick([message("1"), message("2"), message("3"), message("n"), message("t", int16(0)), message("t", int16(1), int32(23))]),
  ]),
  "begin refused": () => undefined,
  "length too small": (reply, random) => {
    const at = random.between(0, reply.messages.length - 1);
    return { messages: reply.messages.with(at, withLength(reply.messages[at] as Message, random.between(0, 3))) };
  },
  "length wrong": (reply, random) => {
    const at = random.between(0, reply.messages.length - 1);
    const wrong = reply.messages[at] as Message;
    return { messages: reply.messages.with(at, withLength(wrong, wrong.bytes.length - 1 + random.pick([-2, -1, 1, 2, 7]))) };
  },
  "length huge": (reply, random) => {
    const at = random.between(0, reply.messages.length - 1);
    const length = random.pick([-1, -5, 2 ** 31 - 1, -(2 ** 31), 2 ** 30, 30_001]);
    return { messages: reply.messages.with(at, withLength(reply.messages[at] as Message, length)), ends: random.pick(["silence", "fin"]) };
  },
  "row of nonsense": replacing("D", (_, random) => [
    random.pick([
      message("D"),
      message("D", int16(-1)),
      message("D", int16(1)),
      message("D", int16(1), int32(-2)),
      message("D", int16(1), int32(1000), Buffer.from("1")),
      message("D", int16(32_767), int32(-1)),
      message("D", int16(1), int32(1), Buffer.from("12")),
      message("D", int16(1), int32(2 ** 31 - 1)),
    ]),
  ]),
  "row description of nonsense": replacing("T", (first, random) => [
    random.pick([
      message("T"),
      message("T", int16(-1)),
      message("T", int16(2), first.bytes.subarray(7)),
      message("T", int16(1), text("n")),
      message("T", int16(1), Buffer.from("n without an end")),
      message("T", int16(30_000), garbage(random, 60)),
    ]),
  ]),
  truncated: (reply, random) => {
    const length = reply.messages.reduce((sum, { bytes }) => sum + bytes.length, 0);
    return { messages: reply.messages, cut: random.between(1, length), ends: random.pick(["fin", "rst", "fin", "rst", "silence"]) };
  },
  "headers flipped": (reply, random) => {
    const at = random.between(0, reply.messages.length - 1);
    const bytes = Buffer.from((reply.messages[at] as Message).bytes);
    const place = random.between(0, 4);
    bytes[place] = (bytes[place] as number) ^ (1 << random.between(0, 7));
    return { messages: reply.messages.with(at, { type: "?", bytes }), ends: random.pick(["silence", "fin"]) };
  },
  "a foreign answer behind it": (reply) => ({ messages: [...reply.messages, ...wholeAnswer(FOREIGN), readyForQuery("I")] }),
  "a foreign answer before it": (reply) =>
    isAnswer(reply) ? { messages: [...wholeAnswer(FOREIGN), readyForQuery("I"), ...reply.messages] } : undefined,
  "part of an answer, later": (reply, random) => ({
    messages: reply.messages,
    afterwards: {
      messages: random.pick([
        [dataRow([FOREIGN])],
        [rowDescription(["n"]), dataRow([FOREIGN]), commandComplete("SELECT 1"), readyForQuery("I")],
        [commandComplete("INSERT 0 1"), readyForQuery("I")],
        [message("1"), message("1")],
        [message("2")],
        [message("I"), readyForQuery("I")],
      ]),
      afterMs: random.between(0, 10),
    },
  }),
  "answers too many": (reply) => {
    const end = reply.messages.length - 1;
    return isAnswer(reply) ? { messages: [...reply.messages.slice(0, end), ...reply.messages] } : undefined;
  },
  "answers too few": (reply) => {
    const from = placeOf(reply, "1");
    const to = placeOf(reply, "C");
    if (from < 0 || to < 0) return undefined;
    return { messages: [...reply.messages.slice(0, from), ...reply.messages.slice(to + 1)] };
  },
  "no answer but ready": (reply) => (isAnswer(reply) ? { messages: reply.messages.slice(-1) } : undefined),
  "key again": inserting(() => [message("K", int32(3), int32(4))]),
  "authentication again": inserting((random) => [
    message("R", int32(random.pick([0, 3, 5, 10, 11, 12, 99])), ...(random.once(2) ? [Buffer.from("SCRAM-SHA-256\0\0")] : [])),
  ]),
  "fatal while idle": (reply, random) => ({
    messages: reply.messages,
    afterwards: { messages: [errorResponse("FATAL", "57P01")], afterMs: random.between(0, 10) },
    ends: "fin",
  }),
  "error while idle": (reply, random) => ({
    messages: reply.messages,
    afterwards: { messages: [random.once(2) ? errorResponse("ERROR", "XX000") : report("E", {})], afterMs: random.between(0, 10) },
  }),
  "login refused": (reply) => (isAnswer(reply) ? undefined : { messages: [errorResponse("FATAL", "57P03")], ends: "fin" }),
  "login of nonsense": (reply, random) => {
    if (isAnswer(reply)) return undefined;
    const at = random.between(0, reply.messages.length - 1);
    const wrong = random.pick([
      ...[message("T"), rowDescription(["n"]), message("1"), commandComplete("SELECT 1"), message("R", int32(99)), report("E", {})],
      ...[message("R"), message("R", int32(10)), message("R", int32(11), Buffer.from("x")), message("?"), message("Z")],
      ...[errorResponse("ERROR", "XX000"), message("d"), copyStart("G"), message("W"), message("n"), message("K", int32(1))],
    ]);
    return { messages: [...reply.messages.slice(0, at), wrong, ...reply.messages.slice(at)] };
  },
} satisfies Readonly<Record<string, Misdeed>>;

/** What is right, however unusual: every call has to succeed. */
export const oddities = {
  "asides between": (reply, random) => {
    const aside = () =>
      random.pick([
        report("N", { S: "NOTICE", V: "NOTICE", C: "00000", M: "by the way" }),
        report("N", {}),
        message("S", text("TimeZone"), text("UTC")),
        message("A", int32(7), text("channel"), text("payload")),
      ]);
    return { messages: reply.messages.flatMap((said) => (said.type === "R" ? [said] : [aside(), said, aside()])) };
  },
  "aside later": (reply, random) => ({
    messages: reply.messages,
    afterwards: { messages: [report("N", { S: "NOTICE", V: "NOTICE", C: "00000", M: "late" })], afterMs: random.between(0, 10) },
  }),
  bytewise: (reply) => ({ messages: reply.messages, bytewise: true }),
} satisfies Readonly<Record<string, Misdeed>>;

/** All there is to do, by name. */
export const deeds: Readonly<Record<string, Misdeed>> = { ...misdeeds, ...oddities };
