import { kindOf } from "../errors/redact.ts";
import type { DatabaseEvent, EventListener } from "./events.ts";

/** Who listens to one database. */
export interface Audience {
  /** How many listen. Nothing is told, and no event is made, while it is 0. */
  readonly size: number;
  /** Returns a function that takes the listener off. The same function listens once, however often it is added. */
  add(listener: EventListener): () => void;
  tell(event: DatabaseEvent): void;
}

/** An audience in which a listener that throws harms nobody: its first failure is told by `warn`. */
export function makeAudience(warn: (message: string) => void): Audience {
  /** Replaced, never changed: who is added while an event is told comes too late for it. */
  let listeners: readonly EventListener[] = [];
  let warned = false;
  const report = (error: unknown) => {
    if (warned) return;
    warned = true;
    warn(`A listener of db.subscribe threw ${kindOf(error)}. Said once.`);
  };
  return {
    get size() {
      return listeners.length;
    },
    add(listener) {
      if (!listeners.includes(listener)) listeners = [...listeners, listener];
      return () => {
        listeners = listeners.filter((one) => one !== listener);
      };
    },
    tell(event) {
      for (const listener of listeners) {
        // another one has taken it off meanwhile
        if (!listeners.includes(listener)) continue;
        try {
          // an async function rejects later
          Promise.resolve(listener(event)).catch(report);
        } catch (error) {
          report(error);
        }
      }
    },
  };
}
