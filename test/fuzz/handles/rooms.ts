import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "pg";

/** Between two counts, milliseconds: shorter than a login takes, and long enough to leave the machine to those who log in. */
const PAUSE_MS = 3;

/** A handle's share of a room. */
export interface Stay {
  /** Makes a call. From the first on its limits may hold. */
  call<T>(work: () => Promise<T>): Promise<T>;
  /** It is being closed. To be awaited before the room is left. */
  end(close: () => Promise<void>): Promise<void>;
}

interface Guest {
  readonly max: number;
  order: number;
  begun: boolean;
}

/** What is known of one room. */
interface Room {
  readonly guests: Set<Guest>;
  /** The most backends there may be: the newest guest's `max`, or what was allowed before and has not been seen to shrink. */
  bound: number;
  /** Those who are on their way out, and may count or not. */
  leaving: number;
  changes: number;
  /** Calls on their way, by how many changes there had been when they began: what they open may be of older limits. */
  readonly calls: Set<{ readonly after: number }>;
}

/** More backends than there may be. */
export interface Overflow {
  readonly room: string;
  readonly backends: number;
  readonly bound: number;
}

/** Counts the backends of every room from another database, for as long as it is not stopped, and holds them against the newest `max`. */
export class Rooms {
  readonly overflows: Overflow[] = [];
  samples = 0;
  /** Samples in which a room was as full as it may be. */
  full = 0;
  readonly #rooms = new Map<string, Room>();
  #orders = 0;
  #stopped = false;
  #watching: Promise<void> | undefined;

  /** A guest; `late` is one whose age counts from its first call. */
  enter(name: string, { max, late }: { readonly max: number; readonly late: boolean }): Stay {
    const room = this.#rooms.get(name) ?? { guests: new Set(), bound: 0, leaving: 0, changes: 0, calls: new Set() };
    this.#rooms.set(name, room);
    const guest: Guest = { max, order: ++this.#orders, begun: false };
    return {
      call: async (work) => {
        if (!guest.begun) {
          guest.begun = true;
          if (late) guest.order = ++this.#orders;
          room.guests.add(guest);
          change(room);
        }
        const call = { after: room.changes };
        room.calls.add(call);
        return work().finally(() => room.calls.delete(call));
      },
      end: async (close) => {
        room.leaving++;
        change(room);
        await close();
        room.guests.delete(guest);
        room.leaving--;
        change(room);
      },
    };
  }

  watch(outside: Client, database: string): void {
    this.#watching = this.#watch(outside, database);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#watching;
  }

  async #watch(outside: Client, database: string): Promise<void> {
    const text = `select usename || ' ' || split_part(application_name, '-', 1) as room, count(*)::int as backends
      from pg_stat_activity where datname = $1 and application_name <> '' group by 1`;
    while (!this.#stopped) {
      await delay(PAUSE_MS);
      const settled = new Map([...this.#rooms].filter(([, room]) => isSettled(room)).map(([name, { changes }]) => [name, changes]));
      const { rows } = await outside.query<{ room: string; backends: number }>(text, [database]);
      this.samples++;
      for (const { room: name, backends } of rows) {
        const room = this.#rooms.get(name);
        if (room === undefined) continue;
        if (backends > room.bound) this.overflows.push({ room: name, backends, bound: room.bound });
        if (backends === room.bound) this.full++;
      }
      const counted = new Map(rows.map(({ room, backends }) => [room, backends]));
      for (const [name, room] of this.#rooms) {
        const max = newestOf(room);
        if (settled.get(name) === room.changes && (counted.get(name) ?? 0) <= max) room.bound = max;
      }
    }
  }
}

function change(room: Room): void {
  room.changes++;
  room.bound = Math.max(room.bound, newestOf(room));
}

/** Whether everything that goes on in a room has begun under the limits of now. */
function isSettled({ leaving, calls, changes }: Room): boolean {
  return leaving === 0 && [...calls].every(({ after }) => after === changes);
}

function newestOf({ guests }: Room): number {
  let newest: Guest | undefined;
  for (const guest of guests) if (newest === undefined || guest.order > newest.order) newest = guest;
  return newest?.max ?? 0;
}
