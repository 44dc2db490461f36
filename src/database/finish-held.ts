import { UsageError } from "../errors/errors.ts";
import type { CallOptions, ExchangeEnd, Result, Statement } from "../transports/transport.ts";
import { areFinished, type Finishing, finishRows, type RowGround } from "./finish-rows.ts";
import type { StatementSession } from "./held-session.ts";
import { lookupForm, type ReadBy } from "./user-types.ts";

/** A connection that is held, and what its rows are finished with. */
export interface FinishingHeld {
  readonly session: StatementSession;
  readonly call: CallOptions;
  readonly rows: RowGround;
  /** How what is sent there leaves it. */
  readonly ends: ExchangeEnd;
  /** Whether the callback has ended, and the connection may be another's. */
  readonly isOver: () => boolean;
}

/** Finishes the rows of statements; undefined where nothing is to be done. */
export type FinishHeld = (
  results: readonly Result[],
  statements: readonly Statement[],
  read: ReadBy & Pick<Finishing, "from">,
) => Promise<void> | undefined;

/** Finishes rows on a held connection: types are looked up there, for whoever has another may wait for this one. */
export function finishHeld({ session, call, rows, ends, isOver }: FinishingHeld): FinishHeld {
  const { types } = rows;
  return (results, statements, read) => {
    if (areFinished(results, statements, { types, read })) return undefined;
    return finishRows(results, statements, {
      ...rows,
      call: { ...call, ...read },
      from: read.from,
      waits: false,
      fate: () => (session.status === "idle" ? "unknown" : "refused"),
      async ask(statement) {
        if (isOver()) throw new UsageError("The callback is over. Await every query in it.", { code: "SESSION_OVER" });
        return (await session.exchange([statement], { ...call, ...lookupForm, ends }))[0] as Result;
      },
    });
  };
}
