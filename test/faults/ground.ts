import { setTimeout as delay } from "node:timers/promises";
import type { PostgresServer } from "../support/postgres/server.ts";
import type { Admin } from "./admin.ts";
import type { Book } from "./book.ts";
import type { Contender } from "./contender.ts";
import type { Ground, Way } from "./fault.ts";
import type { Outcome } from "./outcome.ts";
import type { Reply, Request } from "./serve.ts";
import type { World } from "./world.ts";

/** What a ground is made of. */
export interface GroundParts {
  readonly way: Way;
  readonly contender: Contender;
  readonly server: PostgresServer;
  readonly admin: Admin;
  readonly world: World;
  readonly book: Book;
  readonly applicationName: string;
  readonly deadlineMs: number;
  readonly quick: boolean;
  /** What a call may take beyond its deadline before it counts as hung, milliseconds. */
  readonly slackMs: number;
  /** How long success is waited for, milliseconds. */
  readonly patienceMs: number;
}

/** What was counted on a ground so far. */
export interface GroundCounts {
  hung: number;
  failed: number;
  unrecovered: number;
  readonly recoveries: number[];
}

/** A ground for one round after the other; `counts` grows. */
export function createGround(parts: GroundParts): { readonly ground: Ground; readonly counts: GroundCounts; recovered(): boolean } {
  const { way, contender, server, admin, world, book, applicationName, deadlineMs, quick } = parts;
  const counts: GroundCounts = { hung: 0, failed: 0, unrecovered: 0, recoveries: [] };
  let recovered = false;
  let last: Outcome | undefined;

  async function ask(request: Request, limitMs: number): Promise<Outcome> {
    const startedAt = performance.now();
    const outcome = read(await contender.send(request, limitMs), performance.now() - startedAt);
    book.note(outcome);
    if (outcome.state === "hung") counts.hung += 1;
    counts.failed += outcome.state === "died" ? 1 : outcome.settled.filter(({ ok }) => !ok).length;
    return outcome;
  }
  const send: Ground["send"] = (errand, input, { limitMs = deadlineMs + parts.slackMs } = {}) =>
    ask({ errand, input } as unknown as Request, limitMs);
  const write = (lock?: number) => send("write", { id: book.id(), lock });

  /** Whether a write succeeds in time; a call that hangs ends it. */
  async function succeeds(): Promise<boolean> {
    for (const giveUpAt = performance.now() + parts.patienceMs; ; await delay(10)) {
      last = await write();
      if (last.state === "ok") return true;
      if (last.state === "hung" || performance.now() > giveUpAt) return false;
    }
  }

  const ground: Ground = {
    way,
    contender: contender.name,
    deadlineMs,
    quick,
    applicationName,
    server,
    admin,
    front: world.front,
    back: world.back,
    middle: world.middle,
    id: () => book.id(),
    send,
    write,
    transaction: (lock) => send("transaction", { writes: [{ id: book.id() }, { id: book.id(), lock }] }),
    async ready() {
      recovered = false;
      if (!(await succeeds()) && !(await succeeds()))
        throw new Error(`${contender.name} (${way}) does not work at all (${last?.state}: ${last?.code}):\n${contender.logs()}`);
    },
    restart: () => contender.end(),
    pause: (wallClockMs) => contender.pause(wallClockMs),
    async recover() {
      recovered = true;
      await world.heal();
      const startedAt = performance.now();
      if (await succeeds()) counts.recoveries.push(performance.now() - startedAt);
      else counts.unrecovered += 1;
    },
  };
  return { ground, counts, recovered: () => recovered };
}

function read(reply: Reply, ms: number): Outcome {
  if (reply.state !== "answered") return { state: reply.state, settled: [], ms };
  const { settled, told } = reply.answer;
  const failure = settled.find(({ ok }) => !ok);
  return { state: failure === undefined ? "ok" : "failed", settled, fate: failure?.fate, code: failure?.code, told, ms };
}
