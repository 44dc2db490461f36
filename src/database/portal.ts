import type { Portal, Result } from "../transports/transport.ts";
import { BATCH_SIZE } from "./options.ts";

/** The rows of one statement, batch after batch, for one reader that awaits each. */
export interface RowBatches {
  /** The next, which may be empty; undefined once the last was given and all has ended. Only then is the next one asked for. */
  next(): Promise<Result | undefined>;
  /** Leaves what was not read. */
  leave(): Promise<void>;
}

/** What a statement's rows are asked for through. */
export interface PortalGround {
  /** Throws where nothing can be sent any more. */
  readonly check: () => void;
  /** Sends the statement, or asks for its next rows. */
  readonly send: (portal: Portal) => Promise<Result>;
  /** Gives the portal up, with whatever is sent next. */
  readonly close: (name: string) => void;
}

let portals = 0;

/** Rows in batches of at most `limit`, asked for in a transaction that is open, or that begins with them. */
export function portalBatches(limit: number = BATCH_SIZE, { check, send, close }: PortalGround): RowBatches {
  const name = `warmline_${++portals}`;
  let isOpen = false;
  let isOver = false;
  const end = () => {
    if (isOpen && !isOver) close(name);
    isOver = true;
  };
  return {
    async next() {
      if (isOver) return undefined;
      check();
      const portal = { name, limit, isOpen };
      isOpen = true;
      try {
        const result = await send(portal);
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
  };
}

/** What all batches together gave, as a result without rows, once each was counted. */
export class Total {
  result: Result | undefined;
  #rows = 0;

  count(part: Result): void {
    this.#rows += part.rows.length;
    this.result = { ...part, rows: [], rowCount: this.#rows === 0 ? part.rowCount : this.#rows };
  }
}

/** The same batches, told of as one call, which begins with the first and ends with the last, or when its reader leaves. */
export function observed(batches: RowBatches, observe: (run: () => Promise<unknown>) => Promise<unknown>): RowBatches {
  const total = new Total();
  let ended: PromiseWithResolvers<Result | undefined> | undefined;
  return {
    async next() {
      if (ended === undefined) {
        const ending = Promise.withResolvers<Result | undefined>();
        ended = ending;
        observe(() => ending.promise).catch(() => {});
      }
      try {
        const batch = await batches.next();
        if (batch === undefined) ended.resolve(total.result);
        else total.count(batch);
        return batch;
      } catch (error) {
        ended.reject(error);
        throw error;
      }
    },
    async leave() {
      await batches.leave();
      ended?.resolve(total.result);
    },
  };
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
  };
}
