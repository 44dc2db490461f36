import { noWork, type OwnWork } from "../delivery/own-work.ts";
import { UsageError, type WarmlineError } from "../errors/errors.ts";
import type { Session, Statement, Transport } from "../transports/transport.ts";
import type { Limits } from "./call.ts";
import type { Calls } from "./calls.ts";
import { traitsOf } from "./guard.ts";
import type { HeldSession } from "./held-session.ts";
import type { HeldWork } from "./held-work.ts";
import { type Inside, runOpen } from "./nesting.ts";

/** Work on a held connection. */
interface Holding<T> {
  readonly operation: "transaction" | "session" | "stream";
  /** What is told of it as its own; absent where each is told by itself. */
  readonly statements?: Statement;
  /** Runs the caller's callback `inside`, where calls on the database itself are refused. */
  readonly use: (held: HeldSession, work: HeldWork, inside: Inside) => Promise<T>;
  readonly again: (error: WarmlineError, number: number) => boolean;
  /** Called when the request ends, where connections belong to one. */
  readonly onRequestEnd?: () => void;
}

/** Holds a connection while work runs on it. Before it has begun, an attempt is repeated as any call; from then on `again` alone decides. */
export type Hold = <T>(limits: Limits, holding: Holding<T>) => Promise<T>;

/** Holds connections of one database. */
export function makeHold(calls: Calls): Hold {
  const { parts, identity: database, comment } = calls;
  const { callbacks, delivery } = parts;
  const observe: HeldSession["observe"] = (called, run) => calls.observe({ ...called, attempts: () => 1 }, run);
  const open: HeldSession["open"] = (work) => runOpen(callbacks, { database, handle: "tx" }, work);

  return (limits, { operation, statements, use, again, onRequestEnd }) => {
    let own: OwnWork | undefined;
    return calls.run(limits, {
      operation,
      statements,
      elsewhere: () => calls.holding,
      own: () => own,
      work(chosen, call, traced) {
        requireSession(chosen);
        own = undefined;
        const begin = (work: HeldWork) => {
          const start = (given: Session) => {
            own = noWork();
            const ground = parts.ground();
            const held: HeldSession = {
              session: traced?.hold(given) ?? given,
              call,
              own,
              traits: traitsOf(ground, limits.settings),
              observe,
              comment,
              open,
              rows: { types: ground.types, random: delivery.random },
            };
            return runOpen(callbacks, { database, handle: operation === "session" ? operation : "tx" }, (inside) =>
              use(held, work, inside),
            );
          };
          return chosen.session(start, { ...call, begins: operation !== "session", onRequestEnd });
        };
        const loaded = (parts.heldWork as NonNullable<typeof parts.heldWork>)();
        return loaded instanceof Promise ? loaded.then(begin) : begin(loaded);
      },
      repeat: (error, number) => (own ? again(error, number) : calls.mayRepeat(error, {}, number)),
    });
  };
}

/** Refuses work on a held connection where none can be had. @throws UsageError NO_SESSION */
export function requireSession(transport: Transport): void {
  if (!transport.can.session)
    throw new UsageError(
      'No sessions without WebSocket, and none from warmline/http. Use db.batch(), or import createDatabase from "warmline".',
      { code: "NO_SESSION" },
    );
}
