import type pg from "pg";
import type { Audience } from "../../observe/audience.ts";
import type { DatabaseEvent, DiscardEvent, ProbeEvent } from "../../observe/events.ts";
import { type Place, placeOf } from "../../observe/trace-connections.ts";
import type { Lines } from "../lines.ts";
import { Paces } from "../paces.ts";
import type { WireSession } from "../wire-session.ts";
import type { Life } from "./freshness.ts";
import type { Leak } from "./leaks.ts";
import type { Lease } from "./lease.ts";
import { isRenamed, showsPooler } from "./pooler-sign.ts";
import { nextNumber } from "./registry.ts";

/** A connection that has just been opened. */
interface Connected extends Pick<Life, "connectedAt" | "jitter"> {
  readonly durationMs: number;
}

/** What a pool knows of its connections beyond pg's own counts, and tells of them, whichever handle or copy of the package asks. */
export class PoolState {
  /** Where its connections lead to. */
  readonly place: Place;
  connects = 0;
  reuses = 0;
  discarded = 0;
  /** Connections used again after a pause. */
  thaws = 0;
  /** Connections asked whether they still answer. */
  probes = 0;
  /** Connections held for too long. */
  leaks = 0;
  /** When a connection was last found dead: what was used before may be, too. Milliseconds since the epoch. */
  suspectSince = 0;
  /** Calls written behind others on their connection. */
  pipelined = 0;
  /** How fast the answers to a text come. */
  readonly paces: Paces = new Paces();
  /** Sees the text of every statement and script before it is sent; to be set before the first is. */
  onStatement: ((text: string) => void) | undefined;
  /** Whether a connection gave a number to cancel by that is no process': a pooler's own. */
  showsPooler = false;
  /** Whether that was one that gives a name of its own, and drops what stands behind a Sync. */
  showsSupavisor = false;
  /** Whether the pool has been shown to an `onPool`. */
  shown = false;
  readonly lives: WeakMap<pg.PoolClient, Life> = new WeakMap();
  readonly #ids = new WeakMap<pg.PoolClient, string>();
  readonly sessions: WeakMap<pg.PoolClient, WireSession> = new WeakMap();
  /** Leases that several calls share; made by the first transport over the pool. */
  lines: Lines<Lease> | undefined;
  /** Those of the handles that share the pool. A pool that takes the place of one that was ended takes over its set. */
  audiences: Set<Audience> = new Set();

  constructor(login: Parameters<typeof placeOf>[0]) {
    this.place = placeOf(login, "pool");
  }

  /** Whether anybody listens. */
  get isHeard(): boolean {
    for (const audience of this.audiences) if (audience.size > 0) return true;
    return false;
  }

  /** Tells what `make` gives, if anybody listens. */
  tell(make: () => DatabaseEvent): void {
    let event: DatabaseEvent | undefined;
    for (const audience of this.audiences) {
      if (audience.size === 0) continue;
      event ??= make();
      audience.tell(event);
    }
  }

  /** The name of a connection, unique within this process. */
  idOf(client: pg.PoolClient): string {
    let id = this.#ids.get(client);
    if (id === undefined) {
      id = `c${nextNumber()}`;
      this.#ids.set(client, id);
    }
    return id;
  }

  /** Whether nothing may be sent any more on a connection. */
  isBroken(client: pg.PoolClient): boolean {
    return this.sessions.get(client)?.broken === true;
  }

  /** Why a connection is thrown away that is given back so. */
  breachOf(client: pg.PoolClient): DiscardEvent["reason"] {
    return this.sessions.get(client)?.breach ?? "broken";
  }

  noteConnect(client: pg.PoolClient, { durationMs, ...life }: Connected): void {
    this.connects++;
    this.paces.noteConnect(durationMs);
    if (showsPooler(client)) this.showsPooler = true;
    if (isRenamed(client)) this.showsSupavisor = true;
    const id = this.idOf(client);
    this.lives.set(client, { usedAt: life.connectedAt, ...life });
    this.tell(() => ({ type: "connect", transport: "pool", connectionId: id, durationMs }));
  }

  noteReuse(client: pg.PoolClient): void {
    this.reuses++;
    this.tell(() => ({ type: "reuse", transport: "pool", connectionId: this.idOf(client) }));
  }

  noteThaw(client: pg.PoolClient, idleMs: number): void {
    this.thaws++;
    this.tell(() => ({ type: "thaw", connectionId: this.idOf(client), idleMs }));
  }

  /** A connection is asked: `answer` is to be given what it says, `tell` called when it is known who is used. */
  noteProbe(client: pg.PoolClient): { readonly answer: (alive: boolean) => boolean; readonly tell: () => void } {
    this.probes++;
    const startedAt = performance.now();
    let answer: ProbeEvent["answer"] = "silent";
    return {
      answer(alive) {
        answer = alive ? "answered" : "lost";
        return alive;
      },
      tell: () => this.tell(() => ({ type: "probe", connectionId: this.idOf(client), answer, durationMs: performance.now() - startedAt })),
    };
  }

  noteDiscard(client: pg.PoolClient, reason: DiscardEvent["reason"]): void {
    this.discarded++;
    this.tell(() => ({ type: "discard", transport: "pool", connectionId: this.idOf(client), reason }));
  }

  /** Counts a leak, tells of it and warns. */
  leakReporter(warn: (message: string) => void): (leak: Leak) => void {
    return (leak) => {
      this.leaks++;
      this.tell(() => ({ type: "leak", ...leak }));
      warn(`A connection has been held for ${leak.heldMs} ms (leakThresholdMs), and still is. It was taken here:\n${leak.stack}`);
    };
  }
}
