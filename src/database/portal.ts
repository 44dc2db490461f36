import type { TracedCall } from "../observe/trace-calls.ts";
import type { Portal, Result } from "../transports/transport.ts";
import { BATCH_SIZE } from "./options.ts";
import { Total } from "./total.ts";

/** The rows of one statement, batch after batch, for one reader that awaits each. */
export interface RowBatches {
  /** The next, which may be empty; undefined once the last was given and all has ended. Only then is the next one asked for. */
  next(): Promise<Result | undefined>;
  /** Leaves what was not read. */
  leave(): Promise<void>;
  /** Whether the call has ended meanwhile, by its deadline or signal: what was given out is read no further, and the next says why. */
  isEnded?(): boolean;
}

/** What a statement's rows are asked for through. */
export interface PortalGround {
  /** Counts it among the portals of its transaction. */
  readonly number: number;
  /** Throws where nothing can be sent any more. */
  readonly check: () => void;
  /** Sends the statement, or asks for its next rows, behind so many. */
  readonly send: (portal: Portal, from: number) => Promise<Result>;
  /** Gives the portal up, with whatever is sent next. */
  readonly close: (name: string) => void;
  /** Whether the call it is read in has ended. */
  readonly isEnded: () => boolean;
}

/** Rows in batches of at most `limit`, asked for in a transaction that is open, or that begins with them. */
export function portalBatches(limit: number = BATCH_SIZE, { number, check, send, close, isEnded }: PortalGround): RowBatches {
  const name = `warmline_${number}`;
  let isOpen = false;
  let isOver = false;
  let from = 0;
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
    isEnded,
  };
}

/** What ends the streams that are read in a transaction or session, to be called at its end. */
export type StreamEnds = Set<() => void>;

/**
 * The same batches, told of as one call, which begins with the first and ends with the last, when its reader leaves, or with what it is read in;
 * not before what was asked for has come.
 */
export function observed(
  batches: RowBatches,
  ends: StreamEnds,
  observe: (run: (traced?: TracedCall) => Promise<unknown>) => Promise<unknown>,
): RowBatches {
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
    isEnded: () => batches.isEnded?.() ?? false,
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
    isEnded: () => batches?.isEnded?.() ?? false,
  };
}
