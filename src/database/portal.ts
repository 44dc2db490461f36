import type { TracedCall } from "../observe/trace-calls.ts";
import type { Cancellation, Portal, Result } from "../transports/transport.ts";
import { BATCH_SIZE } from "./options.ts";
import { type RowBatches, Total } from "./row-batches.ts";

/** How a statement's rows are asked for. */
interface Asking {
  /** Throws where nothing can be sent any more. */
  readonly check: () => void;
  /** Sends the statement, or asks for its next rows, behind so many. */
  readonly send: (portal: Portal, from: number) => Promise<Result>;
}

/** Runs what is told of as one call. */
type Observe = (run: (traced?: TracedCall) => Promise<unknown>) => Promise<unknown>;

/** The portals of one transaction or session, and what is told of those that a caller reads. */
export class Portals {
  readonly #cancellation: Cancellation;
  #count = 0;
  #left: readonly string[] | undefined;
  /** Each ends what is told of one that is being read. */
  #ends: Set<() => void> | undefined;

  constructor(cancellation: Cancellation) {
    this.#cancellation = cancellation;
  }

  /** The names of those that were left, to be closed with what is sent next; undefined for none. */
  takeLeft(): readonly string[] | undefined {
    const left = this.#left;
    this.#left = undefined;
    return left;
  }

  /** Rows in batches of at most `limit`, asked for in a transaction that is open, or that begins with them. */
  open(limit: number = BATCH_SIZE, { check, send }: Asking): RowBatches {
    const name = `warmline_${++this.#count}`;
    let isOpen = false;
    let isOver = false;
    let from = 0;
    const end = () => {
      if (isOpen && !isOver) this.#left = [...(this.#left ?? []), name];
      isOver = true;
    };
    return {
      async next() {
        if (isOver) return undefined;
        check();
        const portal = { name, limit, isOpen };
        isOpen = true;
        try {
          const result = await send(portal, from);
          from += result.rows.length;
          if (result.command !== null || result.rows.length < limit) end();
          return result;
        } catch (error) {
          end();
          throw error;
        }
      },
      async leave() {
        end();
      },
      isEnded: () => this.#cancellation.reason !== undefined,
    };
  }

  /**
   * The same batches, told of as one call, which begins with the first and ends with the last, when its reader leaves, or with what it is read in;
   * not before what was asked for has come.
   */
  observed(batches: RowBatches, observe: Observe): RowBatches {
    this.#ends ??= new Set();
    const ends = this.#ends;
    const total = new Total();
    let traced: TracedCall | undefined;
    let ended: PromiseWithResolvers<Result | undefined> | undefined;
    let isAsked = false;
    let isOver = false;
    const end = () => {
      isOver = true;
      if (isAsked) return;
      ended?.resolve(total.result);
      ends.delete(end);
    };
    return {
      async next() {
        if (ended === undefined) {
          const ending = Promise.withResolvers<Result | undefined>();
          ended = ending;
          ends.add(end);
          observe((given) => {
            traced = given;
            return ending.promise;
          }).catch(() => {});
        }
        isAsked = true;
        try {
          const batch = await batches.next();
          if (batch === undefined) isOver = true;
          else {
            traced?.went();
            total.count(batch);
          }
          return batch;
        } catch (error) {
          ended.reject(error);
          isOver = true;
          throw error;
        } finally {
          isAsked = false;
          if (isOver) end();
        }
      },
      async leave() {
        await batches.leave();
        end();
      },
      isEnded: batches.isEnded,
    };
  }

  /** The transaction or session is over, and so is what is told of those that nobody has read to their end. */
  end(): void {
    for (const end of this.#ends ?? []) end();
  }
}

/** Batches of which it is decided with the first how they are read. */
export function openedLate(open: () => RowBatches): RowBatches {
  let batches: RowBatches | undefined;
  return {
    async next() {
      batches ??= open();
      return batches.next();
    },
    async leave() {
      await batches?.leave();
    },
    isEnded: () => batches?.isEnded() ?? false,
  };
}
