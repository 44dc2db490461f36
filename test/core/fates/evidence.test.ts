import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Answer, type Evidence, fateFromEvidence, type Phase, type TransactionStatus, type Work } from "../../../src/errors/fate.ts";
import { connectFailure } from "../../../src/transports/pool/connect-failure.ts";

const error = (code: string, more: Partial<Extract<Answer, object>> = {}): Answer => ({ code, fatal: false, byServer: true, ...more });
const fatal = (code: string, more: Partial<Extract<Answer, object>> = {}): Answer => error(code, { fatal: true, ...more });

const evidence = (given: Partial<Evidence>): Evidence => ({
  work: "autocommit",
  phase: "answered",
  status: "idle",
  completed: { count: 0, committed: false },
  selfCommitting: false,
  answer: error("23505"),
  ...given,
});

describe("the fate that the evidence tells", () => {
  test.each<[string, Partial<Evidence>, string]>([
    ["a violated constraint", {}, "refused"],
    ["the same of a command that may commit by itself", { selfCommitting: true }, "unknown"],
    ["the same of a text that could not be parsed", { selfCommitting: true, phase: "written" }, "refused"],
    ["the same in an open block", { selfCommitting: true, work: "open", status: "failed" }, "refused"],
    ["the same in a batch", { selfCommitting: true, work: "commit", status: "failed" }, "refused"],
    ["a deferred constraint: the command had completed", { completed: { count: 1, committed: false } }, "refused"],
    ["a deferred constraint at COMMIT", { work: "commit" }, "refused"],
    ["a cancelled statement", { answer: error("57014") }, "refused"],
    ["a cancelled procedure", { answer: error("57014"), selfCommitting: true }, "unknown"],
    ["a wrong number of parameters", { answer: error("08P01") }, "refused"],
    ["a function that raises 08001", { answer: error("08001") }, "refused"],
    ["a pooler that says 08P01", { answer: error("08P01", { byServer: false }) }, "unknown"],
    ["a pooler's own system error", { answer: error("58000", { byServer: false }) }, "unknown"],
    ["a pooler's own internal error", { answer: error("XX000", { byServer: false }) }, "unknown"],
    ["Postgres' own system error", { answer: error("58030") }, "refused"],
    ["an error a pooler hands on", { answer: error("23505", { byServer: false }) }, "refused"],
    ["unknown by its name", { answer: error("40003") }, "unknown"],
    ["the same in an open block", { answer: error("08007"), work: "open" }, "unknown"],
    ["a farewell before anything began", { answer: fatal("57P01"), phase: "written", status: undefined }, "refused"],
    ["the same behind a pooler", { answer: fatal("57P01", { byServer: false }), phase: "written", status: undefined }, "unknown"],
    ["the same to a script", { answer: fatal("57P01"), phase: "written", status: undefined, work: "script" }, "unknown"],
    ["a crash before anything began", { answer: fatal("57P02"), phase: "written", status: undefined }, "unknown"],
    ["a farewell to a statement that runs", { answer: fatal("57P01"), phase: "begun", status: undefined }, "unknown"],
    ["the same in an open block", { answer: fatal("57P01"), phase: "begun", status: undefined, work: "open" }, "refused"],
    ["a link lost with a statement", { answer: "lost", phase: "written", status: undefined }, "unknown"],
    ["a link lost in an open block", { answer: "lost", phase: "begun", status: undefined, work: "open" }, "refused"],
    ["a link lost with a COMMIT", { answer: "lost", phase: "begun", status: undefined, work: "commit" }, "unknown"],
    ["a link lost before a byte was written", { answer: "lost", phase: "unsent" }, "not-sent"],
    ["a login that was refused", { answer: fatal("28P01"), phase: "login" }, "not-sent"],
    ["an answer out of step", { answer: "out-of-step" }, "unknown"],
    ["an answer out of step in an open block", { answer: "out-of-step", work: "open" }, "unknown"],
    ["an answer that could not be decoded", { answer: "unread" }, "applied"],
    ["a script whose second statement is refused", { work: "script", completed: { count: 1, committed: false } }, "refused"],
    ["a script that had committed", { work: "script", completed: { count: 2, committed: true } }, "unknown"],
    ["a script that had committed, in a block", { work: "script", status: "failed", completed: { count: 3, committed: true } }, "unknown"],
    ["a script that is one procedure", { work: "script", selfCommitting: true }, "unknown"],
    ["a script's procedure in a block", { work: "script", selfCommitting: true, status: "failed" }, "refused"],
    [
      "a script's procedure behind a statement",
      { work: "script", selfCommitting: true, completed: { count: 1, committed: false } },
      "refused",
    ],
  ])("%s", (_, given, fate) => {
    expect(fateFromEvidence(evidence(given))).toBe(fate);
  });
});

const works: readonly Work[] = ["autocommit", "open", "commit", "script"];
const phases: readonly Phase[] = ["unsent", "login", "written", "begun", "answered"];
const statuses: readonly (TransactionStatus | undefined)[] = ["idle", "open", "failed", undefined];
const answers: readonly Answer[] = [
  ..."23505 40001 57014 57P01 57P02 08P01 08007 40003 58000 XX000"
    .split(" ")
    .flatMap((code) => [true, false].flatMap((byServer) => [error(code, { byServer }), fatal(code, { byServer })])),
  "lost",
  "unread",
  "out-of-step",
];

/** Every combination of evidence: 4 × 5 × 4 × 3 × 2 × 43. */
const every: readonly Evidence[] = works.flatMap((work) =>
  phases.flatMap((phase) =>
    statuses.flatMap((status) =>
      [
        { count: 0, committed: false },
        { count: 1, committed: false },
        { count: 1, committed: true },
      ].flatMap((completed) =>
        [true, false].flatMap((selfCommitting) => answers.map((answer) => ({ work, phase, status, completed, selfCommitting, answer }))),
      ),
    ),
  ),
);

describe("all evidence there can be", () => {
  const of = (holds: (given: Evidence) => boolean) => new Set(every.filter(holds).map(fateFromEvidence));
  const isRefusal = (answer: Answer) => typeof answer === "object";
  const left = ({ phase }: Evidence) => phase !== "unsent" && phase !== "login";

  test("is enough for a fate", () => {
    expect(every).toHaveLength(20_640);
    expect(of(() => true)).toEqual(new Set(["not-sent", "applied", "refused", "unknown"]));
  });

  test("tells not-sent of what did not leave, and of nothing else", () => {
    expect(of((given) => !left(given))).toEqual(new Set(["not-sent"]));
    expect(of(left)).not.toContain("not-sent");
  });

  test("tells applied of an answer that was read, and of nothing else", () => {
    expect(of((given) => left(given) && given.answer === "unread")).toEqual(new Set(["applied"]));
    expect(of((given) => given.answer !== "unread")).not.toContain("applied");
  });

  test("never tells refused of a lost link, save in an open block", () => {
    expect(of((given) => left(given) && given.answer === "lost" && given.work !== "open")).toEqual(new Set(["unknown"]));
  });

  test("never tells refused of what may have committed by itself outside of a block", () => {
    const alone = (given: Evidence) => left(given) && given.work === "autocommit" && given.selfCommitting && isRefusal(given.answer);
    expect(of((given) => alone(given) && given.phase !== "written")).toEqual(new Set(["unknown"]));
  });

  test("never tells refused of a script that has committed", () => {
    const committed = (given: Evidence) =>
      left(given) && given.work === "script" && given.completed.committed && given.phase !== "written" && given.answer !== "unread";
    expect(of(committed)).toEqual(new Set(["unknown"]));
  });

  test("never believes a pooler's word on its own link outside of an open block", () => {
    const said = ({ answer }: Evidence) => typeof answer === "object" && !answer.byServer && /^(08|58|XX)/.test(answer.code);
    expect(of((given) => left(given) && said(given) && given.work !== "open")).toEqual(new Set(["unknown"]));
  });

  test("tells what the table in docs/architecture.md says", () => {
    const text = readFileSync(new URL("../../../docs/architecture.md", import.meta.url), "utf8");
    const rows = Array.from(
      text.matchAll(/^\| `(\w[\w-]*)` \| (.+?) \| (.+?) \| `(not-sent|refused|unknown|applied)` \|$/gm),
      ([, ...row]) => row,
    );
    expect(rows.length).toBeGreaterThan(12);
    for (const [answer, work, more, fate] of rows)
      expect([answer, work, more, tableFate(answer, work, more)]).toEqual([answer, work, more, fate]);
  });
});

/** What all evidence that a row of the table describes tells; several fates where the row is not precise. */
function tableFate(answer = "", work = "", more = ""): string {
  const found = every.filter((given) => {
    const leftAlone = given.phase !== "unsent" && given.phase !== "login";
    if (answer === "none") return !leftAlone;
    if (!leftAlone) return false;
    if (work !== "any" && !work.split(" · ").includes(given.work)) return false;
    const refusal = typeof given.answer === "object" ? given.answer : undefined;
    const kind = refusal ? (refusal.fatal ? "FATAL" : "ERROR") : (given.answer as string);
    return kind === answer && conditions[more]?.(given, refusal);
  });
  const fates = new Set(found.map(fateFromEvidence));
  return fates.size === 1 ? ([...fates][0] as string) : `${fates.size} fates`;
}

const named = (code = "") => /^(08007|40003)$/.test(code);
const ofLink = (refusal?: Exclude<Answer, string>) => refusal !== undefined && !refusal.byServer && /^(08|58|XX)/.test(refusal.code);
const stays = ({ work, selfCommitting, completed, status, phase }: Evidence) =>
  phase !== "written" &&
  (work === "script" ? completed.committed || (completed.count === 0 && status !== "failed" && selfCommitting) : selfCommitting);
const farewell = ({ phase }: Evidence, refusal?: Exclude<Answer, string>) =>
  phase === "written" && refusal?.byServer === true && refusal.code !== "57P02";

/** The third column of the table. */
const conditions: Readonly<Record<string, (given: Evidence, refusal?: Exclude<Answer, string>) => boolean>> = {
  "–": (_, refusal) => !named(refusal?.code),
  "08007, 40003": (_, refusal) => named(refusal?.code),
  "nothing of it can have stayed": (given, refusal) => !named(refusal?.code) && !ofLink(refusal) && !stays(given),
  "part of it may have stayed": (given, refusal) => !named(refusal?.code) && !ofLink(refusal) && stays(given),
  "the text itself was refused, before ParseComplete": (given, refusal) =>
    given.phase === "written" && !named(refusal?.code) && !ofLink(refusal),
  "08, 58, XX, not said by Postgres itself": (_, refusal) => !named(refusal?.code) && ofLink(refusal),
  "before ParseComplete, no pooler between": (given, refusal) => !named(refusal?.code) && farewell(given, refusal),
  otherwise: (given, refusal) => !named(refusal?.code) && !farewell(given, refusal),
};

test("nothing is sent before the login ends, and some refusals come again", () => {
  const context = { where: "db:5432", secrets: [], passwordIsFunction: false };
  const say = (code: string, message = "no") => connectFailure(Object.assign(new Error(message), { severity: "FATAL", code }), context);
  const comesAgain = (code: string) => say(code).retryable;
  const [lasting, passing] = [
    ["28P01", "28000", "3D000", "42704", "0A000", "08P01"],
    ["53300", "57P03", "08000", "08001", "08004", "08006"],
  ];
  expect(new Set([...lasting, ...passing].map((code) => say(code).fate))).toEqual(new Set(["not-sent"]));
  expect([lasting.filter(comesAgain), passing.filter(comesAgain)]).toEqual([[], passing]);
  // PgBouncer says both with one SQLSTATE
  expect(say("08P01", "no more connections allowed (max_client_conn)").retryable).toBe(true);
  expect(say("08P01", "unsupported startup parameter: options").retryable).toBe(false);
});
