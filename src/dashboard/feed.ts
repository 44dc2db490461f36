import { type Mark, makeMarker } from "./mark.ts";
import { makeRecentErrors } from "./recent-errors.ts";
import { makeSample } from "./sample.ts";
import { count, makeTotals } from "./totals.ts";
import type { DatabaseEvent, Watched } from "./watched.ts";

/** A piece of the picture, encoded once for all who look at it. */
interface Frame {
  /** From 1, without a gap. */
  readonly seq: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What viewers are shown of one database. It holds the last seconds, and knows nobody who looks: however many look, it grows no more. */
export interface Feed {
  /** What a viewer is told first: the plan. */
  hello(): Uint8Array<ArrayBuffer>;
  /** The frames after this one, the oldest first; of who is too far behind, the newest alone. Reading makes a frame when one is due. */
  after(seq: number): readonly Frame[];
  /** The number of the frame a viewer begins after. */
  begin(lastEventId: string | undefined): number;
  /** Draws a line, or a band so wide, across all lanes: something was done to what is shown. */
  note(label: string, forMs?: number): void;
  /** Stops listening. */
  close(): void;
}

/** At least so long between two frames, and at most so long, milliseconds. */
const SHORTEST_MS = 100;
const LONGEST_MS = 1_000;
/** Frames that are kept for who comes, or is late. */
const KEPT = 20;
/** Errors are told when they change, and in every so many frames for who missed that one. */
const ERRORS_EVERY = 10;
/** Marks of one frame: of warm calls, of which there may be thousands, and of all that is rarer. */
const WARM_MARKS = 120;
const OTHER_MARKS = 120;

const encoder = new TextEncoder();

/** A feed of this database. It listens from now on, so that who looks later sees the errors and the counts of before. */
export function makeFeed(watched: Watched, now: () => number = Date.now): Feed {
  let id = "";
  const totals = makeTotals();
  const errors = makeRecentErrors();
  const markOf = makeMarker();
  const warm = makeSample<Mark>(WARM_MARKS);
  const others = makeSample<Mark>(OTHER_MARKS);
  let frames: readonly Frame[] = [];
  let seq = 0;
  let sealedAt = 0;
  let sealed = 0;
  let told = 0;
  let drawable = 0;
  let noted = false;

  const listen = (event: DatabaseEvent) => {
    const at = now();
    count(totals, event);
    errors.add(event, at);
    const mark = markOf(event, at);
    if (mark === null) return;
    drawable++;
    (mark[0] === "q" && mark[4] !== "new" && mark[4] !== "thaw" ? warm : others).add(mark);
  };
  const unsubscribe = watched.subscribe(listen);

  const seal = (at: number) => {
    // here, for Workers hand out no randomness before the first request
    id ||= crypto.randomUUID().slice(0, 8);
    const marks = [...others.take(), ...warm.take()];
    const left = drawable - marks.length;
    seq++;
    const shown = errors.version === told && seq % ERRORS_EVERY !== 0 ? undefined : errors.list;
    // `from` is how many events were told before it: a viewer who missed frames knows by it how many it missed
    const frame = { at, from: sealed, totals, stats: statsOf(watched), marks, left, errors: shown };
    sealedAt = at;
    sealed = totals.events;
    told = errors.version;
    drawable = 0;
    noted = false;
    frames = [...frames, { seq, bytes: sse("frame", frame, `${id}-${seq}`) }].slice(-KEPT);
  };

  return {
    hello: () => sse("hello", { plan: planOf(watched), errors: errors.list, now: now() }),
    after(last) {
      const at = now();
      const waited = at - sealedAt;
      if (waited >= LONGEST_MS || waited < 0 || (waited >= SHORTEST_MS && (noted || totals.events > sealed))) seal(at);
      const [oldest] = frames;
      if (oldest !== undefined && last < oldest.seq - 1) return frames.slice(-1);
      return frames.filter((frame) => frame.seq > last);
    },
    begin(lastEventId) {
      const [feed, number] = (lastEventId ?? "").split("-");
      const oldest = Math.max(0, seq - KEPT);
      return feed === id && /^\d{1,15}$/.test(number ?? "") && Number(number) <= seq ? Math.max(oldest, Number(number)) : oldest;
    },
    note(label, forMs = 0) {
      others.add(["s", null, now(), label, forMs]);
      drawable++;
      noted = true;
    },
    close: unsubscribe,
  };
}

/** Source: HTML's server-sent events; JSON has no line break. */
function sse(name: string, data: unknown, id?: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(`${id === undefined ? "retry: 500\n" : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
}

/** Null where there are none, as before a setting that lacks is set. */
function statsOf(watched: Watched): ReturnType<Watched["stats"]> | null {
  try {
    return watched.stats();
  } catch {
    return null;
  }
}

/** The plan, or why there is none: a setting's name and what to do, and never its value. */
function planOf(watched: Watched): Partial<Watched["plan"]> | { readonly trouble: string } {
  try {
    const { traits: _, capabilities: __, ...shown } = watched.plan;
    return shown;
  } catch (error) {
    return { trouble: error instanceof Error ? error.message : "There is no plan." };
  }
}
