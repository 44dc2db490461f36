import type pg from "pg";
import { ConnectionError, isWarmlineError } from "../../errors/errors.ts";
import { TOO_MANY_CONNECTIONS } from "../../errors/sqlstate.ts";
import { connectTimeout } from "../failure.ts";
import { askBySync, destroySocket } from "./client-state.ts";
import { afterTwoTicks } from "./freshness.ts";
import type { Opened } from "./lease.ts";

/** How long a connection may be silent before a replacement is opened beside it, milliseconds. A busy pooler answers late, and is healthy. */
const SILENCE_MS = 250;

/** Before opening is tried again, where the call persists, milliseconds: as long as repeating a call that was not sent may take. */
const PAUSES_MS = [50, 100, 200, 400];

/** A connection that was asked, and where another comes from. */
export interface Asked {
  readonly client: pg.PoolClient;
  /** Resolves with whether it answered; false when it is lost. */
  readonly answer: Promise<boolean>;
  /** Bounds opening a connection, milliseconds; 0 for no bound. */
  readonly connectTimeoutMs: number;
  /** Asked whether opening is tried again when it fails: for a call that has begun, and cannot be begun anew. Default: it is not. */
  readonly persists?: (() => boolean) | undefined;
  /** Opens a connection beside those the pool may have. */
  openBeside(opened: (error: Error | undefined, fresh: Opened | undefined) => void): void;
  /** Takes what was opened and is not needed. */
  giveSurplus(fresh: Opened): void;
}

/**
 * Waits for a connection that was asked; resolves with undefined when it answers, and with its replacement when that is ready first. One that
 * is lost is replaced by the next that opens. One that is only silent has to lose to an answer: behind a busy pooler a new connection opens
 * at once and would wait as long, so the new one is asked too, and where none can be had there is still the silent one to wait for.
 * @throws {WarmlineError} what kept the replacement from opening, when both failed, or stayed silent for the time opening may take
 */
export function answerOrReplacement(asked: Asked): Promise<Opened | undefined> {
  return new Promise((resolve, reject) => {
    const { connectTimeoutMs } = asked;
    let open = true;
    let lost = false;
    let opening = false;
    let beside: Opened | undefined;
    let refusal: Error | undefined;
    const pauses = [...PAUSES_MS];
    let limit: NodeJS.Timeout | undefined;

    const settle = (end: () => void) => {
      if (!open) return;
      open = false;
      clearTimeout(silence);
      clearTimeout(limit);
      if (beside !== undefined) destroySocket(beside.client);
      end();
    };
    const refuse = (error: Error | undefined) => {
      refusal = error;
      if (!lost || !open) return;
      const pauseMs =
        isWarmlineError(error) && error.retryable && error.code !== TOO_MANY_CONNECTIONS && asked.persists?.() && pauses.shift();
      if (pauseMs) setTimeout(openAnother, pauseMs);
      else settle(() => reject(refusal));
    };
    const take = (fresh: Opened) => {
      beside = undefined;
      settle(() => resolve(fresh));
    };
    const compare = async (fresh: Opened) => {
      beside = fresh;
      if ((await askBySync(fresh.client)) && open) return take(fresh);
      beside = undefined;
      fresh.toPool(true);
      refuse(lostToo());
    };
    const replace = () => {
      if (opening || !open) return;
      opening = true;
      if (connectTimeoutMs > 0) {
        const giveUp = () => settle(() => reject(refusal ?? connectTimeout(whereTo(asked.client), connectTimeoutMs)));
        limit = setTimeout(giveUp, connectTimeoutMs);
      }
      openAnother();
    };
    const openAnother = () => {
      if (!open) return;
      asked.openBeside((error, fresh) => {
        if (fresh === undefined) refuse(error);
        else if (!open) asked.giveSurplus(fresh);
        else if (lost) take(fresh);
        else void compare(fresh);
      });
    };
    // a process that stood still meanwhile may have the answer, and not have seen it
    const silence = setTimeout(() => afterTwoTicks(replace), SILENCE_MS);
    void asked.answer.then((alive) => {
      if (alive) return settle(() => resolve(undefined));
      lost = true;
      if (!open) return;
      if (refusal !== undefined) refuse(refusal);
      else replace();
    });
  });
}

function whereTo(client: pg.PoolClient): string {
  const { host, port } = client as unknown as { readonly host: string; readonly port: number };
  return `${host}:${port}`;
}

function lostToo(): ConnectionError {
  return new ConnectionError("The connection was lost, and the one opened in its place too.", {
    code: "CONNECTION_LOST",
    fate: "not-sent",
    retryable: true,
  });
}
